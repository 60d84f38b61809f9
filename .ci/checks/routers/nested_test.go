package routers_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// model compares routes as they were registered, letter by letter.
const model = `[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
`

// nested are ways to mount a gate and two routes, for /api/file.txt and for
// /api/admin/users, and what the first is called where the gate knows.
var nested = []struct {
	name  string
	files string // "" where the gate cannot know
	build func(gate httpauth.Middleware, serve http.Handler) http.Handler
}{
	{"chi: With on each route", "/api/{file}", func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Route("/api", func(r chi.Router) {
			r.With(gate).Handle("/{file}", serve)
			r.With(gate).Handle("/admin/users", serve)
		})
		return r
	}},
	{"chi: Use in Route", "", func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Route("/api", func(r chi.Router) {
			r.Use(gate)
			r.Handle("/{file}", serve)
			r.Handle("/admin/users", serve)
		})
		return r
	}},
	{"chi: Use in Group", "/api/{file}", func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Group(func(r chi.Router) {
			r.Use(gate)
			r.Handle("/api/{file}", serve)
			r.Handle("/api/admin/users", serve)
		})
		return r
	}},
	{"chi: Use at the top", "", func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Use(gate)
		r.Handle("/api/{file}", serve)
		r.Handle("/api/admin/users", serve)
		return r
	}},
	{"chi: Use in a mounted router", "", func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		r, api := chi.NewRouter(), chi.NewRouter()
		api.Use(gate)
		api.Handle("/{file}", serve)
		api.Handle("/admin/users", serve)
		r.Mount("/api", api)
		return r
	}},
	{"chi: With around a mounted router", "", func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		r, api := chi.NewRouter(), chi.NewRouter()
		api.Handle("/{file}", serve)
		api.Handle("/admin/users", serve)
		r.With(gate).Mount("/api", api)
		return r
	}},
	{"chi: With on a catch-all", "", func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		r := chi.NewRouter()
		r.With(gate).Handle("/api/*", serve)
		r.With(gate).Handle("/api/admin/users", serve)
		return r
	}},
	{"ServeMux in a ServeMux, gates on routes", "/api/{file}", func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		mux, api := http.NewServeMux(), http.NewServeMux()
		api.Handle("/api/{file}", gate(serve))
		api.Handle("/api/admin/users", gate(serve))
		mux.Handle("/api/", api)
		return mux
	}},
	{"ServeMux in a ServeMux, gate around the inner one", "", inner("/api/")},
	{"ServeMux in a ServeMux, gate around the inner one by a wildcard", "", inner("/api/{rest...}")},
	{"ServeMux for a host in a ServeMux, gate around the inner one", "", inner("127.0.0.1/api/")},
}

func inner(pattern string) func(httpauth.Middleware, http.Handler) http.Handler {
	return func(gate httpauth.Middleware, serve http.Handler) http.Handler {
		mux, api := http.NewServeMux(), http.NewServeMux()
		api.Handle("/api/{file}", serve)
		api.Handle("/api/admin/users", serve)
		mux.Handle(pattern, gate(api))
		return mux
	}
}

// TestNestedRouters: invariant 8. A pattern that covers what another router will
// match is no match, so a rule for it opens nothing behind it.
func TestNestedRouters(t *testing.T) {
	for _, tt := range nested {
		t.Run(tt.name, func(t *testing.T) {
			policy := filepath.Join(t.TempDir(), "policy.csv")
			rules := "p, erin, /api/{file}, GET\np, erin, /api/*, GET\np, erin, /api/, GET\np, erin, /api/{rest...}, GET\np, erin, /*, GET\n"
			if err := os.WriteFile(policy, []byte(rules), 0o600); err != nil {
				t.Fatal(err)
			}
			a, err := casbinrules.Open(casbinrules.ModelText("model.conf", model), []string{policy}, casbinrules.WithRouteAsObject())
			if err != nil {
				t.Fatal(err)
			}
			rec := new(authtest.Recorder)
			g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithAuthorizer(a), core.WithObserver(rec))
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(tt.build(httpauth.Authorize(g), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "served by "+r.Pattern)
			})))
			defer server.Close()
			want := http.StatusForbidden
			if tt.files != "" {
				want = http.StatusOK
			}
			if status := get(t.Context(), t, server.URL+"/api/file.txt"); status != want || rec.Last(t).Route != tt.files {
				t.Errorf("/api/file.txt: %d, route %q", status, rec.Last(t).Route)
			}
			if want == http.StatusForbidden && rec.Last(t).Reason != casbinrules.ReasonNoObject {
				t.Errorf("reason %s", rec.Last(t).Reason)
			}
			if status := get(t.Context(), t, server.URL+"/api/admin/users"); status != http.StatusForbidden {
				t.Errorf("/api/admin/users: %d %v", status, rec.Last(t))
			}
		})
	}
}

func get(ctx context.Context, t *testing.T, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Name erin")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
