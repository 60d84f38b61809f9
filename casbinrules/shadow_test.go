package casbinrules

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core/authtest"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
)

// TestRulesThatDecideNothingCanBeRemoved removes all rules reported as shadowed, and all
// allows reported as contradicted, from random policies: no decision may change.
func TestRulesThatDecideNothingCanBeRemoved(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	removed := 0
	for n, f := range families() {
		t.Run(f.Name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, uint64(n)))
			f.Actions = append(f.Actions, "HEAD", "PROPFIND")
			f.Objects = append(f.Objects, f.Objects[0], "/:y", "/{z}", "/a*")
			for range cases(100) {
				removed += f.removeShadowed(t, rnd)
			}
		})
	}
	if removed < cases(50) {
		t.Errorf("%d rules were removed: the cases prove little", removed)
	}
}

// TestAllowWinsOverNoDenyOfOtherMethods: "*" denies PROPFIND and does not allow it, so the
// deny still decides where a third rule names PROPFIND.
func TestAllowWinsOverNoDenyOfOtherMethods(t *testing.T) {
	t.Parallel()
	m := ModelText("model.conf", families()[slices.IndexFunc(families(), func(f family) bool { return f.Name == "priority by field" })].Text)
	policy := "p, 1, ann, /*, *, allow\np, 2, ann, /*, *, deny\n"
	for text, want := range map[string]bool{
		policy: true,
		policy + "p, 3, ann, /a/:id, PROPFIND, allow\n": false,
	} {
		found, err := LintFS(files("policy.csv", text), m, []string{"policy.csv"}, WithoutTokenRoles())
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(found, func(f Finding) bool { return f.Code == model.CodeContradiction && f.Line == 2 }); got != want {
			t.Errorf("%s: a contradiction in line 2 is found: %v", text, got)
		}
	}
}

func (f family) removeShadowed(t *testing.T, rnd *rand.Rand) (removed int) {
	t.Helper()
	lines := f.Policy(rnd)
	m := ModelText("model.conf", f.Text)
	// Once with Casbin's semantics, once with what this package adds.
	for _, opts := range [][]Option{{WithoutTokenRoles(), WithCasbinSemantics()}, {WithoutTokenRoles()}} {
		before, err := OpenFS(files("policy.csv", strings.Join(lines, "\n")), m, []string{"policy.csv"}, append(opts, quiet)...)
		if err != nil {
			continue // refused without WithCasbinSemantics
		}
		var linted []LintOption
		for _, o := range opts {
			linted = append(linted, o)
		}
		found, err := LintFS(files("policy.csv", strings.Join(lines, "\n")), m, []string{"policy.csv"}, linted...)
		if err != nil {
			t.Fatal(err)
		}
		kept := slices.Clone(lines)
		for _, found := range found {
			if found.Code == model.CodeShadowed || found.Code == model.CodeContradiction && strings.HasSuffix(found.Message, "that one wins") {
				kept[found.Line-1] = ""
				removed++
			}
		}
		if slices.Equal(kept, lines) {
			continue
		}
		after := open(t, m, strings.Join(kept, "\n"), opts...)
		for range 60 {
			p := tenantOf(t, "t"+strconv.Itoa(1+rnd.IntN(2)), pick(rnd, []string{"u0", "u1", "u2", "r1", "root"}))
			access := to(pick(rnd, []string{"GET", "POST", "DELETE", "HEAD", "PROPFIND", "PUT"}), pick(rnd, append(policygen.PlainObjects, "/b/b", "/ab", "/a/b/c")))
			if b, a := decide(t, before, p, access), decide(t, after, p, access); b.Allowed != a.Allowed {
				t.Fatalf("%s in %s: %+v: before %v, after %v\n%s\nwithout\n%s", p.ID(), p.Tenant(), access, b.Allowed, a.Allowed, strings.Join(lines, "\n"), strings.Join(kept, "\n"))
			}
		}
	}
	return removed
}
