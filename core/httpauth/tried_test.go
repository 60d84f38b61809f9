package httpauth_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// TestRefusalsWhateverIsTried: what a handler tries with the response before a refusal,
// or after one, leaves the refusal as it is, unless it has sent the header before: then
// nothing is added to that.
func TestRefusalsWhateverIsTried(t *testing.T) {
	g := quietGuard(t)
	tries := map[string]func(w http.ResponseWriter){
		"nothing": func(http.ResponseWriter) {},
		"flush":   func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"hijack":  func(w http.ResponseWriter) { _, _, _ = http.NewResponseController(w).Hijack() },
		"hints":   func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) },
		"unwrap":  func(w http.ResponseWriter) { _, _ = io.WriteString(innermost(w), "late") },
	}
	between := map[string]httpauth.Middleware{
		"nothing": func(h http.Handler) http.Handler { return h }, "another writer": wrapped,
	}
	for _, protocol := range []int{1, 2} {
		mux := http.NewServeMux()
		server := httptest.NewUnstartedServer(httpauth.Authenticate(g)(mux))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.EnableHTTP2 = protocol == 2
		server.StartTLS()
		defer server.Close()
		for what, try := range tries {
			for by, refuse := range refusals(g) {
				for inner, wrap := range between {
					for _, before := range []bool{true, false} {
						if before && (what == "hijack" && protocol == 1 || what == "unwrap") {
							continue // the connection or the response is the handler's
						}
						name := fmt.Sprintf("%s by HTTP/%d, %s between, %s, before: %v", by, protocol, inner, what, before)
						path := "/" + strings.NewReplacer(" ", "-", "/", "-").Replace(name)
						mux.Handle(path, wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if before {
								try(w)
								refuse(w, r)
							} else {
								refuse(w, r)
								try(w)
							}
						})))
						status, body, err := fetch(server, path)
						sent := what == "flush" && before
						if err != nil || (status == http.StatusOK) != sent || !sent && (status != http.StatusForbidden || !strings.Contains(body, core.CodeForbidden)) || sent && body != "" {
							t.Errorf("%s: %d %q, %v", name, status, body, err)
						}
					}
				}
			}
		}
	}
}

// innermost returns the innermost writer that w shows.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = below.Unwrap()
	}
}

// counting is a response that counts what reaches it.
type counting struct {
	*httptest.ResponseRecorder
	writes, flushes, pushes int
	statuses                []int
}

func (c *counting) WriteHeader(status int) {
	c.statuses = append(c.statuses, status)
	c.ResponseRecorder.WriteHeader(status)
}

func (c *counting) Write(b []byte) (int, error) {
	c.writes++
	return c.ResponseRecorder.Write(b)
}

func (c *counting) Flush() { c.flushes++ }

func (c *counting) Push(string, *http.PushOptions) error {
	c.pushes++
	return nil
}

// TestNothingReachesAnEndedResponse: after a refusal nothing is pushed, a handler that is
// still running when the response belongs to nobody any more flushes nothing, and an
// answer without a body is not written to, since compressors would make one. A middleware
// between sees the status.
func TestNothingReachesAnEndedResponse(t *testing.T) {
	g, err := quietGuard(t).With(core.WithResponder(core.ResponderFunc(func(_ core.Request, d *core.Denial) core.Response {
		return core.Response{Status: d.Kind.Status()}
	})))
	if err != nil {
		t.Fatal(err)
	}
	for by, refuse := range refusals(g) {
		for _, direct := range []bool{true, false} {
			var kept http.ResponseWriter
			front, between := &counting{ResponseRecorder: httptest.NewRecorder()}, &counting{ResponseRecorder: httptest.NewRecorder()}
			h := httpauth.Authenticate(g)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if kept = w; !direct {
					w = between
				}
				refuse(w, r)
				if p, ok := kept.(http.Pusher); !ok || p.Push("/late", nil) == nil {
					t.Errorf("%s: pushed after the refusal", by)
				}
			}))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer token")
			h.ServeHTTP(front, r)
			_ = http.NewResponseController(kept).Flush()
			if front.Code != http.StatusForbidden || front.writes+front.flushes+front.pushes > 0 {
				t.Errorf("%s, direct %v: %d, %d writes, %d flushes, %d pushes", by, direct, front.Code, front.writes, front.flushes, front.pushes)
			}
			if !direct && (len(between.statuses) != 1 || between.statuses[0] != http.StatusForbidden) {
				t.Errorf("%s: the middleware between sees %v", by, between.statuses)
			}
		}
	}
}

// fetch asks for a path with a token.
func fetch(server *httptest.Server, path string) (status int, body string, err error) {
	r, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer token")
	resp, err := server.Client().Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}
