package lsp

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// slip makes a mistake in a line that some quick fix may repair.
func slip(rnd *rand.Rand, line string) string {
	fields := strings.Split(line, ", ")
	at := rnd.IntN(len(fields))
	pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
	switch rnd.IntN(15) {
	case 0:
		fields[at] += pick(" ", "\t", "\u200b", "\u00a0", "\x00", "\r")
	case 1:
		fields[at] = pick("'", "“", "‘") + fields[at] + pick("'", "”", "’")
	case 2:
		first, size := utf8.DecodeRuneInString(fields[at])
		fields[at] = strings.TrimSuffix(string(unicode.ToUpper(first)), "\uFFFD") + fields[at][size:]
	case 3:
		fields[at] = strings.ToLower(fields[at])
	case 4:
		fields[len(fields)-1] += pick(" # a comment", " #", " # x, y", " // a")
	case 5:
		return strings.ReplaceAll(line, ",", ";")
	case 6:
		fields[at] = fields[at][:len(fields[at])/2] + `"` + fields[at][len(fields[at])/2:]
	case 7:
		fields = append(fields, pick("x", "", "# x"))
	case 8:
		return "\ufeff" + strings.TrimPrefix(line, "\ufeff")
	case 9:
		fields[at] = strings.TrimPrefix(fields[at], "/")
	case 10:
		fields[at] += pick("/", "?x=1", "/{id}", "/:id?", "/+", "/*rest", "/<id>", "|POST", ".html", "//x")
	case 11:
		fields[at] = pick("GET|POST", "GET,POST", "Get", "post", "GET HEAD", "PUT", "HEAD", "PATCH", "Deny", "DENY", "Allow", "m", "G", "P")
	case 12:
		return line + "\n" + line
	case 13:
		fields[at] = `"` + fields[at] + `"`
	default:
		fields[at] = " " + fields[at]
	}
	return strings.Join(fields, ", ")
}

// TestRandomFixesGrantNothing makes mistakes in random policies. What a quick fix that claims
// to grant nothing changes must not let anyone do more, and a neutral one changes nothing.
func TestRandomFixesGrantNothing(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 5))
	fixed := map[string]int{}
	each := 6
	if testing.Short() {
		each = 1
	}
	for s := range bridgetest.Samples(seed, each) {
		for range 2 + rnd.IntN(3) {
			i := rnd.IntN(len(s.Lines))
			s.Lines[i] = slip(rnd, s.Lines[i])
		}
		opts := s.Options
		if rnd.IntN(2) == 0 {
			opts = append(slices.Clone(opts), casbinrules.WithCasbinSemantics())
		}
		if strings.Contains(s.Name, " as Casbin") {
			opts = s.Options
		}
		before := policyAndModel{s.Model, strings.Join(s.Lines, "\n") + "\n"}
		asked := requestsOf(t, rnd, s)
		was := decidedBy(t, before, opts, asked)
		found := before.lint(t, opts)
		fixes := Fixes(casbinrules.ModelText("model.conf", before.model), map[string]string{"policy.csv": before.policy}, found)
		for i, fix := range fixes {
			if fix == nil || found[i].File != "policy.csv" {
				continue
			}
			fixed[found[i].Code]++
			text := newDocument("", "", 1, KindPolicy, before.policy)
			for _, e := range fix.Edits {
				text = text.edited(2, []contentChange{{&e.Range, e.NewText}}, utf16Units)
			}
			after := policyAndModel{s.Model, text.text}
			if left := after.lint(t, opts); slices.ContainsFunc(left, func(f casbinrules.Finding) bool {
				return f.Code == found[i].Code && f.Line == found[i].Line && f.Column == found[i].Column && f.Message == found[i].Message
			}) && fix.Title != "Delete the line" {
				t.Errorf("%s: %s\n%q leaves it\n%s\nand then\n%s", s.Name, found[i], fix.Title, before.policy, after.policy)
			}
			is := decidedBy(t, after, opts, asked)
			if more := granted(was, is); len(more) > 0 && !fix.Grants {
				t.Errorf("%s: %s\n%q claims to grant nothing, but grants %q\n%s\nand then\n%s", s.Name, found[i], fix.Title, more, before.policy, after.policy)
			}
			if quickFixes[found[i].Code].impact == neutral && was != nil && is != nil && !maps.Equal(was, is) {
				t.Errorf("%s: %s\n%q changes a decision\n%s\nand then\n%s", s.Name, found[i], fix.Title, before.policy, after.policy)
			}
		}
	}
	t.Logf("fixes: %v", fixed)
	if len(fixed) < 10 {
		t.Errorf("findings of %d kinds were fixed: the cases prove little", len(fixed))
	}
}

// asked is a request.
type asked struct {
	principal *core.Principal
	access    core.Access
}

func requestsOf(t *testing.T, rnd *rand.Rand, s bridgetest.Sample) (all []asked) {
	t.Helper()
	claims := map[string]any{}
	for name := range s.Principal.Claims() {
		claims[name], _ = s.Principal.Claim(name)
	}
	names := []string{"u0", "u1", "u2", "root", "ghost", "c0", "r0", "r1", "r2", "r3", "r4", "R1", "U1"}
	pick := func(from []string) string { return from[rnd.IntN(len(from))] }
	for range 25 {
		info := core.PrincipalInfo{ID: pick(names), Tenant: pick([]string{"t1", "t2"}), Claims: claims}
		if rnd.IntN(2) == 0 {
			info.Roles = []string{pick(names)}
		}
		p, err := core.NewPrincipal(info)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range append(bridgetest.Objects(), "/", "/a/b/c", "/b/2", "/a.html", "/a1html", "/x") {
			all = append(all, asked{p, core.Access{Action: pick([]string{"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD"}), Resource: core.Resource{Path: object}}})
		}
	}
	return all
}

// decidedBy returns the allowed among requests; nil if the policy does not load.
func decidedBy(t *testing.T, p policyAndModel, opts []casbinrules.Option, all []asked) map[string]bool {
	t.Helper()
	a := p.open(t, opts)
	if a == nil {
		return nil
	}
	made := map[string]bool{}
	for _, q := range all {
		if d, err := a.Authorize(t.Context(), q.principal, q.access); err == nil && d.Allowed {
			made[q.principal.ID()+" "+strings.Join(slices.Collect(q.principal.CredentialRoles()), " ")+" in "+q.principal.Tenant()+": "+q.access.Action+" "+q.access.Resource.Path] = true
		}
	}
	return made
}
