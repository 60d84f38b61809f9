package casbinrules

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// openRules opens a policy that may have findings.
func openRules(t *testing.T, m Model, policy string, opts ...Option) *Authorizer {
	t.Helper()
	a, err := OpenFS(files("policy.csv", policy), m, []string{"policy.csv"}, append(opts, WithLogger(slog.New(slog.DiscardHandler)))...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestDecisionsAllocateNothing is the budget of a decision from the index,
// whoever asks.
func TestDecisionsAllocateNothing(t *testing.T) {
	const policy = `p, editor, /reports/:id, PUT
p, ann, /reports/:id, GET
g, bob, editor
g, chief, editor
`
	prefixed := strings.NewReplacer("editor", "role:editor", "chief", "role:chief").Replace(policy)
	tenants := strings.NewReplacer("editor, /", "editor, acme, /", "ann, /", "ann, acme, /", "editor\n", "editor, acme\n").Replace(policy)
	for _, tc := range []struct {
		name, policy string
		method       string // PUT unless set
		model        Model
		info         core.PrincipalInfo
		opts         []Option
		allowed      bool
	}{
		{"by a role of the policy", policy, "", RBAC(), core.PrincipalInfo{ID: "bob"}, nil, true},
		{"by a role of the credentials", policy, "", RBAC(), core.PrincipalInfo{ID: "eve", Roles: []string{"chief", "x"}}, nil, true},
		{"by one of many roles", policy, "", RBAC(), core.PrincipalInfo{ID: "eve", Roles: strings.Split("a,b,c,d,e,f,g,h,i,j,k,l,m,n,chief", ",")}, nil, true},
		{"by a role with a prefix", prefixed, "", RBAC(), core.PrincipalInfo{ID: "eve", Roles: []string{"chief"}}, []Option{WithRolePrefix("role:")}, true},
		{"in a tenant", tenants, "", RBACWithTenants(), core.PrincipalInfo{ID: "eve", Roles: []string{"chief"}, Tenant: "acme"}, nil, true},
		{"refused", policy, "", RBAC(), core.PrincipalInfo{ID: "ann", Roles: []string{"reader"}}, nil, false},
		{"by the name of a role", policy, "", RBAC(), core.PrincipalInfo{ID: "editor"}, nil, false},
		{"HEAD, of which GET may be denied", policy + "p, ann, /reports/:id, HEAD\n", "HEAD", RBAC(), core.PrincipalInfo{ID: "ann"}, nil, true},
		{"unknown", policy, "", RBAC(), core.PrincipalInfo{ID: "nobody"}, nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := openRules(t, tc.model, tc.policy, tc.opts...)
			p, err := core.NewPrincipal(tc.info)
			if err != nil {
				t.Fatal(err)
			}
			for _, object := range []string{"/reports/7", "/reports/Zürich"} {
				access := to(cmp.Or(tc.method, "PUT"), object)
				n := testing.AllocsPerRun(200, func() {
					d, err := a.Authorize(context.Background(), p, access)
					if err != nil || d.Allowed != tc.allowed {
						t.Fatalf("%+v %v", d, err)
					}
				})
				if n != 0 {
					t.Errorf("%s: %v allocations", object, n)
				}
			}
		})
	}
}
