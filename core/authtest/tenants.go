package authtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var tenantCases = []testCase{
	{"the tenant is that of the request", requestTenants},
	{"a foreign tenant is refused in every spelling", foreignTenants},
}

// members defines the members of tenants. Credentials name two tenants for ada, and limit
// bob, an admin, to the north; cy is a member of the south by roles only.
type members struct{ Names }

func (m members) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	p, err := m.Names.Authenticate(ctx, r)
	if err != nil {
		return nil, err
	}
	info := core.PrincipalInfo{ID: p.ID()}
	switch p.ID() {
	case "ada":
		info.Tenants, info.Roles = []string{"north", "south"}, []string{"reader"}
	case "bob":
		info.Tenant, info.Tenants, info.Roles = "north", []string{"south"}, []string{"admin"}
	}
	return core.NewPrincipal(info)
}

// tenantRoles gives cy a role in the south, and everyone in the south an additional one.
type tenantRoles struct{}

func (tenantRoles) RolesOf(_ context.Context, p *core.Principal) ([]string, error) {
	switch {
	case p.Tenant() != "south" || p.ID() == "dan":
		return nil, nil
	case p.ID() == "cy":
		return []string{"reader"}, nil
	}
	return []string{"southern"}, nil
}

// tenantSources are the ways to name a tenant, with a request for each.
var tenantSources = []struct {
	name    string
	source  core.TenantSource
	request func(tenant string) (target string, lines []string)
	vary    string
}{
	{"path", core.TenantFromPath("/t/:tenant"), func(tenant string) (string, []string) {
		if tenant == "" {
			return "/none", nil
		}
		return "/t/" + tenant + "/door", nil
	}, "authorization"},
	{"host", core.TenantFromHost("app.example"), func(tenant string) (string, []string) {
		if tenant == "" {
			return "/none", []string{"Host: app.example"}
		}
		return "/none", []string{"Host: " + tenant + ".app.example:8080"}
	}, "authorization"},
	{"header", core.TenantFromHeader("X-Tenant"), func(tenant string) (string, []string) {
		if tenant == "" {
			return "/none", nil
		}
		return "/none", []string{"X-Tenant: " + tenant}
	}, "authorization x-tenant"},
}

// tenantDoor serves an app that answers with the tenant and the roles of the principal.
func tenantDoor(t *testing.T, f Framework, use, gates []Gate) string {
	t.Helper()
	handler := func(x Exchange) error {
		p := x.Principal()
		return x.Text(http.StatusOK, p.Tenant()+" "+strings.Join(slices.Sorted(p.Roles()), ","))
	}
	get := []string{"GET"}
	return f.Start(t, App{Use: use, Routes: []Route{
		{Pattern: "/t/:tenant/door", Methods: get, Gates: gates, Handler: handler},
		{Pattern: "/none", Methods: get, Gates: gates, Handler: handler},
	}})
}

// requestTenants checks that, whatever names the tenant and wherever the gates are, rules
// and handlers see the principal within the tenant of the request, with its roles there.
func requestTenants(t *testing.T, f Framework) {
	want := map[string]map[string]string{ // by user and tenant; "" is 403
		"ada": {"north": "north reader", "south": "south reader,southern", "east": "", "none": " reader"},
		"bob": {"north": "north admin", "south": "south southern", "east": "", "none": " "},
		"cy":  {"north": "", "south": "south reader", "east": "", "none": " "},
		"dan": {"north": "", "south": "", "east": "", "none": " "},
	}
	for _, s := range tenantSources {
		g, rec := guardOf(t, []core.Authenticator{members{}}, core.WithTenant(s.source), core.WithRoles(tenantRoles{}))
		gate := Gate{Kind: "Authenticate", Guard: g}
		for place, addr := range map[string]string{
			"route":         tenantDoor(t, f, nil, []Gate{gate}),
			"app":           tenantDoor(t, f, []Gate{gate}, nil),
			"app and route": tenantDoor(t, f, []Gate{{Kind: "Optional", Guard: g}}, []Gate{gate, gate}),
		} {
			for who, tenants := range want {
				for tenant, body := range tenants {
					target, lines := s.request(strings.TrimPrefix(tenant, "none"))
					a := sendAs(t, addr, target, who, lines)
					switch {
					case body == "" && (a.Status != http.StatusForbidden || rec.Last(t).Reason != core.ReasonForeignTenant || a.Header.Get("WWW-Authenticate") != ""):
						t.Errorf("%s, gate on %s: %s for %s: %d %s", s.name, place, who, tenant, a.Status, a.Body)
					case body == "" && !strings.Contains(fmt.Sprint(rec.Last(t).Cause), strconv.Quote(tenant)):
						t.Errorf("%s, gate on %s: %s for %s: cause %v", s.name, place, who, tenant, rec.Last(t).Cause)
					case body != "" && (a.Status != http.StatusOK || a.Body != body):
						t.Errorf("%s, gate on %s: %s for %s: %d %q, want %q", s.name, place, who, tenant, a.Status, a.Body, body)
					}
					if a.vary() != s.vary {
						t.Errorf("%s, gate on %s: Vary %q, want %q", s.name, place, a.vary(), s.vary)
					}
				}
			}
		}
	}
}

// sendAs sends a request with the credentials of who. A Host line in lines replaces the
// default.
func sendAs(t *testing.T, addr, target, who string, lines []string) Answer {
	t.Helper()
	host := "Host: localhost"
	if len(lines) > 0 && strings.HasPrefix(lines[0], "Host: ") {
		host, lines = lines[0], lines[1:]
	}
	all := append([]string{"GET " + target + " HTTP/1.1", host, "Connection: close", as(who)}, lines...)
	return Send(t, addr, strings.Join(all, "\n"))
}

// foreignTenants checks that bob, a member of the north only, reaches no handler for
// another tenant, however the request is written.
func foreignTenants(t *testing.T, f Framework) {
	reached := ""
	for _, s := range tenantSources {
		g, _ := guardOf(t, []core.Authenticator{members{}}, core.WithTenant(s.source))
		gates := []Gate{{Kind: "Authenticate", Guard: g}}
		handler := func(x Exchange) error {
			reached = strings.Clone(x.Param("tenant"))
			return ok(x)
		}
		addr := f.Start(t, App{Routes: []Route{
			{Pattern: "/t/:tenant/door", Methods: []string{"GET"}, Gates: gates, Handler: handler},
			{Pattern: "/t/:tenant", Methods: []string{"GET"}, Gates: gates, Handler: handler},
		}})
		for _, target := range []string{
			"/t/east/door", "/T/east/door", "/t/EAST/door", "/t/%65ast/door", "/t/east%2Fx/door", "/t/east/", "/t/east", "/t//east/door",
			"/t/north/../east/door", "/t/./east/door", "/t/north%2F..%2Feast/door", "/x/../t/east/door", "//t/east/door", "/t/NORTH/door", "/t/north%20/door", "/%74/east/door",
		} {
			for _, lines := range [][]string{nil, {"X-Tenant: north", "X-Tenant: east"}, {"X-Tenant: east"}, {"X-Tenant: NORTH"}, {"Host: EAST.app.example."}, {"Host: east.APP.example:1"}} {
				reached = ""
				a := sendAs(t, addr, target, "bob", lines)
				foreign := s.name == "path" || s.name == "header" && len(lines) > 0 && strings.HasPrefix(lines[0], "X-") || s.name == "host" && len(lines) > 0 && strings.HasPrefix(lines[0], "Host")
				if foreign && reached != "" {
					t.Errorf("tenant from %s: %s %q reached the handler for %q: %d", s.name, target, lines, reached, a.Status)
				}
			}
		}
		target, lines := s.request("north")
		if s.name == "path" {
			if a := sendAs(t, addr, target, "bob", lines); a.Status != http.StatusOK {
				t.Errorf("tenant from %s: his own is %d %s", s.name, a.Status, a.Body)
			}
		}
	}
}
