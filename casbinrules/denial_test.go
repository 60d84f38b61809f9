package casbinrules

import (
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"

	"github.com/sallyport-go/sallyport/core"
)

// H02, H14, G14: denials hold for names that are allowed nothing, and HEAD is denied what
// GET is denied, whatever other lines there are.
func TestDenialsHoldWiderThanPermissions(t *testing.T) {
	const named = "p, editor, /x, GET, allow\np, banned, /x, GET, deny\ng, bob, banned\ng, carol, bob\n"
	const direct = "p, editor, /x, GET, allow\np, bob, /x, GET, deny\ng, carol, bob\n"
	const head = "p, viewer, /files/*, *, allow\np, viewer, /files/secret/*, GET, deny\np, monitor, /healthz, HEAD, allow\n"
	for _, c := range []struct {
		name, policy, id string
		roles            []string
		method, path     string
		allowed          bool
		reason           core.Reason
	}{
		{"a role that denies, by a name that is a role", named, "bob", []string{"editor"}, "GET", "/x", false, ReasonDeniedByRule},
		{"a deny for a name that is a role", direct, "bob", []string{"editor"}, "GET", "/x", false, ReasonDeniedByRule},
		{"nothing denies another name", direct, "dan", []string{"editor"}, "GET", "/x", true, core.ReasonAllowed},
		{"and a role name still gets nothing", direct, "bob", nil, "GET", "/y", false, ReasonSubjectIsRoleName},
		{"HEAD of what GET is denied", head, "ann", []string{"viewer"}, "HEAD", "/files/secret/x", false, ReasonDeniedByRule},
		{"HEAD of what GET is allowed by *", head, "ann", []string{"viewer"}, "HEAD", "/files/x", true, core.ReasonAllowed},
		{"HEAD by name", head, "mon", []string{"monitor"}, "HEAD", "/healthz", true, core.ReasonAllowed},
		{"GET where only HEAD is named", head, "mon", []string{"monitor"}, "GET", "/healthz", false, ReasonNoRule},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := open(t, RBACWithDeny(), c.policy)
			d := decide(t, a, who(t, c.id, c.roles...), to(c.method, c.path))
			if d.Allowed != c.allowed || d.Reason != c.reason {
				t.Errorf("%+v", d)
			}
		})
	}
}

// The same for an enforcer of the application, which takes no token roles.
func TestDenialsOfAnEnforcerHoldWider(t *testing.T) {
	m, err := casbinmodel.NewModelFromString(RBACWithDeny().Text())
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewSyncedEnforcer(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range [][]any{{"viewer", "/files/*", "*", "allow"}, {"viewer", "/files/secret/*", "GET", "deny"}, {"monitor", "/healthz", "HEAD", "allow"}} {
		if _, err := e.AddPolicy(rule...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.AddGroupingPolicy("ann", "viewer"); err != nil {
		t.Fatal(err)
	}
	a, err := FromEnforcer(e, WithoutTokenRoles())
	if err != nil {
		t.Fatal(err)
	}
	for path, allowed := range map[string]bool{"/files/x": true, "/files/secret/x": false} {
		d, err := a.Authorize(t.Context(), who(t, "ann"), to("HEAD", path))
		if err != nil || d.Allowed != allowed {
			t.Errorf("HEAD %s: %+v, %v", path, d, err)
		}
	}
}
