package authtest

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var tenantSemantics = []testCase{
	{"a tenant source that cannot work is none", brokenTenants},
	{"a tenant source that fails is no verdict", failingTenants},
	{"a foreign tenant is named by its beginning", longTenants},
}

func brokenTenants(t *testing.T, _ Framework) {
	path := core.TenantFromPath("/t/:tenant")
	for name, opts := range map[string][]core.Option{
		"empty":          {core.WithTenant(core.TenantSource{})},
		"nil function":   {core.WithTenant(core.TenantFunc(nil))},
		"two":            {core.WithTenant(path), core.WithTenant(path)},
		"no segment":     {core.WithTenant(core.TenantFromPath("/t"))},
		"not the last":   {core.WithTenant(core.TenantFromPath("/t/:tenant/x"))},
		"not rooted":     {core.WithTenant(core.TenantFromPath("t/:tenant"))},
		"empty segment":  {core.WithTenant(core.TenantFromPath("/t//:tenant"))},
		"no pattern":     {core.WithTenant(core.TenantFromPath(""))},
		"no domain":      {core.WithTenant(core.TenantFromHost("."))},
		"no field":       {core.WithTenant(core.TenantFromHeader(""))},
		"no field name":  {core.WithTenant(core.TenantFromHeader("X Tenant"))},
		"nil and a path": {nil, core.WithTenant(path)},
	} {
		if g, err := core.NewGuard([]core.Authenticator{Names{}}, opts...); err == nil || g != nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// failingTenants: a tenant that cannot be determined is neither 401 nor 403.
func failingTenants(t *testing.T, f Framework) {
	for status, err := range map[int]error{
		http.StatusServiceUnavailable:  errors.New("the directory is down"),
		http.StatusBadRequest:          core.ErrAmbiguousCredentials,
		http.StatusInternalServerError: &core.InternalError{Err: errors.New("broken")},
	} {
		g, _ := guardOf(t, []core.Authenticator{members{}}, core.WithTenant(core.TenantFunc(func(core.Access) (string, error) { return "", err })))
		addr := tenantDoor(t, f, nil, []Gate{{Kind: "Authenticate", Guard: g}})
		if a := sendAs(t, addr, "/none", "bob", nil); a.Status != status {
			t.Errorf("%v: %d, want %d", err, a.Status, status)
		}
		if a := Send(t, addr, Request("GET", "/none")); a.Status != http.StatusUnauthorized {
			t.Errorf("%v, nobody: %d", err, a.Status)
		}
	}
}

// longTenants: observers get no text of any length that a client likes, nor is work spent
// on one.
func longTenants(t *testing.T, f Framework) {
	long := strings.Repeat("a", 3000)
	g, rec := guardOf(t, []core.Authenticator{members{}}, core.WithTenant(core.TenantFromHeader("X-Tenant")), core.WithRoles(tenantRoles{}))
	addr := tenantDoor(t, f, nil, []Gate{{Kind: "Authenticate", Guard: g}})
	for _, who := range []string{"ada", "dan"} { // whose credentials name tenants, or none
		a := sendAs(t, addr, "/none", who, []string{"X-Tenant: " + long})
		cause := rec.Last(t).Cause.Error()
		if a.Status != http.StatusForbidden || !strings.Contains(cause, long[:100]) || len(cause) > 300 {
			t.Errorf("%s: %d, a cause of %d bytes: %.200s", who, a.Status, len(cause), cause)
		}
	}
}
