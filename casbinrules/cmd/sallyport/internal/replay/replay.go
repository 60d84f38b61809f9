// Package replay decides the requests of a decision log again, by another policy.
package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// Why a line of a log is not replayed.
const (
	LackGate       = "other_gate"        // a gate decided that asks no policy
	LackAsked      = "not_asked"         // it was refused before the policy was asked
	LackDecision   = "no_decision"       // there was an outage, or nobody waited
	LackCut        = "cut"               // the log has not all of the request
	LackPseudonym  = "pseudonyms"        // the log has pseudonyms in place of names
	LackAttribute  = "missing_attribute" // a policy asks for an attribute that the log lacks
	LackUnreadable = "unreadable"        // it is no line of a decision log
	LackFailed     = "failed"            // a policy cannot decide it
)

// lacks says each in words, for a number of lines.
var lacks = map[string]string{
	LackGate:       "decided by gates that ask no policy",
	LackAsked:      "refused before the policy was asked",
	LackDecision:   "without a decision, such as those of an outage",
	LackCut:        "too long for the log, which has them without their end",
	LackPseudonym:  "with pseudonyms in place of names, which no rule has",
	LackAttribute:  "without an attribute that a policy asks for",
	LackUnreadable: "that are no lines of a decision log",
	LackFailed:     "that a policy fails for",
}

// Settings say what is compared.
type Settings struct {
	// Old is the policy before, or nil for what the log says. New is the one after.
	Old, New *casbinrules.Authorizer
	// Samples is how many places are kept of each kind of lines that are not
	// replayed.
	Samples int
}

// entry is a kind of line: equal requests with equal answers.
type entry struct {
	count uint64
	first uint64 // number of the first such line in the log
}

// line is what a replay asks for of a line.
type line struct {
	Outcome  core.Outcome         `json:"outcome,omitempty"`
	Reason   core.Reason          `json:"reason,omitempty"`
	Gate     string               `json:"gate,omitempty"`
	Rule     string               `json:"rule,omitempty"`
	Revision string               `json:"revision,omitempty"`
	Request  *decisionlog.Request `json:"request,omitempty"`
}

var pseudonym = regexp.MustCompile(`^~[0-9a-f]{4}\.[0-9a-f]{24}$`)

// lack is why a line cannot be replayed, or "".
func (l *line) lack() string {
	r := l.Request
	switch {
	case r == nil:
		return LackUnreadable
	case l.Gate != "authorize":
		return LackGate
	case r.Action == "":
		return LackAsked
	case l.Outcome != core.OutcomeAllowed && l.Outcome != core.OutcomeForbidden && l.Outcome != core.OutcomeUnauthenticated:
		return LackDecision
	case r.Cut:
		return LackCut
	case pseudonym.MatchString(r.Principal), pseudonym.MatchString(r.Tenant), slices.ContainsFunc(r.TokenRoles, pseudonym.MatchString):
		return LackPseudonym
	}
	for _, value := range r.Attributes {
		if pseudonym.MatchString(value) {
			return LackPseudonym
		}
	}
	return ""
}

// request is what a policy looks at of a request beside its resource.
type request struct {
	core.Request
	method string
}

func (r request) Method() string { return r.method }

// question is a line as it is put to policies.
type question struct {
	principal *core.Principal // nil for a request without credentials
	access    core.Access
}

func (l *line) question() (q question, err error) {
	r := l.Request
	q.access = core.Access{
		Action: r.Action, Request: request{method: r.Method},
		Resource: core.Resource{Route: r.Route, Path: r.Resource, Name: r.Name, Folded: r.Folded},
	}
	if r.Principal == "" {
		return q, nil
	}
	claims := map[string]any{}
	for name, value := range r.Attributes {
		claims[name] = value
	}
	q.principal, err = core.NewPrincipal(core.PrincipalInfo{ID: r.Principal, Roles: r.TokenRoles, Tenant: r.Tenant, Claims: claims})
	return q, err
}

func (q question) decide(ctx context.Context, a *casbinrules.Authorizer) (core.Decision, error) {
	if q.principal == nil {
		return a.AuthorizeAnonymous(ctx, q.access)
	}
	return a.Authorize(ctx, q.principal, q.access)
}

// run is the work of one goroutine.
type run struct {
	*Settings
	ctx     context.Context
	entries map[string]*entry
	report  *tally
	oldHash string
}

// maxEntries is how many kinds of lines are kept before they are decided, so that a
// log of many needs no more memory than one of few.
const maxEntries = 200_000

// flush decides all kinds of lines that were found.
func (r *run) flush() error {
	for text, e := range r.entries {
		if err := r.decide(text, e); err != nil {
			return err
		}
	}
	clear(r.entries)
	return nil
}

// decide decides one kind of line, however many there are of it.
func (r *run) decide(text string, e *entry) error {
	var l line
	if err := json.Unmarshal([]byte("{"+text+"}"), &l); err != nil {
		r.report.lack(LackUnreadable, e)
		return nil
	}
	if lack := l.lack(); lack != "" {
		r.report.lack(lack, e)
		return nil
	}
	q, err := l.question()
	if err != nil {
		r.report.lack(LackFailed, e)
		return nil
	}
	before := core.Decision{Allowed: l.Outcome == core.OutcomeAllowed, Reason: l.Reason, Rule: l.Rule}
	if r.Old != nil {
		before, err = q.decide(r.ctx, r.Old)
	}
	var after core.Decision
	if err == nil {
		after, err = q.decide(r.ctx, r.New)
	}
	switch {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case err != nil:
		r.report.lack(LackFailed, e)
		return nil
	case l.Reason != casbinrules.ReasonNoAttribute && (before.Reason == casbinrules.ReasonNoAttribute || after.Reason == casbinrules.ReasonNoAttribute):
		r.report.lack(LackAttribute, e)
		return nil
	}
	r.report.Compared += e.count
	if r.Old != nil && l.Revision == r.oldHash && before.Allowed != (l.Outcome == core.OutcomeAllowed) {
		r.report.NotReproduced += e.count
	}
	if after.Rule != "" {
		r.report.used[after.Rule] += e.count
	}
	if l.Request.Readings > 0 {
		r.report.Readings += e.count
	}
	if before.Allowed != after.Allowed {
		r.report.change(&l, before, after, e)
	}
	return nil
}

// tally is what one goroutine has counted.
type tally struct {
	Report
	samples int
	groups  map[groupKey]*group
	used    map[string]uint64
	lacking map[string]*Lack
}

func newTally(samples int) *tally {
	return &tally{samples: samples, groups: map[groupKey]*group{}, used: map[string]uint64{}, lacking: map[string]*Lack{}}
}

func (t *tally) lack(why string, e *entry) {
	l := t.lacking[why]
	if l == nil {
		l = &Lack{Why: why, Text: lacks[why]}
		t.lacking[why] = l
	}
	l.Count += e.count
	l.Samples = append(l.Samples, e.first)
	l.trim(t.samples)
}

// groupKey is what changes are grouped by: all but who.
type groupKey struct {
	gains                        bool
	tenant, action, object, rule string
	old                          bool
}

// group is a change with those whom it is about.
type group struct {
	sample string
	first  uint64
	count  uint64
	by     map[string]uint64
	others uint64
}

// The most that is kept of what clients can make up any number of.
const (
	maxGroups     = 20_000
	maxPrincipals = 10_000
)

// otherObjects is the object of changes beyond those.
const otherObjects = "(other objects)"

func (t *tally) change(l *line, before, after core.Decision, e *entry) {
	r := l.Request
	k := groupKey{gains: after.Allowed, tenant: r.Tenant, action: r.Action, object: r.Name}
	if k.object == "" {
		k.object = r.Route
	}
	if k.object == "" {
		k.object = r.Resource
	}
	k.rule, k.old = after.Rule, false
	if k.rule == "" {
		k.rule, k.old = before.Rule, before.Rule != ""
	}
	g := t.group(k)
	if g.count == 0 || e.first < g.first {
		g.first, g.sample = e.first, r.Resource
	}
	who := r.Principal
	if who == "" {
		who = "anonymous"
	}
	g.add(who, e.count)
}

func (t *tally) group(k groupKey) *group {
	if t.groups[k] == nil && len(t.groups) >= maxGroups {
		k.tenant, k.object = "", otherObjects
	}
	if t.groups[k] == nil {
		t.groups[k] = &group{by: map[string]uint64{}}
	}
	return t.groups[k]
}

func (g *group) add(who string, n uint64) {
	g.count += n
	if _, known := g.by[who]; known || len(g.by) < maxPrincipals {
		g.by[who] += n
		return
	}
	g.others += n
}

// merge adds what another goroutine has counted.
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
			to.add(who, g.by[who])
		}
		to.count += g.others
		to.others += g.others
	}
}

// unused are the p lines of a policy that decided nothing.
func (t *tally) unused(a *casbinrules.Authorizer) []casbinrules.RuleText {
	var rules []casbinrules.RuleText
	for _, r := range a.Rules() {
		if r.Kind == "p" && t.used[r.Place()] == 0 {
			rules = append(rules, r.RuleText)
		}
	}
	return rules
}

// String says a lack in words.
func (l *Lack) String() string { return fmt.Sprintf("%d lines %s", l.Count, l.Text) }
