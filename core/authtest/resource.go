package authtest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var resourceCases = map[string]func(*testing.T, Framework){
	"matched route and canonical path": matchedRoute,
}

// matchedRoute checks what policies see, wherever the gate is mounted.
func matchedRoute(t *testing.T, f Framework) {
	g, rec := guard(t, core.WithAuthorizer(AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) {
		return core.Decision{Allowed: true}, nil
	})))
	gate := []Gate{{Kind: "Authorize", Guard: g}}
	get := []string{"GET", "HEAD"}
	for _, at := range []struct {
		name string
		app  App
	}{
		{"route", App{Routes: []Route{{Group: "/api", Pattern: "/things/:id", Methods: get, Gates: gate, Handler: ok}}}},
		{"group", App{Routes: []Route{{Group: "/api", Pattern: "/things/:id", Methods: get, GroupGates: gate, Handler: ok}}}},
		{"mounted", App{Routes: []Route{{Group: "/api", Mounted: true, Pattern: "/things/:id", Methods: get, GroupGates: gate, Handler: ok}}}},
		{"app", App{Use: gate, Routes: []Route{{Group: "/api", Pattern: "/things/:id", Methods: get, Handler: ok}}}},
	} {
		t.Run(at.name, func(t *testing.T) {
			addr := f.Start(t, at.app)
			a := Send(t, addr, Request("GET", "/api/things/A%20b?q=1", "Authorization: Name alice"))
			if a.Status != 200 {
				t.Fatalf("status %d: %s", a.Status, a.Body)
			}
			e := rec.Last(t)
			if e.Resource != "/api/things/A b" {
				t.Errorf("resource %q", e.Resource)
			}
			if at.name == "app" && f.Name == "net/http" {
				return // around a whole ServeMux the pattern is unknown
			}
			if want := map[bool]string{true: "/api/things/{id}", false: "/api/things/:id"}[f.Name == "net/http"]; e.Route != want {
				t.Errorf("route %q, want %q", e.Route, want)
			}
		})
	}
}
