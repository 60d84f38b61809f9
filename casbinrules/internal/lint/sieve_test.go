package lint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern/patterntest"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestSieveMissesNoCoveringRule compares the sieve with the search that it saves, on rules
// of few subjects with patterns that often cover each other.
func TestSieveMissesNoCoveringRule(t *testing.T) {
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 4))
	objects := append(slices.Clone(patterntest.Patterns), "/a/b", "/a/:x/c", "/a/b/c", "/a/b/*", "/files/*", "/files", `/a\.b/c`, "/a/{y}", "/b*", "/b/x")
	actions := []string{"GET", "PUT", "HEAD", "PURGE", "*", ".*", "(GET|PUT)"}
	covered, spared := 0, 0
	for _, function := range []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch", "regexMatch"} {
		text := strings.ReplaceAll(model.Preset("rbac_deny.conf"), "keyMatch2", function)
		for range 30 {
			var b strings.Builder
			few := make([]string, 6)
			for i := range few {
				few[i] = policygen.Pick(rnd, objects)
			}
			for range 2 + rnd.IntN(15) {
				fmt.Fprintf(&b, "p, u%d, %s, %s, %s\n", rnd.IntN(2), policygen.Pick(rnd, few), policygen.Pick(rnd, actions), policygen.Pick(rnd, []string{"allow", "deny"}))
			}
			x := coverIndexOf(t, text, b.String())
			for i, r := range x.rules.All() {
				in := x.index(x.groups.of[i])
				suspect := x.isSuspect(i)
				for _, effect := range []string{"allow", "deny"} {
					if other := in.rule(r, effect); !other.IsZero() {
						covered++
						if !suspect {
							t.Errorf("%s: %q is covered by %q, and not suspected", function, r.Text(), other.Text())
						}
					}
				}
				if !suspect {
					spared++
				}
				checkAnswers(x, t, r, policygen.Pick(rnd, append(patterntest.Objects, objects...)), function)
			}
		}
	}
	if covered < 100 || spared < 100 {
		t.Errorf("%d rules covered, %d spared the search: the cases prove nothing", covered, spared)
	}
}

// checkAnswers asks whether a rule covers an object, and compares the answer with that of
// the search alone.
func checkAnswers(x *coverIndex, t *testing.T, r policy.Rule, object, function string) {
	t.Helper()
	for _, method := range []string{"GET", "PATCH"} {
		want := false
		x.index(x.groups.find(r, 0)).covering(object, func(set *ruleSet) bool {
			want = x.answersMethod(set, method, "") || x.namesMethod(set, method, object)
			return !want
		})
		if got := x.answers(r, 0, object, method, ""); got != want {
			t.Errorf("%s: %s %s beside %q: answered %v, by the search %v", function, method, object, r.Text(), got, want)
		}
	}
}

func coverIndexOf(t *testing.T, text, lines string) *coverIndex {
	t.Helper()
	c := &model.Settings{Casbin: casbinv2.Casbin, AsCasbin: true}
	s := model.ReadSchema("model.conf", text, c)
	if s.File.Failed() {
		t.Fatal(s.File.Findings)
	}
	p := policy.NewReader(s, c)
	p.Read("policy.csv", []byte(lines))
	x := newCoverIndex(s, p.Texts, readShape(s))
	x.take(policy.PolicyLines(p.Rules, nil), c)
	return x
}

// TestSieveOfLongPatterns: a search gives up on patterns of very many segments, and then
// counts them as covered.
func TestSieveOfLongPatterns(t *testing.T) {
	long := strings.Repeat("/a", maxVisits+1)
	x := coverIndexOf(t, model.Preset("rbac.conf"), "p, ann, "+long+", PUT\n")
	if !x.answers(x.rules.At(0), 0, long, "PATCH", "") || !x.isSuspect(0) {
		t.Error("the sieve is sure of a pattern that no search gets to the end of")
	}
}
