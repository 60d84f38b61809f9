// Package effect compares what two policies allow, rather than how they are written.
package effect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/core"
)

// Change is access that somebody gains or loses.
type Change struct {
	// Gains reports that the new policy allows what the old one did not.
	Gains bool `json:"gains"`
	// Kind and Subject say who, and Tenant in which tenant.
	Kind    ask.Kind `json:"kind"`
	Subject string   `json:"subject"`
	Tenant  string   `json:"tenant,omitempty"`
	// Attributes are the values of the attributes that the model uses. The change is the
	// same for every combination of them.
	Attributes map[string][]string `json:"attributes,omitempty"`
	// From is the future time at which the change takes effect, in UTC; "" for now.
	From string `json:"from,omitempty"`
	// Actions are the actions; "*" stands for all usual methods.
	Actions []string `json:"actions"`
	// Object is the pattern of the rule, and Sample the object that was asked about.
	Object string `json:"object"`
	Sample string `json:"sample"`
	// Rule is the line that decides. It is a line of the new policy, unless the old line
	// that allowed is gone, or no deny of the new policy refuses; "" if there is none.
	Rule string `json:"rule,omitempty"`
	// Old reports that Rule is a line of the old policy.
	Old bool `json:"old,omitempty"`
	// Also lists subjects that gain or lose the same because they have this subject's role,
	// now or later.
	Also []string `json:"also,omitempty"`
}

// Report is the difference between the effects of two policies.
type Report struct {
	Changes []Change `json:"changes"`
	// Asked is the number of requests that were compared, including those that need not
	// be asked because the same lines of both policies match them.
	Asked int `json:"asked"`
	// NotCompared are rules for which not every request could be generated, so that their
	// effect is unknown: rules that only one policy has, or that only there are the last
	// one for a role link, and that cause none of Changes. Gaps give the reasons.
	NotCompared []Rule   `json:"not_compared,omitempty"`
	Gaps        []string `json:"gaps,omitempty"`
	// OnlyAttributes and OnlyTenants are what the comparison was limited to; nothing is
	// known about others.
	OnlyAttributes map[string][]string `json:"only_attributes,omitempty"`
	OnlyTenants    []string            `json:"only_tenants,omitempty"`

	questions int // that were asked
}

// Rule is a line of one of the policies.
type Rule struct {
	casbinrules.RuleText
	// Old reports that it is a line of the old policy.
	Old bool `json:"old,omitempty"`
}

// Complete reports whether every request that the policies may answer
// differently was compared.
func (r *Report) Complete() bool { return len(r.NotCompared) == 0 }

// Widens reports whether somebody gains access.
func (r *Report) Widens() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Gains })
}

// TooLargeError means that two policies are too large to be compared.
type TooLargeError struct{ Size, Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("comparing the policies takes at least %d requests, more than the limit of %d: raise --limit, or compare one tenant with --tenant or one time with --at", e.Size, e.Limit)
}

// Compare asks two policies about one request of every kind that either of them
// distinguishes, up to the limit. Requests that no difference between the two concerns
// need not be asked, and do not count for the limit.
func Compare(ctx context.Context, before, after *ask.Policy, settings Settings) (*Report, error) {
	c := comparison{
		before: newPolicy(before, settings.Prefix), after: newPolicy(after, settings.Prefix), clock: settings.Clock, wanted: settings.Tenants, everything: settings.everything,
		roles: map[bool][][]string{}, allowed: map[string]bool{}, indexOf: map[difference]int{}, also: map[difference][]string{}, reported: map[place]bool{},
	}
	var err error
	if c.space, err = newSpace(c.before, c.after, settings); err != nil {
		return nil, err
	}
	if err := c.compare(ctx, settings.Limit); err != nil {
		return nil, err
	}
	if err := c.checkTenants(); err != nil {
		return nil, err
	}
	r := &Report{Asked: c.asked, questions: c.size, OnlyAttributes: settings.Claims, OnlyTenants: settings.Tenants}
	if len(c.space.gaps) > 0 || c.asked == 0 {
		r.NotCompared = c.unexplained()
		if !r.Complete() {
			r.Gaps = c.space.gaps
		}
	}
	r.Changes = mergeByAttribute(c.grouped())
	return r, nil
}

// compare finds the differences at every moment.
func (c *comparison) compare(ctx context.Context, limit int) error {
	if c.clock != nil {
		defer c.clock.Set(nil)
	}
	moments := c.moments()
	if err := c.plan(ctx, moments, limit); err != nil || c.size > limit {
		return cmp.Or(err, error(&TooLargeError{c.size, limit}))
	}
	for _, m := range moments {
		if err := c.setMoment(ctx, m); err != nil {
			return err
		}
		if err := c.ask(ctx); err != nil {
			return err
		}
		c.addResults(c.attributed())
	}
	return nil
}

// checkTenants rejects a tenant that neither policy mentions, since it is probably
// misspelt, and comparing it would prove nothing.
func (c *comparison) checkTenants() error {
	if len(c.wanted) > 0 && !c.before.tenants && !c.after.tenants {
		return errors.New("the model has no tenants")
	}
	known := ask.Tenants(slices.Concat(c.before.rules, c.after.rules))
	for _, tenant := range c.wanted {
		if !c.knowsTenant(tenant) && !c.allowed[tenant] {
			return fmt.Errorf("neither policy knows the tenant %q%s", tenant, ask.Suggestion(tenant, known))
		}
	}
	return nil
}

// unexplained returns the changed rules that cause no change in effect.
func (c *comparison) unexplained() []Rule {
	var rules []Rule
	add := func(changed []casbinrules.Rule, old bool) {
		for _, r := range changed {
			if !c.reported[place{r.Place(), old}] {
				rules = append(rules, Rule{r.RuleText, old})
			}
		}
	}
	add(c.before.changed(c.after), true)
	add(c.after.changed(c.before), false)
	return rules
}

// difference is a question that the two policies answer differently.
type difference struct {
	gains           bool
	subject         int // index into space.subjects
	request, action int
	place
}

// place identifies a line of one of the policies.
type place struct {
	rule string
	old  bool
}

type comparison struct {
	before, after *policy
	clock         *ask.Clock
	space         *space
	// wanted are the tenants to compare; nil for all. everything is that of Settings.
	wanted     []string
	everything bool
	// asked counts the requests that were decided by looking at the rules.
	asked int
	// allowed are the tenants in which at least one policy allows something.
	allowed map[string]bool
	// moment is the moment being compared. roles are the roles of each subject at that moment
	// in the policy that allows, which for gained access is the new one. found are the
	// differences.
	moment moment
	roles  map[bool][][]string
	found  []difference
	// size is the number of questions at all moments, including one about everyone's
	// roles at each moment after the first; above the limit, a lower bound of it.
	size int
	// planned are the questions to ask about each subject in each state, as indexes of
	// requests times the number of actions plus those of actions. byState caches the
	// differences that these have found.
	planned []map[string][]int32
	byState []map[string][]difference
	// reported are the lines that differences were attributed to.
	reported map[place]bool

	// results are the differences of all moments that do not follow from others, without
	// duplicates, each with the time at which it begins; indexOf is their index by difference
	// without its place. also are the differences that follow from each of them.
	results []dated
	indexOf map[difference]int
	also    map[difference][]string
}

// dated is a difference with the future time at which it begins, "" for now.
type dated struct {
	difference
	from string
}

func (c *comparison) ask(ctx context.Context) error {
	c.found = nil
	if c.byState == nil {
		c.byState = make([]map[string][]difference, len(c.space.subjects))
	}
	for i := range c.space.subjects {
		state := c.state(i)
		found, known := c.byState[i][state]
		if !known {
			var err error
			if found, err = c.askSubject(ctx, i, c.planned[i][state]); err != nil {
				return err
			}
			if c.byState[i] == nil {
				c.byState[i] = map[string][]difference{}
			}
			c.byState[i][state] = found
		}
		c.found = append(c.found, found...)
	}
	return nil
}

func (c *comparison) askSubject(ctx context.Context, i int, questions []int32) (found []difference, err error) {
	actions := len(c.space.actions)
	for _, n := range questions {
		d := difference{subject: i, request: int(n) / actions, action: int(n) % actions}
		differs, err := c.askOne(ctx, &d, c.question(d))
		if err != nil {
			return nil, err
		}
		if differs {
			c.reported[d.place] = true
			found = append(found, d)
		}
	}
	return found, c.countRest(ctx, i, len(questions))
}

func (c *comparison) question(d difference) ask.Question {
	return c.space.subjects[d.subject].Question(c.space.requests[d.request].object, c.space.actions[d.action])
}

// countRest counts the requests of a subject that need not be asked, if requests of the
// subject are decided at all.
func (c *comparison) countRest(ctx context.Context, i, asked int) error {
	rest := c.space.perSubject() - asked
	if rest == 0 {
		return nil
	}
	before := c.asked
	d := difference{subject: i}
	_, err := c.askOne(ctx, &d, c.question(d))
	if c.asked > before {
		c.asked = before + rest
	}
	return err
}

// addResults adds the differences of a moment, and those that follow from each, to those of
// earlier moments.
func (c *comparison) addResults(direct []difference, also map[difference][]string) {
	for _, d := range direct {
		bare := d
		bare.place = place{}
		at, known := c.indexOf[bare]
		if !known {
			at = len(c.results)
			c.indexOf[bare] = at
			c.results = append(c.results, dated{d, c.moment.from})
		}
		first := c.results[at].difference
		c.also[first] = distinct.Add(c.also[first], also[d]...)
	}
}

// askOne asks both policies one question, and reports whether the answers differ.
func (c *comparison) askOne(ctx context.Context, d *difference, q ask.Question) (bool, error) {
	before, err := ask.Decide(ctx, c.before.Policy, q)
	if err != nil {
		return false, fmt.Errorf("old policy: %s %s: %w", q.Action, q.Object, err)
	}
	after, err := ask.Decide(ctx, c.after.Policy, q)
	if err != nil {
		return false, fmt.Errorf("new policy: %s %s: %w", q.Action, q.Object, err)
	}
	if decided(before) || decided(after) {
		c.asked++
	}
	if before.Allowed || after.Allowed {
		c.allowed[q.Tenant] = true
	}
	d.gains = after.Allowed
	if d.rule = after.Rule; d.rule == "" { // what the old policy has lost
		d.rule, d.old = before.Rule, before.Rule != ""
	}
	return before.Allowed != after.Allowed, nil
}

// decided reports whether a decision was made by looking at the rules.
func decided(d core.Decision) bool {
	switch d.Reason {
	case casbinrules.ReasonNoAttribute, casbinrules.ReasonBadAttribute, casbinrules.ReasonNoTenant, casbinrules.ReasonNoObject, core.ReasonNoCredentials:
		return false
	}
	return true
}
