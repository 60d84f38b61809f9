package introspect_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
)

// failing is an endpoint that fails until it does no longer.
type failing struct {
	well  atomic.Bool
	asked atomic.Int32
}

func (f *failing) RoundTrip(*http.Request) (*http.Response, error) {
	f.asked.Add(1)
	time.Sleep(10 * time.Millisecond)
	if !f.well.Load() {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"active":false}`))}, nil
}

// TestOutage: an endpoint that fails is not asked for each request, and is as before
// within a second after it is back.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(failing)
		v, err := introspect.New("https://issuer.example/introspect", introspect.Secret("api", "secret"),
			introspect.WithoutIssuer(), introspect.WithoutAudience(), introspect.WithTransport(f))
		if err != nil {
			t.Fatal(err)
		}
		const each = 5 * time.Millisecond
		ask := func(what string, during time.Duration, end func(error) bool) {
			for n := range int(during / each) {
				at := time.Now()
				_, err := v.VerifyToken(t.Context(), fmt.Sprint(what, n))
				if end(err) {
					return
				}
				time.Sleep(each - time.Since(at)%each)
			}
		}
		ask("during", 10*time.Second, func(err error) bool {
			var away *core.UnavailableError
			if !errors.As(err, &away) || away.RetryAfter > time.Second {
				t.Errorf("while it fails: %v", err)
			}
			return false
		})
		if n := f.asked.Load(); n < 10 || n > 40 {
			t.Errorf("%d calls in 10 s, want between 10 and 40", n)
		}
		f.well.Store(true)
		back := time.Now()
		var bad *core.CredentialError
		ask("after", 10*time.Second, func(err error) bool { return errors.As(err, &bad) })
		if took := time.Since(back); bad == nil || took > time.Second+20*time.Millisecond {
			t.Errorf("after %v: %v", took, bad)
		}
		before := f.asked.Load()
		for n := range 5 {
			_, _ = v.VerifyToken(t.Context(), fmt.Sprint("well", n))
		}
		if n := f.asked.Load() - before; n != 5 {
			t.Errorf("%d calls for 5 tokens", n)
		}
	})
}
