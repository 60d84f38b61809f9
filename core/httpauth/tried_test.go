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
						if what == "hijack" && before && protocol == 1 {
							continue // the connection is the handler's
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
