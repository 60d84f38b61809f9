package replay

import (
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/printable"
)

// tally holds the counts of one goroutine.
type tally struct {
	Report
	samples int
	groups  map[groupKey]*group
	named   int // people in all groups
	used    map[string]uint64
	lacking map[string]*Lack
}

func newTally(samples int) *tally {
	return &tally{samples: samples, groups: map[groupKey]*group{}, used: map[string]uint64{}, lacking: map[string]*Lack{}}
}

// add counts lines of one kind; first is the lowest of their numbers, or 0.
func (t *tally) add(a answer, count, first uint64) {
	if a.lack != "" {
		l := t.lacking[a.lack]
		if l == nil {
			l = &Lack{Why: a.lack, Text: lacks[a.lack]}
			t.lacking[a.lack] = l
		}
		l.Count += count
		full := len(l.Samples) == t.samples && (t.samples == 0 || first >= l.Samples[t.samples-1])
		if first > 0 && !full { // a malformed line has no number
			l.Samples = append(l.Samples, first)
			l.trim(t.samples)
		}
		return
	}
	t.Compared += count
	if a.notReproduced {
		t.NotReproduced += count
	}
	if a.readings {
		t.Readings += count
	}
	if a.rule != "" {
		t.used[a.rule] += count
	}
	if c := a.change; c != nil {
		g := t.group(c.groupKey)
		if g.count == 0 || first < g.first {
			g.first, g.sample = first, c.resource
		}
		t.people(g, c.who, count)
	}
}

// groupKey is what changes are grouped by: everything except the person.
type groupKey struct {
	gains                        bool
	tenant, action, object, rule string
	old                          bool
}

// group is a change with the people concerned.
type group struct {
	sample string
	first  uint64
	count  uint64
	by     map[string]uint64
	others uint64
}

// The limits on values that clients can invent without bound.
const (
	maxGroups     = 20_000
	maxPrincipals = 10_000
	maxNamed      = 500_000
)

// otherObjects is the object of changes beyond those limits.
const otherObjects = "(other objects)"

func (t *tally) group(k groupKey) *group {
	if t.groups[k] == nil && len(t.groups) >= maxGroups {
		k.tenant, k.object = "", otherObjects
	}
	if t.groups[k] == nil {
		t.groups[k] = &group{by: map[string]uint64{}}
	}
	return t.groups[k]
}

// people adds n requests of one person to a group.
func (t *tally) people(g *group, who string, n uint64) {
	g.count += n
	_, known := g.by[who]
	switch {
	case known:
	case len(g.by) >= maxPrincipals || t.named >= maxNamed:
		g.others += n
		return
	default:
		t.named++
		who = strings.Clone(who) // the string may be part of a line's buffer
	}
	g.by[who] += n
}

// merge adds the counts of another goroutine.
func (t *tally) merge(other *tally) {
	t.Lines += other.Lines
	t.Decisions += other.Decisions
	t.Compared += other.Compared
	t.NotReproduced += other.NotReproduced
	t.Readings += other.Readings
	t.Dropped += other.Dropped
	t.LostAtMost += other.LostAtMost
	t.SampleRates = append(t.SampleRates, other.SampleRates...)
	for rule, n := range other.used {
		t.used[rule] += n
	}
	for why, l := range other.lacking {
		if t.lacking[why] == nil {
			t.lacking[why] = &Lack{Why: l.Why, Text: l.Text}
		}
		t.lacking[why].Count += l.Count
		t.lacking[why].Samples = append(t.lacking[why].Samples, l.Samples...)
		t.lacking[why].trim(t.samples)
	}
	for k, g := range other.groups {
		to := t.group(k)
		if to.count == 0 || g.first < to.first {
			to.first, to.sample = g.first, g.sample
		}
		for _, who := range slices.Sorted(maps.Keys(g.by)) {
			t.people(to, who, g.by[who])
		}
		to.count += g.others
		to.others += g.others
	}
}

// unused returns the p lines of a policy that decided nothing.
func (t *tally) unused(a *ask.Policy) []casbinrules.RuleText {
	var rules []casbinrules.RuleText
	for _, r := range a.Rules() {
		if r.Kind == "p" && t.used[r.Place()] == 0 {
			rules = append(rules, r.RuleText)
		}
	}
	return rules
}

// String describes a lack in words.
func (l *Lack) String() string { return printable.Count(l.Count, "line") + " " + l.Text }
