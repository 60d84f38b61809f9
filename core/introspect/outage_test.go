package introspect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
)

func TestOutagesAreUnavailable(t *testing.T) { // invariant 4
	elsewhere := newEndpoint(t, says(good()))
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"401", fails(401, ""), "check its credentials"},
		{"403", fails(403, ""), "check its credentials"},
		{"400", fails(400, ""), "answers 400"},
		{"404", fails(404, ""), "answers 404"},
		{"500", fails(500, ""), "answers 500"},
		{"201", fails(201, ""), "answers 201"},
		{"no content", fails(204, ""), "answers 204"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "redirects with 307"},
		{"page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, good()) }, "not application/json"},
		{"slow", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // the end of the connection is only seen after it
			<-r.Context().Done()
		}, "deadline"},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"active":true`)
		}, "EOF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			timeout := time.Minute // the maximum
			if tc.name == "slow" {
				timeout = 200 * time.Millisecond
			}
			e := newEndpoint(t, tc.answer)
			v, _ := newVerifier(t, e.URL, introspect.WithTimeout(timeout))
			_, err := v.VerifyToken(t.Context(), "opaque")
			if unavailable(t, err); !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q in it", err, tc.want)
			}
		})
	}
	t.Run("unreachable", func(t *testing.T) {
		v, _ := newVerifier(t, closed.URL+"?key=private")
		_, err := v.VerifyToken(t.Context(), "opaque")
		if unavailable(t, err); strings.Contains(err.Error(), "private") {
			t.Errorf("the error contains the address: %v", err)
		}
	})
	t.Run("no token of its own", func(t *testing.T) {
		for _, source := range []func(context.Context) (string, error){
			func(context.Context) (string, error) { return "", errors.New("down") },
			func(context.Context) (string, error) { return "a\r\nb", nil },
		} {
			v, err := introspect.New(elsewhere.URL, introspect.Token(source), introspect.WithoutIssuer(), introspect.WithoutAudience())
			if err != nil {
				t.Fatal(err)
			}
			_, err = v.VerifyToken(t.Context(), "opaque")
			unavailable(t, err)
		}
	})
	if n := elsewhere.asked.Load(); n != 0 {
		t.Errorf("%d tokens went elsewhere", n)
	}
}

func TestRetryAfterIsRespected(t *testing.T) { // RFC 9110 §10.2.3
	for _, tc := range []struct {
		name, field string
		wait        time.Duration
	}{
		{"seconds", "7", 7 * time.Second},
		{"date", start.Add(9 * time.Second).Format(http.TimeFormat), 9 * time.Second},
		{"too long", "86400", time.Minute},
		{"more than a number holds", "99999999999999999999", 0},
		{"past", start.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"garbage", "soon", 0},
		{"none", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEndpoint(t, fails(http.StatusTooManyRequests, tc.field))
			v, c := newVerifier(t, e.URL)
			_, err := v.VerifyToken(t.Context(), "a")
			if got := unavailable(t, err).RetryAfter; got != tc.wait {
				t.Errorf("wait %v, want %v", got, tc.wait)
			}
			if tc.wait == 0 {
				return
			}
			e.set(says(good()))
			c.advance(tc.wait - time.Second)
			_, err = v.VerifyToken(t.Context(), "b")
			if got := unavailable(t, err).RetryAfter; got != time.Second || e.asked.Load() != 1 {
				t.Errorf("meanwhile: wait %v, asked %d times", got, e.asked.Load())
			}
			c.advance(time.Second)
			if _, err := v.VerifyToken(t.Context(), "b"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestAPanicIsAFault(t *testing.T) {
	v, err := introspect.New("https://issuer.example/introspect",
		introspect.Token(func(context.Context) (string, error) { panic("source") }), introspect.WithoutIssuer(), introspect.WithoutAudience())
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.VerifyToken(t.Context(), "opaque")
	var internal *core.InternalError
	var panicked *core.PanicError
	if !errors.As(err, &internal) || !errors.As(err, &panicked) || panicked.Value != "source" || len(panicked.Stack) == 0 {
		t.Errorf("error %v", err)
	}
}
