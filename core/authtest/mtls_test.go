package authtest

import (
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/testca"
	"github.com/sallyport-go/sallyport/core/mtls"
	"github.com/sallyport-go/sallyport/core/proxy"
)

var mtlsSemantics = []testCase{
	{"a client certificate that expires on an open connection", certificateExpires},
	{"a client certificate from another site", certificateCrossSite},
	{"G18 a client certificate in a header", certificateHeader},
}

// certificateExpires: a certificate that expires on an open connection is refused.
func certificateExpires(t *testing.T, f Framework) {
	ca := testca.New(t, "clients")
	var later atomic.Int64
	g, rec := guardOf(t, []core.Authenticator{newMTLS(t, mtls.WithClock(func() time.Time {
		return time.Now().Add(time.Duration(later.Load()))
	}))})
	d := newTLSDoor(t, f, tls.RequireAndVerifyClientCert, ca, Gate{Kind: "Authenticate", Guard: g})
	c := d.connect(named(t, ca, "reports.example"))
	if a := d.ask(c, "GET"); a.Status != http.StatusOK {
		t.Fatalf("%d %q in time", a.Status, a.Body)
	}
	later.Store(int64(2 * time.Hour))
	a := d.ask(c, "GET")
	refused(t, "too late", a, http.StatusUnauthorized, core.CodeInvalidCredentials)
	challenged(t, "too late", a, certificateChallenge)
	if e := rec.Last(t); e.Reason != core.ReasonExpired {
		t.Errorf("event %s", e.Reason)
	}
}

// certificateCrossSite: browsers send a certificate whichever page asks.
func certificateCrossSite(t *testing.T, f Framework) {
	ca := testca.New(t, "clients")
	g, _ := guardOf(t, []core.Authenticator{newMTLS(t)})
	d := newTLSDoor(t, f, tls.RequireAndVerifyClientCert, ca, Gate{Kind: "Authenticate", Guard: g})
	c := d.connect(named(t, ca, "reports.example"))
	refused(t, "another site's", d.ask(c, "POST", "Content-Length: 0", "Sec-Fetch-Site: cross-site"),
		http.StatusForbidden, core.CodeCrossSite)
	if a := d.ask(c, "POST", "Content-Length: 0", "Sec-Fetch-Site: same-origin"); a.Status != http.StatusOK {
		t.Errorf("%d %q for a request of its own", a.Status, a.Body)
	}
}

// certificateHeader: RFC 9440. The header counts only from a trusted proxy, and only under
// its own name.
func certificateHeader(t *testing.T, f Framework) {
	ca, other := testca.New(t, "clients"), testca.New(t, "others")
	value := func(c tls.Certificate) string { return ":" + base64.StdEncoding.EncodeToString(c.Leaf.Raw) + ":" }
	good := value(named(t, ca, "reports.example"))
	behind := func(prefix string) *door {
		trusted, err := proxy.New([]netip.Prefix{netip.MustParsePrefix(prefix)})
		if err != nil {
			t.Fatal(err)
		}
		g, _ := guardOf(t, []core.Authenticator{newMTLS(t, mtls.WithRoots(ca.Pool()), mtls.WithClientCertHeader(trusted))})
		return newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	}
	d := behind("127.0.0.1/32")
	a := d.admits("reports.example", "Client-Cert: "+good)
	if v := a.Header.Get("Vary"); v != "Client-Cert, Client-Cert-Chain" {
		t.Errorf("Vary %q", v)
	}
	for _, header := range []string{"Client-Cert: " + value(named(t, other, "reports.example")), "Client-Cert: x", "Client-Cert: " + good + ", " + good} {
		challenged(t, header, d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, header), certificateChallenge)
	}
	d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, "Client-Cert: "+good, "Client-Cert: "+good)
	for _, name := range []string{"Client_Cert", "Client-Cert-Chain", "X-Client-Cert", "X-SSL-Cert"} {
		d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, name+": "+good)
	}
	behind("192.0.2.0/24").refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, "Client-Cert: "+good)
}
