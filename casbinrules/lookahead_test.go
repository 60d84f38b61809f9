package casbinrules

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/core"
)

// All tests of this package look ahead, even in small policies.
func init() { engine.ManyNames = 0 }

// TestEachListOfAnObjectCounts has up to eight patterns match one object, each with its own
// list of rules. Each rule is for one role; the deciding one may be the first, one in the
// middle or the last, by what it allows or denies, and for HEAD by what it denies to GET.
func TestEachListOfAnObjectCounts(t *testing.T) {
	patterns := strings.Fields("/a/b/c /:x/b/c /a/:x/c /a/b/:x /:x/:y/c /:x/b/:y /a/:x/:y /*")
	for count := 1; count <= len(patterns); count++ {
		var policy strings.Builder
		policy.WriteString("p, all, /*, GET, allow\np, all, /*, HEAD, allow\n")
		for i, text := range patterns[:count] {
			fmt.Fprintf(&policy, "p, role%d, %s, PUT, allow\np, role%d, %s, GET, deny\n", i, text, i, text)
			fmt.Fprintf(&policy, "g, user%d, role%d\ng, user%d, all\n", i, i, i)
		}
		policy.WriteString("g, other, all\n")
		a := openRules(t, RBACWithDeny(), policy.String())
		for i := range len(patterns) + 1 {
			id, ruled := fmt.Sprintf("user%d", i), i < count
			if i == count {
				id = "other"
			}
			p, err := core.NewPrincipal(core.PrincipalInfo{ID: id})
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range []struct {
				method, path string
				want         bool
			}{
				{http.MethodPut, "/a/b/c", ruled},
				{http.MethodGet, "/a/b/c", i == count},
				{http.MethodHead, "/a/b/c", i == count},
				{http.MethodPut, "/d/e/f", ruled && patterns[i] == "/*"},
			} {
				d, err := a.Authorize(context.Background(), p, to(q.method, q.path))
				if err != nil || d.Allowed != q.want {
					t.Errorf("%d patterns: %s %s %s: %v %v %v, want %v", count, id, q.method, q.path, d.Allowed, d.Rule, err, q.want)
				}
			}
		}
	}
}

// TestObjectsMayChangeAfterTheyWereLookedUp asks about paths whose first part ignores
// letter case, so that other objects, with other rules, are decided for the same request.
func TestObjectsMayChangeAfterTheyWereLookedUp(t *testing.T) {
	a := openRules(t, RBACWithDeny(), "p, ann, /*, GET, allow\np, ann, /Admin/keys, GET, deny\np, ann, /ADMIN/keys, PUT, deny\n")
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/admin/keys", "/Admin/keys", "/ADMIN/keys", "/admin/x"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			access := to(method, path)
			access.Resource.Folded = len("/admin")
			d, err := a.Authorize(context.Background(), p, access)
			if want := path == "/admin/x"; err != nil || d.Allowed != want {
				t.Errorf("%s %s: %v %v %v, want %v", method, path, d.Allowed, d.Rule, err, want)
			}
		}
	}
}
