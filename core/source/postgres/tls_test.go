//go:build unix

package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

// authority signs the certificates of servers.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve restarts a server with a certificate for an address or a name.
func (a *authority) serve(t *testing.T, server *postgrestest.Server, ip net.IP, name string) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert, file := filepath.Join(server.Dir(), "server.pem"), filepath.Join(server.Dir(), "server.key")
	writePEM(t, cert, "CERTIFICATE", der)
	writePEM(t, file, "PRIVATE KEY", private)
	server.Own(cert)
	server.Own(file)
	server.Restart("ssl=on", "ssl_cert_file="+cert, "ssl_key_file="+file)
}

// encrypted: connections are made only to a server that the authority vouches for.
func encrypted(t *testing.T, server *postgrestest.Server) {
	known, other := newAuthority(t), newAuthority(t)
	fetch := func(a *authority) error {
		s := opened(t, server.URL("sallyport")+"&sslmode=verify-full&sslrootcert="+a.file, postgres.WithName("tls"))
		_, err := s.Fetch(t.Context(), source.State{})
		return err
	}
	known.serve(t, server, net.IPv4(127, 0, 0, 1), "")
	if err := fetch(known); !errors.Is(err, source.ErrEmpty) {
		t.Errorf("a server with a good certificate: %v, want ErrEmpty", err)
	}
	oneConnection(t, server, "one-tls", "sslmode=verify-full&sslrootcert="+known.file)
	var unknown x509.UnknownAuthorityError
	if err := fetch(other); !errors.As(err, &unknown) {
		t.Errorf("a server with a certificate of another authority: %v", err)
	}
	known.serve(t, server, nil, "db.example")
	var name x509.HostnameError
	if err := fetch(known); !errors.As(err, &name) {
		t.Errorf("a server with a certificate for another name: %v", err)
	}
	server.Restart()
	if err := fetch(known); err == nil || errors.Is(err, source.ErrEmpty) {
		t.Errorf("a server without TLS: %v", err)
	}
}
