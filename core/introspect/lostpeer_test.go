package introspect_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/pipenet"
	"github.com/sallyport-go/sallyport/core/introspect"
)

// TestLostConnection: a connection that a firewall has forgotten is not used for a quarter
// of an hour while the server answers on new ones.
func TestLostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.Serve(http.HandlerFunc(says(good())))
		defer n.Close()
		transport := introspect.NewTransport().(*http.Transport)
		n.Use(transport)
		v, c := newVerifier(t, "http://127.0.0.1/", introspect.WithTransport(transport), introspect.WithCacheTTL(0))
		defer v.Close()
		if _, err := v.VerifyToken(t.Context(), "opaque"); err != nil {
			t.Fatal(err)
		}
		n.Lose()
		lost := time.Now()
		for i := 0; ; i++ {
			_, err := v.VerifyToken(t.Context(), strconv.Itoa(i))
			if err == nil {
				break
			}
			if time.Since(lost) > 20*time.Second {
				t.Fatalf("after %v: %v", time.Since(lost), err)
			}
			time.Sleep(time.Second)
			c.advance(time.Second)
		}
		if dialed := n.Dialed(); dialed != 2 {
			t.Errorf("%d connections", dialed)
		}
	})
}
