package core_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

func TestAPrincipalNeedsAnID(t *testing.T) {
	if p, err := core.NewPrincipal(core.PrincipalInfo{Roles: []string{"admin"}}); err == nil || p != nil {
		t.Errorf("an empty ID gave %v, %v", p, err)
	}
}

func TestPrincipalAccessors(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := newPrincipal(t, core.PrincipalInfo{
		ID: "alice", Scheme: "Bearer", Tenant: "acme", Roles: []string{"viewer", "editor", "viewer"},
		Scopes: []string{"a", "b"}, Claims: map[string]any{"plan": "pro", "null": nil}, AuthTime: when, Expires: when.Add(time.Hour),
	})
	if p.ID() != "alice" || p.Scheme() != "Bearer" || p.Tenant() != "acme" || !p.AuthTime().Equal(when) || !p.Expires().Equal(when.Add(time.Hour)) {
		t.Errorf("%+v", p)
	}
	if got := slices.Collect(p.Roles()); !slices.Equal(got, []string{"viewer", "editor"}) {
		t.Errorf("roles %q: each should come once", got)
	}
	if got := slices.Collect(p.Scopes()); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("scopes %q", got)
	}
	if got := slices.Sorted(p.Claims()); !slices.Equal(got, []string{"null", "plan"}) {
		t.Errorf("claims %q", got)
	}
	for role, want := range map[string]bool{"editor": true, "Editor": false, "": false, "edit": false} {
		if p.HasRole(role) != want {
			t.Errorf("HasRole(%q) is %v", role, !want)
		}
	}
	for scope, want := range map[string]bool{"a": true, "A": false, "a b": false, "": false} { // B12
		if p.HasScope(scope) != want {
			t.Errorf("HasScope(%q) is %v", scope, !want)
		}
	}
	if v, ok := p.Claim("plan"); v != "pro" || !ok {
		t.Errorf("plan is %v, %v", v, ok)
	}
	if v, ok := p.Claim("null"); v != nil || !ok {
		t.Errorf("null is %v, %v", v, ok)
	}
	if v, ok := p.Claim("Plan"); v != nil || ok {
		t.Errorf("Plan is %v, %v", v, ok)
	}
	for range p.Roles() {
		break // an early end must not panic
	}
}

// Invariant 9: what handlers and observers get does not change.
func TestAPrincipalIsImmutable(t *testing.T) {
	roles, scopes := []string{"viewer"}, []string{"read"}
	claims := func() map[string]any {
		return map[string]any{
			"list":    []any{"a", map[string]any{"deep": []any{"x"}}},
			"strings": []string{"a"},
			"map":     map[string]any{"k": []any{1.0}},
			"plain":   "text",
		}
	}
	given := claims()
	p := newPrincipal(t, core.PrincipalInfo{ID: "alice", Roles: roles, Scopes: scopes, Claims: given})

	roles[0], scopes[0] = "admin", "write"
	given["plain"] = "other"
	given["list"].([]any)[1].(map[string]any)["deep"].([]any)[0] = "changed"
	given["strings"].([]string)[0] = "changed"
	delete(given["map"].(map[string]any), "k")
	if !p.HasRole("viewer") || p.HasRole("admin") || !p.HasScope("read") || p.HasScope("write") {
		t.Error("roles or scopes changed with the caller's slices")
	}

	check := func(when string) {
		t.Helper()
		got := map[string]any{}
		for name := range p.Claims() {
			got[name], _ = p.Claim(name)
		}
		if want := claims(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s the claims are %v, want %v", when, got, want)
		}
	}
	check("after the caller's map changed")
	list, _ := p.Claim("list")
	list.([]any)[0] = "changed"
	list.([]any)[1].(map[string]any)["deep"] = nil
	strings, _ := p.Claim("strings")
	strings.([]string)[0] = "changed"
	object, _ := p.Claim("map")
	maps.DeleteFunc(object.(map[string]any), func(string, any) bool { return true })
	check("after a handler changed what it got")
}

// TestAnOwningPrincipalIsImmutable: it returns copies, although it does not copy what it is
// made of.
func TestAnOwningPrincipalIsImmutable(t *testing.T) {
	if _, err := core.NewPrincipalOwning(core.PrincipalInfo{}); err == nil {
		t.Error("an empty ID passes")
	}
	p, err := core.NewPrincipalOwning(core.PrincipalInfo{ID: "ann", Claims: map[string]any{
		"groups": []any{"staff"}, "address": map[string]any{"city": "Bern"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	groups, _ := p.Claim("groups")
	groups.([]any)[0] = "admins"
	address, _ := p.Claim("address")
	address.(map[string]any)["city"] = "Rome"
	groups, _ = p.Claim("groups")
	address, _ = p.Claim("address")
	if groups.([]any)[0] != "staff" || address.(map[string]any)["city"] != "Bern" {
		t.Errorf("%v %v", groups, address)
	}
}

// Roles are unique and in the order of their first occurrence, however many there are.
func TestRolesAreDistinct(t *testing.T) {
	for _, n := range []int{1, 16, 17, 2000} {
		var own, extra, want []string
		for i := range n {
			own = append(own, fmt.Sprint("own", i), fmt.Sprint("own", i/2))
			extra = append(extra, fmt.Sprint("extra", i), fmt.Sprint("own", i), fmt.Sprint("extra", i/2))
		}
		for _, role := range append(slices.Clone(own), extra...) {
			if !slices.Contains(want, role) {
				want = append(want, role)
			}
		}
		s := newScheme(t, "Basic")
		s.answers["alice"] = answer{p: newPrincipal(t, core.PrincipalInfo{ID: "alice", Roles: own})}
		g, _ := newGuard(t, []core.Authenticator{s}, core.WithRoles(&roles{of: map[string][]string{"alice": extra}}))
		v := mounted(t)(g.Authenticate()).Check(t.Context(), get("/", "Authorization: Basic alice"))
		p, _ := core.PrincipalFrom(v.Context)
		if got := slices.Collect(p.Roles()); !slices.Equal(got, want) {
			t.Errorf("%d: %d roles, want %d", n, len(got), len(want))
		}
	}
}

// The roles of a principal that a scheme keeps are those that its policy gives it now.
func TestAddedRolesAreThoseOfNow(t *testing.T) {
	source := &roles{of: map[string][]string{"alice": {"editor"}}}
	s := newScheme(t, "Basic")
	s.answers["alice"] = answer{p: newPrincipal(t, core.PrincipalInfo{ID: "alice", Scheme: "Basic"})} // which is not copied
	g, _ := newGuard(t, []core.Authenticator{s}, core.WithRoles(source))
	gate := mounted(t)(g.Require(needs{"editor"}))
	for _, role := range []string{"editor", "reader", "editor"} {
		source.of["alice"] = []string{role}
		v := gate.Check(t.Context(), get("/", "Authorization: Basic alice"))
		if passes := v.Response == nil; passes != (role == "editor") {
			t.Errorf("as %s: passes %v", role, passes)
		}
	}
}

func TestTenantsOfAPrincipalAreCopies(t *testing.T) {
	tenants := []string{"north"}
	p := newPrincipal(t, core.PrincipalInfo{ID: "alice", Tenants: tenants})
	tenants[0] = "south"
	for tenant := range p.Tenants() {
		if tenant != "north" {
			t.Errorf("tenant %q", tenant)
		}
	}
}
