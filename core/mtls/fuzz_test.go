package mtls_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/mtls"
)

// readPair reads an authority and a client certificate that it issued, for
// client.example. They are files so that each run has the same seeds.
func readPair(t testing.TB, path string) (ca, client *x509.Certificate) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	return certs[0], certs[1]
}

// FuzzHeaders: whatever a proxy sends, nobody gets in but by a certificate of
// the authority, and a stranger's headers are never looked at.
func FuzzHeaders(f *testing.F) {
	ca, good := readPair(f, "testdata/own.pem")
	other, bad := readPair(f, "testdata/foreign.pem")
	for _, c := range []*x509.Certificate{good, bad} {
		f.Add(sequence(c), sequence(ca)+", "+sequence(other))
		f.Add(escaped(c), "SUCCESS")
	}
	for _, s := range []string{"", ":", "::", ":AAAA:", "%", "-----BEGIN CERTIFICATE-----"} {
		f.Add(s, s)
		f.Add(s, "SUCCESS")
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	opts := []mtls.Option{mtls.WithRoots(pool), mtls.WithClock(func() time.Time { return good.NotBefore.Add(time.Hour) })}
	schemes := []*mtls.Authenticator{
		authenticator(f, mtls.DNSName(), append(opts, mtls.WithClientCertHeader(trust(f)))...),
		authenticator(f, mtls.DNSName(), append(opts, mtls.WithNginxHeaders(trust(f), "Client-Cert", "Client-Cert-Chain"))...),
	}
	for i, line := range []string{sequence(good), escaped(good)} { // the seeds do get in
		r := from(peer, nil, "Client-Cert: "+line, "Client-Cert-Chain: "+[]string{"", "SUCCESS"}[i])
		if got := outcome(schemes[i].Authenticate(context.Background(), r)); got != "client.example" {
			f.Fatalf("seed %d: %s", i, got)
		}
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		lines := []string{"Client-Cert: " + one, "Client-Cert-Chain: " + two}
		for _, a := range schemes {
			p, err := a.Authenticate(context.Background(), from(peer, nil, lines...))
			switch got := outcome(p, err); {
			case err == nil && p.ID() != "client.example":
				t.Errorf("%s by %q, %q", got, one, two)
			case err != nil && !strings.HasPrefix(got, "!") && got != "none":
				t.Errorf("%s for %q, %q", got, one, two)
			}
			if got := outcome(a.Authenticate(context.Background(), from(stranger, nil, lines...))); got != "none" {
				t.Errorf("%s for a stranger's %q, %q", got, one, two)
			}
		}
	})
}
