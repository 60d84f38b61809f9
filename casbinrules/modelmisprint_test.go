package casbinrules

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// misprints are texts to put into models.
var misprints = []string{
	"#", ";", "\\", "\\\n", "\n", " ", "\t", "=", "==", "[", "]", `"`, "'", "r.", "p.", "r2 = sub, obj, act\n", "p2 = sub\n", "m2 = true\n", "m = true\n", "e2 = priority(p.eft) || deny\n",
	"e = some(where (p.eft == allow))\n", "[matchers]\n", "[matchers2]\nm=true\n", "[role_definition]\ng = _, _\n", "g = _, _, _\n", "# c\n", "; c\n", "||", "&&", "!", "(", ")", "g(", "eft", ",", "_",
	"\r", "\r\n", "\u00a0", "\x00", "\ufeff", "m", "true", "-", "0", "1", "\u2028", "\f", "`", "//", "/*", "??", "?", ":", "~", "=~", "in", "eval(", "$", "r_sub", "p_obj", "@",
}

// mutated returns a model with one to three misprints, cuts or moved lines.
func mutated(rnd *rand.Rand, text string) string {
	for range 1 + rnd.IntN(3) {
		at := rnd.IntN(len(text) + 1)
		if rnd.IntN(3) == 0 {
			at = strings.LastIndex(text[:at], "\n") + 1
		}
		switch rnd.IntN(5) {
		case 0:
			text = text[:at] + text[min(len(text), at+1+rnd.IntN(6)):]
		case 1:
			lines := strings.SplitAfter(text, "\n")
			i, j := rnd.IntN(len(lines)), rnd.IntN(len(lines))
			lines[i], lines[j] = lines[j], lines[i]
			text = strings.Join(lines, "")
		default:
			text = text[:at] + pick(rnd, misprints) + text[at:]
		}
	}
	return text
}

// TestMisprintedModelsDecideAsCasbins: a slightly wrong model is refused, or decides as
// Casbin does with it.
func TestMisprintedModelsDecideAsCasbins(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	simple, denying := []string{"p, a, /x, GET", "p, b, /y, PUT", "g, a, b"}, []string{"p, a, /x, GET, allow", "p, b, /y, PUT, deny", "p, a, /y, PUT, allow", "g, a, b"}
	models := []struct {
		text  string
		lines []string
	}{
		{RBAC().Text(), simple},
		{RBACWithDeny().Text(), denying},
		{modelText(plainRequest, "sub, obj, act, eft", "g = _, _", firstMatch, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act"), denying},
		{modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, "r.sub == 'a' || g(r.sub, p.sub) && \\\n  r.obj == p.obj && r.act in (\"GET\", 'PUT')"), simple},
	}
	opened, least := 0, cases(20_000)/200
	for range cases(20_000) / 5 {
		m := models[rnd.IntN(len(models))]
		text := mutated(rnd, m.text)
		a, err := OpenFS(files("p.csv", strings.Join(m.lines, "\n")), ModelText("m.conf", text), []string{"p.csv"}, WithoutTokenRoles(), quiet)
		if err != nil {
			continue
		}
		opened++
		read, err := casbinmodel.NewModelFromString(text)
		if err != nil {
			t.Fatalf("opened, and casbin says %v\n%q", err, text)
		}
		e, err := casbin.NewEnforcer(read, lineAdapter{lines: m.lines})
		if err != nil {
			t.Fatalf("opened, and casbin says %v\n%q", err, text)
		}
		for _, asked := range requestsOf([]string{"a", "b", "c"}, []string{"/x", "/y"}, []string{"GET", "PUT"}) {
			want, failure := enforceTexts(e, asked)
			d, err := a.Enforce(context.Background(), asked...)
			if d.Allowed != want && d.Reason != ReasonSubjectIsRoleName || (err == nil) != (failure == nil) {
				t.Fatalf("%q: got %v, %v; casbin says %v, %v\n%q", asked, d, err, want, failure, text)
			}
		}
	}
	if opened < least {
		t.Errorf("%d models could be opened, want %d", opened, least)
	}
}

// requestsOf returns all combinations of the fields.
func requestsOf(fields ...[]string) [][]string {
	all := [][]string{nil}
	for _, values := range fields {
		var longer [][]string
		for _, r := range all {
			for _, v := range values {
				longer = append(longer, append(r[:len(r):len(r)], v))
			}
		}
		all = longer
	}
	return all
}
