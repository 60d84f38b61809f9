package replay

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// Report says how another policy would have decided the requests of a log.
type Report struct {
	Changes []Change `json:"changes"`
	// Lines counts the lines of the log, Decisions the verdicts of gates among them, and
	// Compared the verdicts that both policies decided.
	Lines     uint64 `json:"lines"`
	Decisions uint64 `json:"decisions"`
	Compared  uint64 `json:"compared"`
	// Lacks counts the other lines, by the reason why they were not compared.
	Lacks []*Lack `json:"lacks,omitempty"`
	// NotReproduced counts decisions by exactly this revision of the old policy that it
	// decides differently here, because the log lacks something or the options differ.
	NotReproduced uint64 `json:"not_reproduced,omitempty"`
	// Readings counts requests whose paths the router could interpret in more than one way;
	// the log only has one of them.
	Readings uint64 `json:"readings,omitempty"`
	// Dropped counts decisions that the log says are missing, and LostAtMost those that a
	// killed process may have lost.
	Dropped    uint64 `json:"dropped,omitempty"`
	LostAtMost uint64 `json:"lost_at_most,omitempty"`
	// SampleRates are the sampling rates of allowed requests, if not all were logged.
	SampleRates []float64 `json:"sample_rates,omitempty"`
	// Unused are the p lines of the new policy that decided none of the requests. Without
	// them, all of the requests would be decided the same.
	Unused []casbinrules.RuleText `json:"unused"`
}

// Change is access that is gained or lost, by whom and how often.
type Change struct {
	// Gains reports that the new policy allows what the old one did not.
	Gains  bool   `json:"gains"`
	Action string `json:"action"`
	// Object is the name, the route or the path that was asked for. Sample is the path of
	// one such request, from the line with number Seq.
	Object string `json:"object"`
	Tenant string `json:"tenant,omitempty"`
	Sample string `json:"sample,omitempty"`
	Seq    uint64 `json:"seq"`
	// Rule is the line that decides: in the new policy or, if Old is set, the line of the
	// old policy that allowed; "" if there is none.
	Rule  string `json:"rule,omitempty"`
	Old   bool   `json:"old,omitempty"`
	Count uint64 `json:"count"`
	// By lists the people concerned, the most frequent first. Others counts requests of
	// people beyond the limit.
	By     []By   `json:"by"`
	Others uint64 `json:"others,omitempty"`
}

// By is how often somebody gains or loses something.
type By struct {
	Principal string `json:"principal"`
	Count     uint64 `json:"count"`
}

// Lack is a reason why lines were not compared.
type Lack struct {
	Why   string `json:"why"`
	Text  string `json:"text"`
	Count uint64 `json:"count"`
	// Samples are the numbers of some of the lines.
	Samples []uint64 `json:"samples,omitempty"`
}

func (l *Lack) trim(n int) {
	slices.Sort(l.Samples)
	l.Samples = l.Samples[:min(len(l.Samples), n)]
}

// Widens reports whether somebody gains access.
func (r *Report) Widens() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Gains })
}

func (t *tally) finish(s *Settings) *Report {
	r := &t.Report
	r.Changes = []Change{}
	for k, g := range t.groups {
		c := Change{
			Gains: k.gains, Action: k.action, Object: k.object, Tenant: k.tenant, Sample: g.sample, Seq: g.first,
			Rule: k.rule, Old: k.old, Count: g.count, Others: g.others, By: []By{},
		}
		for who, n := range g.by {
			c.By = append(c.By, By{who, n})
		}
		slices.SortFunc(c.By, func(a, b By) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Principal, b.Principal))
		})
		r.Changes = append(r.Changes, c)
	}
	slices.SortFunc(r.Changes, func(a, b Change) int {
		if a.Gains != b.Gains {
			if a.Gains {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Action, b.Action),
			cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Rule, b.Rule))
	})
	for _, why := range slices.Sorted(maps.Keys(t.lacking)) {
		r.Lacks = append(r.Lacks, t.lacking[why])
	}
	r.Unused = t.unused(s.New)
	slices.Sort(r.SampleRates)
	r.SampleRates = slices.Compact(r.SampleRates)
	return r
}

// Notes returns what the comparison cannot tell.
func (r *Report) Notes() []string {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	for _, l := range r.Lacks {
		text := l.String()
		if len(l.Samples) > 0 {
			var numbers []string
			for _, n := range l.Samples {
				numbers = append(numbers, strconv.FormatUint(n, 10))
			}
			text += " (number " + strings.Join(numbers, ", ") + ")"
		}
		note("not compared: %s", text)
	}
	for _, rate := range r.SampleRates {
		note("allowed requests were sampled, at %v: what would be lost by others is not known", rate)
	}
	if r.Dropped > 0 {
		note("the log says that %d decisions were dropped", r.Dropped)
	}
	if r.LostAtMost > 0 {
		note("up to %d decisions were lost when processes were killed", r.LostAtMost)
	}
	if r.Readings > 0 {
		note("%d requests could be for other resources, too, which are not compared", r.Readings)
	}
	if r.NotReproduced > 0 {
		note("%d decisions by this very revision of the old policy come out otherwise here: are the options those of the service?", r.NotReproduced)
	}
	return notes
}
