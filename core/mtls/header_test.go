package mtls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/internal/testca"
	"github.com/sallyport-go/sallyport/core/mtls"
	"github.com/sallyport-go/sallyport/core/proxy"
)

func trust(t testing.TB) *proxy.Trust {
	t.Helper()
	trusted, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	if err != nil {
		t.Fatal(err)
	}
	return trusted
}

// from is a request from peer with header lines, and with the certificates of
// the connection itself.
func from(peer string, own []*x509.Certificate, lines ...string) core.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = peer
	if own != nil {
		r.TLS = &tls.ConnectionState{PeerCertificates: own, VerifiedChains: [][]*x509.Certificate{own}}
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header[name] = append(r.Header[name], value)
	}
	return &adapter.View{Request: r}
}

func sequence(c *x509.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(c.Raw) + ":"
}

func escaped(c *x509.Certificate) string {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	return url.PathEscape(string(text))
}

const stranger, peer = "192.0.2.1:80", "10.0.0.1:80"

// TestClientCertHeader: RFC 9440 §2.
func TestClientCertHeader(t *testing.T) {
	ca, other := testca.New(t, "ca"), testca.New(t, "other")
	middle := ca.Intermediate(t, "middle")
	cert := ca.Client(t, named("client.example")).Leaf
	below := middle.Client(t, named("below.example")).Leaf
	own := chain(ca.Client(t, named("proxy.example")).Leaf, ca.Certificate)
	value := sequence(cert)
	a := authenticator(t, mtls.DNSName(), mtls.WithRoots(ca.Pool()), mtls.WithClientCertHeader(trust(t)))
	if got := strings.Join(a.Scheme().Vary, ", "); got != "Client-Cert, Client-Cert-Chain" {
		t.Errorf("Vary %q", got)
	}
	const h, hc = "Client-Cert: ", "Client-Cert-Chain: "
	for _, c := range []struct {
		name, peer string
		own        []*x509.Certificate
		lines      []string
		want       string
	}{
		{"from a proxy", peer, nil, []string{h + value}, "client.example"},
		{"not the proxy's own certificate", peer, own, []string{h + value}, "client.example"},
		{"nor where there is no header", peer, own, nil, "none"},
		{"nor where it is empty", peer, own, []string{h}, "none"},
		{"from a stranger", stranger, nil, []string{h + value}, "none"},
		{"from a stranger with a certificate", stranger, own, []string{h + value}, "proxy.example"},
		{"another spelling", peer, nil, []string{"Client_Cert: " + value}, "none"},
		{"twice", peer, nil, []string{h + value, h + value}, "ambiguous"},
		{"a chain", peer, nil, []string{h + sequence(below), hc + sequence(middle.Certificate) + ", " + sequence(ca.Certificate)}, "below.example"},
		{"a chain on two lines", peer, nil, []string{h + sequence(below), hc + sequence(middle.Certificate), hc + value}, "ambiguous"},
		{"a chain that is missing", peer, nil, []string{h + sequence(below)}, "!unknown_key"},
		{"a chain without certificate", peer, nil, []string{hc + value}, "none"},
		{"a chain that is too long", peer, nil, []string{h + value, hc + strings.Repeat("::,", 8) + "::"}, "!malformed"},
		{"a chain that is none", peer, nil, []string{h + value, hc + "x"}, "!malformed"},
		{"another authority's", peer, nil, []string{h + sequence(other.Client(t, named("client.example")).Leaf)}, "!unknown_key"},
		{"no colons", peer, nil, []string{h + strings.Trim(value, ":")}, "!malformed"},
		{"one colon", peer, nil, []string{h + ":"}, "!malformed"},
		{"nothing between colons", peer, nil, []string{h + "::"}, "!malformed"},
		{"a parameter", peer, nil, []string{h + value + ";a=1"}, "!malformed"},
		{"two certificates", peer, nil, []string{h + value + ", " + value}, "!malformed"},
		{"no certificate", peer, nil, []string{h + ":AAAA:"}, "!malformed"},
		{"a line break", peer, nil, []string{h + value[:20] + "\n" + value[20:]}, "!malformed"},
		{"bytes after it", peer, nil, []string{h + ":" + base64.StdEncoding.EncodeToString(append(cert.Raw[:len(cert.Raw):len(cert.Raw)], 0)) + ":"}, "!malformed"},
		{"PEM", peer, nil, []string{h + escaped(cert)}, "!malformed"},
		{"too long", peer, nil, []string{h + ":" + strings.Repeat("A", 40_000) + ":"}, "!malformed"},
	} {
		if got := outcome(a.Authenticate(context.Background(), from(c.peer, c.own, c.lines...))); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestProxyVerifies: without roots the proxy's word counts, and time all the
// same.
func TestProxyVerifies(t *testing.T) {
	ca := testca.New(t, "ca")
	a := authenticator(t, mtls.DNSName(), mtls.WithClientCertHeader(trust(t)), mtls.WithProxyVerification())
	for want, edit := range map[string]func(*x509.Certificate){
		"client.example": named("client.example"),
		"!expired":       func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(1, 0, 0) },
		"!bad_claim":     func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} },
	} {
		got := outcome(a.Authenticate(context.Background(), from(peer, nil, "Client-Cert: "+sequence(ca.Client(t, edit).Leaf))))
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestNginxHeaders(t *testing.T) {
	ca, other := testca.New(t, "ca"), testca.New(t, "other")
	cert, foreign := ca.Client(t, named("client.example")).Leaf, other.Client(t, named("client.example")).Leaf
	own := chain(ca.Client(t, named("proxy.example")).Leaf, ca.Certificate)
	headers := mtls.WithNginxHeaders(trust(t), "x-cert", "X-Verify")
	plain := authenticator(t, mtls.DNSName(), headers)
	rooted := authenticator(t, mtls.DNSName(), headers, mtls.WithRoots(ca.Pool()))
	const h, ok = "X-Cert: ", "X-Verify: SUCCESS"
	for _, c := range []struct {
		name, peer   string
		lines        []string
		want, rooted string
	}{
		{"verified", peer, []string{h + escaped(cert), ok}, "client.example", "client.example"},
		{"of another authority", peer, []string{h + escaped(foreign), ok}, "client.example", "!unknown_key"},
		{"failed", peer, []string{h + escaped(cert), "X-Verify: FAILED:certificate has expired"}, "!unknown_key", ""},
		{"in another letter case", peer, []string{h + escaped(cert), "X-Verify: success"}, "!unknown_key", ""},
		{"nothing said", peer, []string{h + escaped(cert)}, "!unknown_key", ""},
		{"none, with a certificate", peer, []string{h + escaped(cert), "X-Verify: NONE"}, "!unknown_key", ""},
		{"none", peer, []string{"X-Verify: NONE"}, "none", ""},
		{"no headers", peer, nil, "none", ""},
		{"verified, and nothing there", peer, []string{ok}, "!malformed", ""},
		{"failed, and nothing there", peer, []string{"X-Verify: FAILED:x"}, "!unknown_key", ""},
		{"certificate twice", peer, []string{h + escaped(cert), h + escaped(cert), ok}, "ambiguous", ""},
		{"verified twice", peer, []string{h + escaped(cert), ok, "X-Verify: NONE"}, "ambiguous", ""},
		{"bad escapes", peer, []string{h + "%zz", ok}, "!malformed", ""},
		{"no PEM", peer, []string{h + "abc", ok}, "!malformed", ""},
		{"something before it", peer, []string{h + "x%0A" + escaped(cert), ok}, "!malformed", ""},
		{"two certificates", peer, []string{h + escaped(cert) + escaped(foreign), ok}, "!malformed", ""},
		{"no certificate", peer, []string{h + url.PathEscape("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), ok}, "!malformed", ""},
		{"a key", peer, []string{h + url.PathEscape("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), ok}, "!malformed", ""},
		{"from a stranger", stranger, []string{h + escaped(cert), ok}, "proxy.example", ""},
	} {
		r := from(c.peer, own, c.lines...)
		if got := outcome(plain.Authenticate(context.Background(), r)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if c.rooted == "" {
			c.rooted = c.want
		}
		if got := outcome(rooted.Authenticate(context.Background(), r)); got != c.rooted {
			t.Errorf("%s, with roots: %s, want %s", c.name, got, c.rooted)
		}
	}
}
