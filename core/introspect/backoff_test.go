package introspect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
)

// failing is an endpoint that fails on demand.
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

// asking is a verifier with the given transport.
func asking(t *testing.T, transport http.RoundTripper) *introspect.Verifier {
	t.Helper()
	v, err := introspect.New("https://issuer.example/introspect", introspect.Secret("api", "secret"),
		introspect.WithoutIssuer(), introspect.WithoutAudience(), introspect.WithTransport(transport))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestOutage: a failing endpoint is not called for each request, and works as before
// within a second of its recovery.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(failing)
		v := asking(t, f)
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

// answering is a transport whose answers depend on the token.
type answering func(token string) (status int, retryAfter string)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	status, retryAfter := a(r.PostForm.Get("token"))
	resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"active":false}`))}
	if retryAfter != "" {
		resp.Header.Set("Retry-After", retryAfter)
	}
	return resp, nil
}

// TestUnacceptedTokensAreNotAnOutage: tokens that the endpoint, or a proxy in front of
// it, refuses as requests do not stop the calls for other tokens.
func TestUnacceptedTokensAreNotAnOutage(t *testing.T) {
	for status, outage := range map[int]bool{400: false, 403: false, 404: false, 413: false, 500: false, 429: true, 502: true, 503: true, 504: true} {
		v, _ := newVerifier(t, "https://issuer.example/introspect", introspect.WithTransport(answering(func(token string) (int, string) {
			if strings.HasPrefix(token, "../") {
				return status, ""
			}
			return http.StatusOK, ""
		})))
		for n := range 10 {
			_, err := v.VerifyToken(t.Context(), fmt.Sprint("../", n))
			unavailable(t, err)
		}
		_, err := v.VerifyToken(t.Context(), "unknown")
		if outage {
			unavailable(t, err)
		} else {
			refusedFor(t, err, introspect.ReasonInactive)
		}
	}
}

// TestRetryAfterOutlivesOtherAnswers: a Retry-After holds even if a pending answer
// arrives later.
func TestRetryAfterOutlivesOtherAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := asking(t, answering(func(token string) (int, string) {
			if token == "slow" {
				time.Sleep(2 * time.Second)
				return http.StatusOK, ""
			}
			time.Sleep(time.Second)
			return http.StatusTooManyRequests, "30"
		}))
		var wait sync.WaitGroup
		for _, token := range []string{"slow", "a", "b", "c", "d", "e"} {
			wait.Go(func() { _, _ = v.VerifyToken(t.Context(), token) })
		}
		wait.Wait()
		_, err := v.VerifyToken(t.Context(), "f")
		if got := unavailable(t, err).RetryAfter; got != 29*time.Second {
			t.Errorf("wait %v, want 29 s", got)
		}
	})
}

// TestAbandonedTryDoesNotBlock: a call that ends before it reached a failing server does
// not prevent the next one.
func TestAbandonedTryDoesNotBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var well, silent atomic.Bool
		v, err := introspect.New("https://issuer.example/introspect", introspect.Token(func(context.Context) (string, error) {
			if silent.Load() {
				panic("no token")
			}
			return "own", nil
		}), introspect.WithoutIssuer(), introspect.WithoutAudience(), introspect.WithTransport(answering(func(string) (int, string) {
			if well.Load() {
				return http.StatusOK, ""
			}
			return http.StatusServiceUnavailable, ""
		})))
		if err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			_, err := v.VerifyToken(t.Context(), fmt.Sprint(n))
			unavailable(t, err)
		}
		_, err = v.VerifyToken(t.Context(), "in the pause")
		unavailable(t, err)
		time.Sleep(50 * time.Millisecond)
		well.Store(true)
		silent.Store(true)
		if _, err = v.VerifyToken(t.Context(), "not asked"); err == nil {
			t.Fatal("it was called")
		}
		silent.Store(false)
		_, err = v.VerifyToken(t.Context(), "asked")
		refusedFor(t, err, introspect.ReasonInactive)
	})
}

// TestFailuresAtOnceMakeAShortPause: concurrent calls that fail together cause the first
// pause, not the longest.
func TestFailuresAtOnceMakeAShortPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(failing)
		v := asking(t, f)
		var wait sync.WaitGroup
		for n := range 60 {
			wait.Go(func() { _, _ = v.VerifyToken(t.Context(), fmt.Sprint(n)) })
		}
		wait.Wait()
		f.well.Store(true)
		time.Sleep(50 * time.Millisecond)
		_, err := v.VerifyToken(t.Context(), "next")
		refusedFor(t, err, introspect.ReasonInactive)
	})
}
