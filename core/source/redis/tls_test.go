//go:build unix

package redis_test

import (
	"crypto/x509"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/redis"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// TestTLS: over TLS the suite passes with the authority of the server's certificate, and
// nothing is sent to a server with a certificate of another authority or for another
// name.
func TestTLS(t *testing.T) {
	server, ca := redistest.StartTLS(t)
	roots := authorities(t, ca)
	_, port, err := net.SplitHostPort(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
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
	_, err = open("127.0.0.1", "x").Fetch(t.Context(), source.State{})
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

// authorities returns those in a PEM file.
func authorities(t *testing.T, path string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s has no certificate", path)
	}
	return pool
}
