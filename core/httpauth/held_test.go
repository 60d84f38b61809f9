package httpauth_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

// around shows the writer that it wraps.
type around struct{ http.ResponseWriter }

func (w around) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestHeldHeaders: a handler that has asked for the header before a check refuses,
// and goes on to use it, adds neither fields nor trailers to the answer.
func TestHeldHeaders(t *testing.T) {
	g := quietGuard(t)
	same := func(h http.Handler) http.Handler { return h }
	holds := map[string]func(http.Handler) http.Handler{
		"nothing":        same,
		"a timeout":      func(h http.Handler) http.Handler { return http.TimeoutHandler(h, authtest.TimeLimit(time.Minute), "") },
		"another writer": wrapped,
	}
	for front, outer := range holds {
		for between, inner := range holds {
			for by, refuse := range refusals(g) {
				h := outer(httpauth.Authenticate(g)(inner(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					h := w.Header()
					h.Set("X-Early", "early")
					refuse(w, r)
					h.Set("X-Late", "late")
					h.Set("Cache-Control", "public")
					h.Del("X-Early")
					h.Set(http.TrailerPrefix+"X-Late", "late")
				}))))
				for _, protocol := range []int{1, 2} {
					server := httptest.NewUnstartedServer(h)
					server.EnableHTTP2 = protocol == 2
					server.StartTLS()
					r, err := http.NewRequest("GET", server.URL, nil)
					if err != nil {
						t.Fatal(err)
					}
					r.Header.Set("Authorization", "Bearer token")
					resp, err := server.Client().Do(r)
					if err != nil {
						t.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
					server.Close()
					what := fmt.Sprintf("%s by HTTP/%d, %s in front, %s between", by, resp.ProtoMajor, front, between)
					if resp.ProtoMajor != protocol || resp.StatusCode != http.StatusForbidden || resp.Header.Get("Cache-Control") != "no-store" {
						t.Errorf("%s: %d %v", what, resp.StatusCode, resp.Header)
					}
					if (resp.Header.Get("X-Early") == "") != (between == "a timeout") || resp.Header.Get("X-Late") != "" || resp.Trailer.Get("X-Late") != "" {
						t.Errorf("%s: header %v, trailer %v", what, resp.Header, resp.Trailer)
					}
				}
			}
		}
	}
}

// refusals are ways for a handler to have a request refused.
func refusals(g *core.Guard) map[string]func(w http.ResponseWriter, r *http.Request) {
	return map[string]func(w http.ResponseWriter, r *http.Request){
		"check": func(w http.ResponseWriter, r *http.Request) { _ = httpauth.Check(w, r, g, rule.Role("admin")) },
		"gate": func(w http.ResponseWriter, r *http.Request) {
			httpauth.Require(g, rule.Role("admin"))(http.NotFoundHandler()).ServeHTTP(w, r)
		},
	}
}

func wrapped(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(around{w}, r) })
}

// TestRefusalOfAnAbandonedHandler: a handler that a timeout has given up, and a check
// then refuses, touches nothing of what the server and the middlewares around it use.
func TestRefusalOfAnAbandonedHandler(t *testing.T) {
	g := quietGuard(t)
	late := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(late)
		<-r.Context().Done()
		_ = httpauth.Check(w, r, g, rule.Role("admin"))
	})
	h := httpauth.Authenticate(g)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Early", "early")
		http.TimeoutHandler(slow, time.Millisecond, "").ServeHTTP(w, r)
		for n := range 1000 {
			w.Header().Set(fmt.Sprintf("X-After-%d", n), "after")
		}
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer token")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	<-late
	if w.Code != http.StatusServiceUnavailable && w.Code != http.StatusForbidden { // whichever comes first
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
