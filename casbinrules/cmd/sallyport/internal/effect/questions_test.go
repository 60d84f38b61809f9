package effect

import (
	"math/rand/v2"
	"os"
	"reflect"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// The report is the same as if every request were asked, for all models, with role links
// that have times, and where options of the policies differ; and most requests are not
// asked.
func TestOnlyRequestsThatMayDifferAreAsked(t *testing.T) {
	seed := authtest.Seed(t)
	r := rand.New(rand.NewPCG(seed, 51))
	rounds, models := 30, 300
	if os.Getenv("SALLYPORT_LONG") != "" {
		rounds, models = 400, 4000
	} else if testing.Short() {
		rounds, models = 6, 60
	}
	all := allFamilies()
	for _, f := range timedFamilies {
		f.clock = &ask.Clock{}
		all = append(all, f)
	}
	for range models / rounds {
		all = append(all, randomFamily(r))
	}
	options := [][]casbinrules.Option{
		nil, nil, nil, nil, {casbinrules.WithDefaultRole("r1")}, {casbinrules.WithAnonymous()}, {casbinrules.WithRolePrefix("r")}, {casbinrules.WithCasbinSemantics()},
	}
	compared, changed, asked, possible := 0, 0, 0, 0
	for _, f := range all {
		for range rounds {
			lines := f.random(r)
			after := f.edited(lines, r)
			common := options[r.IntN(len(options))]
			old, now, ok := f.openSides(f.timedIf(r, lines), f.timedIf(r, after), common, r)
			if !ok {
				continue
			}
			if r.IntN(4) == 0 {
				old.Alone, now.Alone = everybody[r.IntN(4)], everybody[r.IntN(4)]
			}
			settings := Settings{Types: f.types, Limit: 1_000_000, Clock: f.clock, Who: ask.Who{NoTokenRoles: f.noTokenRoles, Anonymous: r.IntN(3) == 0}}
			if r.IntN(8) == 0 && f.request == ", dom" {
				settings.Tenants = []string{"t1"}
			}
			got, err := Compare(t.Context(), old, now, settings)
			settings.everything = true
			want, werr := Compare(t.Context(), old, now, settings)
			if (err == nil) != (werr == nil) {
				t.Fatalf("%s: %q %q: %v, and %v if everything is asked", f.matcher, lines, after, err, werr)
			}
			if err != nil {
				continue
			}
			compared++
			if len(want.Changes) > 0 {
				changed++
			}
			asked, possible = asked+got.questions, possible+want.questions
			if settings.Anonymous {
				got.Asked = want.Asked // requests without credentials may be decided by no rule
			}
			if got.questions = want.questions; !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: %s\n%s\nold %q\nnew %q\ngot  %+v\nwant %+v", seed, f.model().Text(), f.matcher, lines, after, got, want)
			}
		}
	}
	t.Logf("%d compared, %d with changes; %d of %d requests asked", compared, changed, asked, possible)
	if changed < compared/4 || asked > possible/2 {
		t.Errorf("of %d comparisons %d have changes, and %d of %d requests are asked", compared, changed, asked, possible)
	}
}

// timedIf gives role links of a family with times a start and an end.
func (f family) timedIf(r *rand.Rand, lines []string) []string {
	if f.clock == nil {
		return lines
	}
	return f.timed(r, lines)
}

// openSides opens two policies with common options, one of which may have one more.
func (f family) openSides(before, after []string, common []casbinrules.Option, r *rand.Rand) (old, now *ask.Policy, ok bool) {
	if f.clock != nil {
		common = append(common[:len(common):len(common)], casbinrules.WithClock(f.clock.Now))
	}
	sides := [2][]casbinrules.Option{common, common}
	if side := r.IntN(12); side < 2 {
		more := []casbinrules.Option{casbinrules.WithDefaultRole("r2"), casbinrules.WithoutTokenRoles(), casbinrules.WithAnonymous()}[r.IntN(3)]
		sides[side] = append(common[:len(common):len(common)], more)
	}
	old, err := f.open(before, sides[0]...)
	if err != nil {
		return nil, nil, false
	}
	now, err = f.open(after, sides[1]...)
	return old, now, err == nil
}
