package editor

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// renaming is a random policy in which names are renamed.
type renaming struct {
	rnd         *rand.Rand
	model       string
	lines       []string
	before      *casbinrules.Authorizer
	ownerIsName bool
}

func (r *renaming) pick(from ...string) string { return from[r.rnd.IntN(len(from))] }

// oddConditions are conditions on names besides comparisons.
var oddConditions = []string{
	`keyMatch(p.sub, "r*")`, `keyMatch(r.sub, "u*")`, `regexMatch(p.sub, "^r")`, `globMatch(p.sub, "r?")`, `p.sub =~ "^r"`, `r.sub !~ "1$"`, `p.sub > "r1"`, `p.dom < "t2"`,
	`p.sub != "r1"`, `r.sub in ("u1", "u2")`, `p.sub in ("r1", "r2")`, `p.dom in ("t1", "t2")`, `g(r.sub, "r2", "t1")`, `p.sub + "x" == "r1x"`, `"r" + "1" == p.sub`,
	`keyMatch(r.obj, "/" + p.sub + "/*")`, `keyMatch(r.obj, "/" + r.dom + "/*")`, `keyGet2(r.obj, p.obj, "id") == p.sub`, `r.obj == "/" + p.sub`, `r.obj != p.sub`, `r.act != p.sub`,
	`r.dom == p.sub`, `r.dom != r.sub`, `keyMatch(r.obj, p.dom)`, `regexMatch(p.dom, "^t")`, `g2(p.sub, "docs")`, `g2(r.dom, "docs")`, `g2(r.obj, p.sub)`, `g2(r.sub, p.obj)`,
}

// newRenaming generates a policy, and returns nil if it is refused.
func newRenaming(rnd *rand.Rand) *renaming {
	r := &renaming{rnd: rnd}
	owner := r.pick("r.owner == p.owner", "r.owner == r.sub", "p.owner == r.sub", "g(r.owner, p.owner, r.dom)", "r.owner == p.sub", "(p.owner == r.sub || p.owner == r.owner)", `(p.owner == "*" || r.owner == p.owner)`)
	r.ownerIsName = strings.Contains(owner, ".sub") || strings.HasPrefix(owner, "g")
	conditions := []string{r.pick("g(r.sub, p.sub, r.dom)", `(g(r.sub, p.sub, r.dom) || r.sub == "u1")`, "keyMatch(r.sub, p.sub)"), r.pick("keyMatch2(r.obj, p.obj)", "g2(r.obj, p.obj)"), r.pick("r.dom == p.dom", "keyMatch(r.dom, p.dom)"), owner}
	if rnd.IntN(2) == 0 {
		conditions = append(conditions, r.pick(oddConditions...))
	}
	rnd.Shuffle(len(conditions), func(i, j int) { conditions[i], conditions[j] = conditions[j], conditions[i] })
	r.model = "[request_definition]\nr = sub, dom, obj, act, owner\n[policy_definition]\np = sub, dom, obj, owner\n[role_definition]\ng = _, _, _\ng2 = _, _\n" +
		"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = " + strings.Join(conditions, " && ") + "\n"
	for range 3 + rnd.IntN(6) {
		r.lines = append(r.lines, "p, "+r.pick("u1", "u2", "r1", "r2", "r3")+", "+r.pick("t1", "t2")+", "+r.pick("/a", "/:id", "/a/:id", "docs", "/r1/x", "/t1/x")+", "+r.pick("u1", "u2", "r1", "*"))
	}
	for range 2 + rnd.IntN(3) {
		r.lines = append(r.lines, "g, "+r.pick("u1", "u2")+", "+r.pick("r1", "r2", "r3")+", "+r.pick("t1", "t2"))
	}
	r.lines = append(r.lines, "g, r1, r2, t1", "g2, "+r.pick("/a", "/a/b", "u1", "r1", "t1")+", docs")
	var err error
	if r.before, err = r.open(r.model, r.policy()); err != nil {
		return nil
	}
	return r
}

func (r *renaming) policy() string { return strings.Join(r.lines, "\n") + "\n" }

func (r *renaming) open(model, policy string) (*casbinrules.Authorizer, error) {
	return casbinrules.OpenFS(lspFiles{"p.csv": policy}.FS(), casbinrules.ModelText("model.conf", model), []string{"p.csv"},
		casbinrules.WithClaimsAsAttributes(), casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
}

// TestLSPRenamesChangeNoDecision renames users, roles and tenants of random policies: a
// request with the new name instead of the old one gets the same answer.
func TestLSPRenamesChangeNoDecision(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 1))
	renamed, refused, allowed := 0, 0, 0
	for n := 0; n < 15 || n < 300 && (renamed == 0 || refused == 0 || allowed == 0); n++ {
		r := newRenaming(rnd)
		if r == nil {
			continue
		}
		dir := write(t, map[string]string{"model.conf": r.model, "policy.csv": r.policy()})
		e := startEditor(t, dir, nil, nil)
		e.open(filepath.Join(dir, "policy.csv"))
		e.open(filepath.Join(dir, "model.conf"))
		for i, line := range r.lines {
			fields := strings.Split(line, ", ")
			for n, field := range fields {
				if n == 0 || fields[0] == "g2" || fields[0] == "p" && n > 2 {
					continue
				}
				params := about(filepath.Join(dir, "policy.csv"), i, len(strings.Join(fields[:n], ", "))+2)
				to := r.pick("zed", "r9", "u9", "t9", "u", "t")
				params["newName"] = to
				var edit lspEdit
				if err := e.try("textDocument/rename", params, &edit); err != nil {
					refused++
					continue
				}
				renamed++
				allowed += r.compare(t, field, to, edit)
			}
		}
		_ = e.conn.Close()
	}
	if renamed == 0 || refused == 0 || allowed == 0 {
		t.Errorf("%d names renamed, %d not, %d requests allowed: the cases prove little", renamed, refused, allowed)
	}
}

// compare sends requests to the policies before and after, and returns how many are
// allowed.
func (r *renaming) compare(t *testing.T, from, to string, edit lspEdit) (allowed int) {
	t.Helper()
	model, policy := r.model, r.policy()
	for uri, edits := range edit.Changes {
		if strings.HasSuffix(uri, "model.conf") {
			model = applied(model, edits)
		} else {
			policy = applied(policy, edits)
		}
	}
	after, err := r.open(model, policy)
	if err != nil {
		t.Fatalf("%s renamed to %s: %v\n%s%s", from, to, err, model, policy)
	}
	renamed := func(name string) string {
		if name == from {
			return to
		}
		return name
	}
	same := func(name string) string { return name }
	for range 60 {
		info := core.PrincipalInfo{ID: r.pick("u1", "u2", "x", "ux"), Tenant: r.pick("t1", "t2", "t3")}
		for range r.rnd.IntN(3) {
			info.Roles = append(info.Roles, r.pick("r1", "r2", "r3"))
		}
		owner, object := r.pick("u1", "u2", "r1"), r.pick("/a", "/b", "/a/b", "/r1/x", "/t1/x", "/a/r1", "/a/u1")
		ask := func(a *casbinrules.Authorizer, name func(string) string) bool {
			asked := core.PrincipalInfo{ID: name(info.ID), Tenant: name(info.Tenant), Claims: map[string]any{"owner": owner}}
			for role := range slices.Values(info.Roles) {
				asked.Roles = append(asked.Roles, name(role))
			}
			if r.ownerIsName {
				asked.Claims["owner"] = name(owner)
			}
			p, err := core.NewPrincipal(asked)
			d, err2 := a.Authorize(t.Context(), p, core.Access{Action: "GET", Resource: core.Resource{Name: object}})
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			return d.Allowed
		}
		before, now := ask(r.before, same), ask(after, renamed)
		if before != now {
			t.Fatalf("%s renamed to %s: %+v of %s, %s: before %v, after %v\n%s%s", from, to, info, owner, object, before, now, r.model, r.policy())
		}
		if before {
			allowed++
		}
	}
	return allowed
}
