package redis_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/redis"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// TestTLS: over TLS the suite passes with the authority that has signed the
// server's certificate, and nothing is said to a server that another one has, or
// that has another name.
func TestTLS(t *testing.T) {
	port := authtest.FreePort(t)
	cert, key, roots := certificate(t)
	redistest.Start(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no")
	open := func(host, name string, opts ...redis.Option) *redis.Store {
		t.Helper()
		s, err := redis.New("rediss://"+host+":"+port, append(opts, redis.WithName(name))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	sourcetest.Run(t, func(_ *testing.T, name string) source.Store {
		return open("127.0.0.1", name, redis.WithRootCAs(roots))
	})
	_, err := open("127.0.0.1", "x").Fetch(t.Context(), source.State{})
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) {
		t.Errorf("an authority that is not trusted: %v", err)
	}
	_, err = open("localhost", "x", redis.WithRootCAs(roots)).Fetch(t.Context(), source.State{})
	if wrong := (x509.HostnameError{}); !errors.As(err, &wrong) {
		t.Errorf("a certificate for another name: %v", err)
	}
	if _, err := redis.New("redis://127.0.0.1:"+port, redis.WithRootCAs(roots)); err == nil {
		t.Error("authorities without TLS: no error")
	}
	if _, err := redis.New("rediss://127.0.0.1:"+port, redis.WithRootCAs(nil)); err == nil {
		t.Error("no pool: no error")
	}
}

// certificate is one for 127.0.0.1 in files, and who has signed it.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil) // which has one
	defer s.Close()
	pair := s.TLS.Certificates[0]
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	dir := t.TempDir()
	save := func(name, kind string, der []byte, err error) string {
		path := filepath.Join(dir, name)
		if err == nil {
			err = os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	return save("cert.pem", "CERTIFICATE", pair.Certificate[0], nil), save("key.pem", "PRIVATE KEY", der, err), roots
}
