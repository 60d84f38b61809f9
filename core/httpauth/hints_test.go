package httpauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// informing is a scheme that everybody passes, with fields in the answer.
type informing struct{}

func (informing) Scheme() core.Scheme {
	return core.Scheme{
		Name: "Any", Sender: core.SentByClient, Vary: []string{"Authorization"}, Attempt: core.Unguessable,
		Inform: func(core.Request, *core.Principal, error) []core.Field {
			return []core.Field{{Name: "dpop-nonce", Value: "next"}, {Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}}
		},
	}
}

func (informing) Authenticate(context.Context, core.Request) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
}

func (informing) Challenges(core.Request, error) []challenge.Challenge {
	c, _ := challenge.New("Any") // a name that is one
	return []challenge.Challenge{c}
}

// TestFieldsAfterInformationalResponses: httputil.ReverseProxy clears the header after
// each informational response (RFC 9110 §15.2) that it passes on. What the gates and
// schemes have put there is in the final one all the same, and once.
func TestFieldsAfterInformationalResponses(t *testing.T) {
	g, err := core.NewGuard([]core.Authenticator{informing{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, hints := range []int{0, 1, 2} {
		for _, own := range []bool{false, true} {
			above := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for range hints {
					w.Header().Set("Link", "</style.css>")
					w.WriteHeader(http.StatusEarlyHints)
				}
				if own {
					w.Header().Set("Set-Cookie", "a=1")
					w.Header().Set("Vary", "Origin")
				}
				w.WriteHeader(http.StatusAccepted)
			}))
			defer above.Close()
			to, err := url.Parse(above.URL)
			if err != nil {
				t.Fatal(err)
			}
			proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
			for name, h := range map[string]http.Handler{
				"a gate":    httpauth.Authenticate(g)(proxy),
				"two gates": httpauth.Authenticate(g)(httpauth.Authenticate(g)(proxy)),
				"a gate and a writer": httpauth.Authenticate(g)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					proxy.ServeHTTP(around{w}, r)
				})),
			} {
				server := httptest.NewServer(h)
				defer server.Close()
				resp, err := http.Get(server.URL)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close() // nothing is read
				f := resp.Header
				cookies := slices.Compact(slices.Sorted(slices.Values(f.Values("Set-Cookie"))))
				if resp.StatusCode != http.StatusAccepted || !slices.Equal(f.Values("Dpop-Nonce"), []string{"next"}) || !slices.Equal(cookies, []string{"a=1", "b=2"}) ||
					f.Get("Cache-Control") != "private" || !strings.Contains(strings.Join(f.Values("Vary"), ","), "Authorization") {
					t.Errorf("%s, %d before, fields of its own: %v: %d %v", name, hints, own, resp.StatusCode, f)
				}
			}
		}
	}
}
