package authtest

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/internal/testca"
	"github.com/sallyport-go/sallyport/core/mtls"
)

var mtlsCases = []testCase{
	{"a verified client certificate", certificateVerified},
	{"a client certificate that nobody verified", certificateUnverified},
}

const certificateChallenge = `ClientCertificate realm="r"`

func newMTLS(t *testing.T, opts ...mtls.Option) core.Authenticator {
	t.Helper()
	return must.Have(mtls.New("r", mtls.DNSName(), opts...))(t)
}

// named issues a client certificate for a DNS name.
func named(t *testing.T, ca *testca.CA, name string) tls.Certificate {
	t.Helper()
	return ca.Client(t, func(c *x509.Certificate) { c.DNSNames = []string{name} })
}

// tlsDoor is a door over TLS that requests client certificates.
type tlsDoor struct {
	*door
	server *x509.CertPool
}

func newTLSDoor(t *testing.T, f Framework, auth tls.ClientAuthType, clients *testca.CA, gate Gate) tlsDoor {
	t.Helper()
	l := must.Have(net.Listen("tcp", "127.0.0.1:0"))(t)
	ca := testca.New(t, "servers")
	d := tlsDoor{&door{t: t, addr: l.Addr().String()}, ca.Pool()}
	f.Serve(t, tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{ca.Server(t)}, ClientAuth: auth, ClientCAs: clients.Pool(),
	}), App{Routes: []Route{d.route(gate)}})
	return d
}

// connect opens a connection on which the client presents certificates.
func (d tlsDoor) connect(certificates ...tls.Certificate) *client {
	d.t.Helper()
	conn, err := tls.Dial("tcp", d.addr, &tls.Config{
		RootCAs: d.server, ServerName: "127.0.0.1",
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(certificates) == 0 {
				return new(tls.Certificate), nil
			}
			return &certificates[0], nil // whichever CA the server asks for
		},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	c := newClient(conn)
	d.t.Cleanup(c.close)
	return c
}

// ask sends one request on c.
func (d tlsDoor) ask(c *client, method string, header ...string) Answer {
	d.t.Helper()
	return must.Have(c.roundTrip(Request(method, "/door", header...)))(d.t)
}

// certificateVerified checks that the adapter passes on the connection's TLS state.
func certificateVerified(t *testing.T, f Framework) {
	ca := testca.New(t, "clients")
	g, rec := guardOf(t, []core.Authenticator{newMTLS(t), newBasic(t, "r")})
	gate := Gate{Kind: "Authenticate", Guard: g}
	d := newTLSDoor(t, f, tls.VerifyClientCertIfGiven, ca, gate)

	c := d.connect(named(t, ca, "reports.example"))
	for range 3 {
		a := d.ask(c, "GET")
		if a.Status != http.StatusOK || a.Body != handled+"reports.example" {
			t.Fatalf("%d %q with a certificate", a.Status, a.Body)
		}
		if v := a.Header.Get("Cache-Control"); v != "private" {
			t.Errorf("Cache-Control %q for what depends on the connection", v)
		}
		if e := rec.Last(t); e.Scheme != "ClientCertificate" || e.PrincipalID != "reports.example" {
			t.Errorf("event for %s by %s", e.PrincipalID, e.Scheme)
		}
	}
	c = d.connect()
	a := d.ask(c, "GET")
	refused(t, "no certificate", a, http.StatusUnauthorized, core.CodeAuthenticationRequired)
	if got := a.Header.Values("WWW-Authenticate"); len(got) != 2 || got[0] != certificateChallenge {
		t.Errorf("challenges %q", got)
	}
	if a := d.ask(c, "GET", login("bob", "open sesame")); a.Body != handled+"bob" {
		t.Errorf("%d %q for a password in place of a certificate", a.Status, a.Body)
	}
	newDoor(t, f, gate).refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
}

// certificateUnverified checks that a certificate that the server requested but did not
// verify proves nothing, even together with another scheme's credentials.
func certificateUnverified(t *testing.T, f Framework) {
	ca := testca.New(t, "clients")
	g, rec := guardOf(t, []core.Authenticator{newMTLS(t), newBasic(t, "r")})
	for _, kind := range []string{"Authenticate", "Optional"} {
		for _, auth := range []tls.ClientAuthType{tls.RequestClientCert, tls.RequireAnyClientCert} {
			d := newTLSDoor(t, f, auth, ca, Gate{Kind: kind, Guard: g})
			for _, header := range []string{"Accept: */*", login("bob", "open sesame")} {
				a := d.ask(d.connect(named(t, ca, "reports.example")), "GET", header)
				refused(t, kind, a, http.StatusUnauthorized, core.CodeInvalidCredentials)
				if e := rec.Last(t); e.Reason != core.ReasonUnknownKey || e.PrincipalID != "" {
					t.Errorf("%s: event %s for %q", kind, e.Reason, e.PrincipalID)
				}
			}
			if d.runs.Load() != 0 {
				t.Errorf("%s: the handler ran", kind)
			}
		}
	}
}
