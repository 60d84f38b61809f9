//go:build unix

package redisstate_test

import (
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// TestTLS: sessions are stored over TLS with the authority of the server's certificate,
// and without it nothing is sent to the server.
func TestTLS(t *testing.T) {
	t.Parallel()
	server, ca := redistest.StartTLS(t)
	text, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	handle := func(opts ...redisstate.Option) *redisstate.State {
		t.Helper()
		s, err := redisstate.New(server.URL(), append(opts, redisstate.WithTimeout(min(authtest.TimeLimit(5*time.Second), 10*time.Second)))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	sessiontest.RunStore(t, func(*testing.T) session.ContextStore { return handle(redisstate.WithRootCAs(roots)).Sessions() })
	_, _, err = handle().Sessions().Find("x")
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) {
		t.Errorf("an authority that is not trusted: %v", err)
	}
	_, err = redisstate.New(strings.Replace(server.URL(), "rediss", "redis", 1), redisstate.WithRootCAs(roots))
	if err == nil || !strings.Contains(err.Error(), "rediss://") {
		t.Errorf("authorities without TLS: %v", err)
	}
}
