package casbinrules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSieveMissesNoCoveringRule compares the sieve with the search that it
// saves, for rules of few subjects with patterns that often cover each other.
func TestSieveMissesNoCoveringRule(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 4))
	objects := append(slices.Clone(oddPatterns), "/a/b", "/a/:x/c", "/a/b/c", "/a/b/*", "/files/*", "/files", `/a\.b/c`, "/a/{y}", "/b*", "/b/x")
	actions := []string{"GET", "PUT", "HEAD", "PURGE", "*", ".*", "(GET|PUT)"}
	covered, spared := 0, 0
	for _, function := range []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch", "regexMatch"} {
		text := strings.ReplaceAll(RBACWithDeny().Text(), "keyMatch2", function)
		for range 30 {
			var b strings.Builder
			few := make([]string, 6)
			for i := range few {
				few[i] = pick(rnd, objects)
			}
			for range 2 + rnd.IntN(15) {
				fmt.Fprintf(&b, "p, u%d, %s, %s, %s\n", rnd.IntN(2), pick(rnd, few), pick(rnd, actions), pick(rnd, []string{"allow", "deny"}))
			}
			x := coverIndexOf(t, text, b.String())
			for i, r := range x.rules {
				in := x.index(x.groups.of[i])
				suspect := x.isSuspect(i)
				for _, effect := range []string{"allow", "deny"} {
					if other := in.rule(r, effect); other != nil {
						covered++
						if !suspect {
							t.Errorf("%s: %q is covered by %q, and not suspected", function, r.text(), other.text())
						}
					}
				}
				if !suspect {
					spared++
				}
				x.checkAnswers(t, r, pick(rnd, append(oddObjects, objects...)), function)
			}
		}
	}
	if covered < 100 || spared < 100 {
		t.Errorf("%d rules covered, %d spared the search: the cases prove nothing", covered, spared)
	}
}

// checkAnswers asks whether somebody answers about an object, and compares the
// answer with that of the search alone.
func (x *coverIndex) checkAnswers(t *testing.T, r *rule, object, function string) {
	t.Helper()
	for _, method := range []string{"GET", "PATCH"} {
		want := false
		x.index(x.groups.find(r, 0)).covering(object, func(set *ruleSet) bool {
			want = x.answersMethod(set, method, "") || x.namesMethod(set, method, object)
			return !want
		})
		if got := x.answers(r, 0, object, method, ""); got != want {
			t.Errorf("%s: %s %s beside %q: answered %v, by the search %v", function, method, object, r.text(), got, want)
		}
	}
}

func coverIndexOf(t *testing.T, model, policy string) *coverIndex {
	t.Helper()
	c := &settings{asCasbin: true}
	s := readSchema("model.conf", model, c)
	if s.file.failed() {
		t.Fatal(s.file.findings)
	}
	p := newPolicyReader(s, c)
	p.read("policy.csv", []byte(policy))
	x := newCoverIndex(s, s.readShape())
	x.take(policyLines(p.rules), c)
	return x
}

// TestSieveOfLongPatterns: a search gives up in patterns of very many segments,
// and what it has not found then counts as answered.
func TestSieveOfLongPatterns(t *testing.T) {
	long := strings.Repeat("/a", maxVisits+1)
	x := coverIndexOf(t, RBAC().Text(), "p, ann, "+long+", PUT\n")
	if !x.answers(x.rules[0], 0, long, "PATCH", "") || !x.isSuspect(0) {
		t.Error("the sieve is sure of a pattern that no search gets to the end of")
	}
}
