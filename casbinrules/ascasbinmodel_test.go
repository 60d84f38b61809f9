package casbinrules

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// conditions are parts of matchers, most of which are refused without WithCasbinSemantics
// and many of which fail for some requests.
var conditions = []string{
	"r.sub == p.sub", "r.obj == p.obj", "r.act == p.act", "g(r.sub, p.sub)", `r.sub == "root"`, "keyMatch2(r.obj, p.obj)",
	"ipMatch(r.sub, p.sub)", "ipMatch(r.obj, p.obj)", "regexMatch(r.act, p.act)", "regexMatch(p.act, r.act)", "keyMatch(p.obj, r.obj)",
	"r.act =~ p.act", "p.act =~ r.act", "r.act !~ '^P'", "r.obj > p.obj", "r.obj <= 'b'", "r.obj > 3", "p.act == 5", "r.obj + 1 == p.obj + 1",
	"r.obj - 1 > 0", "-r.obj == 1", "r.sub.Age > 18", "r.sub.Name() == 'x'", "p.act.X", "r.ctx == 'x'", "p.none == r.sub", "unknown == r.act",
	"r.obj", "!r.act", "true", "1", "r.act in (p.act, 'PUT')", "r.act in ('GET')", "r.act in p.act", "r.obj in (1, 2)",
	"eval(p.act)", "eval(p.obj)", "(r.act == 'GET' ? r.obj == p.obj : r.sub)", "r.obj == '2024-01-31'", "g(r.sub, p.sub, r.obj)", "g(r.sub)",
	"keyGet(r.obj, p.obj) == ''", "regexMatch(r.obj, '^/[ab]')", "keyMatch(r.obj, '/b/*')", "[r_sub] == p.sub", "r.sub == p.sub == true", "keyMatch(r_dom, p_dom)", "r.act ?? p.act",
	"g(r.sub, p.sub) p.act", "g()", "keyMatch()",
}

// TestAsCasbinDecidesWhatCasbinDecides generates matchers. Each for which Casbin decides
// some request must be opened, and decide the same.
func TestAsCasbinDecidesWhatCasbinDecides(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	decided, refused, allowed := 0, 0, 0
	for range cases(20_000) / 40 {
		matcher := pick(rnd, conditions)
		for range rnd.IntN(4) {
			if matcher += pick(rnd, []string{" && ", " || "}) + pick(rnd, conditions); rnd.IntN(4) == 0 {
				matcher = "(" + matcher + ")"
			}
		}
		request, policy, g, tenant := plainRequest, "sub, obj, act", "g = _, _", ""
		if rnd.IntN(3) == 0 {
			request, policy, g, tenant = tenantsRequest, "sub, dom, obj, act", "g = _, _, _", ", t1"
		}
		effect, allow, deny := someAllow, "", ""
		if rnd.IntN(3) == 0 {
			policy, effect, allow, deny = policy+", eft", pick(rnd, []string{allowAndDeny, firstMatch, "!some(where (p.eft == deny))"}), ", allow", ", deny"
		}
		text := modelText(request, policy, g, effect, matcher)
		lines := []string{"p, ann" + tenant + ", /a, GET" + deny, "p, staff" + tenant + ", /b/:id, r.sub == 'bob'" + allow, "p, 10.0.0.0/8" + tenant + ", 192.0.2.0/24, ^(GET|PUT)$" + deny,
			"g, ann, staff" + tenant, "g, bob, 10.0.0.0/8" + strings.Replace(tenant, "t1", "*", 1)}
		lines = lines[:1+rnd.IntN(len(lines))]
		yes, no, errs := compareRequests(t, text, lines)
		allowed, decided, refused = allowed+yes, decided+yes+no, refused+errs
	}
	if allowed < decided/100 || allowed == decided || refused == 0 || decided == 0 {
		t.Errorf("%d requests decided, %d allowed, %d not decided: the cases prove little", decided, allowed, refused)
	}
}

// TestFieldsCalledLikeOwnNames: a request field that begins with an underscore is compared
// as in Casbin, whatever names rewritten matchers use.
func TestFieldsCalledLikeOwnNames(t *testing.T) {
	for _, field := range []string{"_links", "_keyMatch", "_number", "_", "__links", "x"} {
		for _, condition := range []string{" == 'v'", " != 'v'", " == p.act", " + '' != 'v'"} {
			text := modelText("sub, obj, act, "+field, "sub, obj, act", "g = _, _", someAllow, "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r."+field+condition)
			m, err := casbinmodel.NewModelFromString(text)
			if err != nil {
				t.Fatal(err)
			}
			e, err := casbin.NewEnforcer(m, lineAdapter{lines: []string{"p, ann, /a, v"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, opts := range [][]Option{nil, {WithCasbinSemantics()}} {
				a, err := OpenFS(files("p.csv", "p, ann, /a, v"), ModelText("m.conf", text), []string{"p.csv"},
					append(opts, WithoutTokenRoles(), WithClaimsAsAttributes(), quiet)...)
				if err != nil {
					t.Errorf("%s%s: %v", field, condition, err)
					continue
				}
				for _, value := range []string{"v", "w"} {
					values := []string{"ann", "/a", "GET", value}
					want, failure := enforceTexts(e, values)
					d, err := a.Enforce(t.Context(), values...)
					if d.Allowed != want || err != nil || failure != nil {
						t.Errorf("%s%s of %s: got %v, %v; casbin says %v, %v", field, condition, value, d.Allowed, err, want, failure)
					}
				}
			}
		}
	}
}

func compareRequests(t *testing.T, text string, lines []string) (allowed, denied, errs int) {
	t.Helper()
	a, refusal := OpenFS(files("p.csv", strings.Join(lines, "\n")), ModelText("m.conf", text), []string{"p.csv"}, WithCasbinSemantics(), WithoutTokenRoles(), WithClaimsAsAttributes(), quiet)
	m, err := casbinmodel.NewModelFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m, lineAdapter{lines: lines})
	if err != nil {
		if refusal == nil {
			t.Fatalf("opened, and casbin says %v\n%s", err, text)
		}
		return 0, 0, 0
	}
	for _, sub := range []string{"ann", "bob", "root", "10.1.2.3"} {
		for _, obj := range []string{"/a", "/b/1", "192.0.2.7"} {
			for _, act := range []string{"GET", "PUT"} {
				values := []string{sub, obj, act}
				if strings.Contains(text, tenantsRequest) {
					values = []string{sub, "t1", obj, act}
				}
				want, failure := enforceTexts(e, values)
				if refusal != nil && failure == nil {
					t.Fatalf("%q: refused: %v; casbin says %v\n%s%s", values, refusal, want, text, strings.Join(lines, "\n"))
				}
				if refusal != nil {
					continue
				}
				d, err := a.Enforce(context.Background(), values...)
				if d.Allowed != want || (err == nil) != (failure == nil) {
					t.Fatalf("%q: got %v, %v; casbin says %v, %v\n%s%s", values, d.Allowed, err, want, failure, text, strings.Join(lines, "\n"))
				}
				switch {
				case failure != nil:
					errs++
				case want:
					allowed++
				default:
					denied++
				}
			}
		}
	}
	return allowed, denied, errs
}

// enforceTexts returns Casbin's decision about texts, and its panics as errors.
func enforceTexts(e *casbin.Enforcer, values []string) (allowed bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	asked := make([]any, len(values))
	for i, v := range values {
		asked[i] = v
	}
	return e.Enforce(asked...)
}
