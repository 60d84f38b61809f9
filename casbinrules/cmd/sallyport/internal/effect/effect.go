// Package effect compares what two policies allow, and not how they are
// written.
package effect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core"
)

// Change is access that somebody gains or loses.
type Change struct {
	// Gains says that the new policy allows what the old one did not.
	Gains bool `json:"gains"`
	// Kind and Subject say who, Tenant where.
	Kind    ask.Kind `json:"kind"`
	Subject string   `json:"subject"`
	Tenant  string   `json:"tenant,omitempty"`
	// Attributes are the values of those that the model asks for: the change is
	// the same for each combination of them.
	Attributes map[string][]string `json:"attributes,omitempty"`
	// Actions are what; "*" is any of the usual methods.
	Actions []string `json:"actions"`
	// Object is the pattern, and Sample the request that was asked about.
	Object string `json:"object"`
	Sample string `json:"sample"`
	// Rule is the line that decides: one of the new policy, unless the line
	// that allowed is gone or no deny of the new one refuses; "" when none does.
	Rule string `json:"rule,omitempty"`
	// Old says that Rule is a line of the old policy.
	Old bool `json:"old,omitempty"`
	// Also are others who gain or lose the same through this subject's role.
	Also []string `json:"also,omitempty"`
}

// Report is what sets two policies apart.
type Report struct {
	Changes []Change `json:"changes"`
	// Asked is how many requests were compared.
	Asked int `json:"asked"`
	// NotCompared are rules that one policy has and the other has not, and that no
	// change comes from, where not every request could be made up, or role links
	// begin or end later: what they change is not known. Gaps say why.
	NotCompared []Rule   `json:"not_compared,omitempty"`
	Gaps        []string `json:"gaps,omitempty"`
	// OnlyAttributes and OnlyTenants are those that the comparison was narrowed
	// to: for others nothing is known.
	OnlyAttributes map[string][]string `json:"only_attributes,omitempty"`
	OnlyTenants    []string            `json:"only_tenants,omitempty"`
}

// Rule is a line of one of the policies.
type Rule struct {
	casbinrules.RuleText
	// Old says that it is a line of the old policy.
	Old bool `json:"old,omitempty"`
}

// Complete reports whether every request that the policies may answer
// differently was compared.
func (r *Report) Complete() bool { return len(r.NotCompared) == 0 }

// Widens reports whether somebody gains access.
func (r *Report) Widens() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Gains })
}

// TooLargeError says that two policies are too large to be compared.
type TooLargeError struct{ Size, Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("comparing the policies takes %d requests, more than the limit of %d: raise --limit, or compare one tenant with --tenant", e.Size, e.Limit)
}

// Compare asks two policies about one request of every kind that either tells
// apart, up to the limit.
func Compare(ctx context.Context, before, after *ask.Policy, settings Settings) (*Report, error) {
	c := comparison{before: newPolicy(before), after: newPolicy(after), roles: map[bool][][]string{}, allowed: map[string]bool{}}
	var err error
	if c.space, err = newSpace(c.before, c.after, settings); err != nil {
		return nil, err
	}
	if n := c.space.size(); n > settings.Limit {
		return nil, &TooLargeError{n, settings.Limit}
	}
	if err := c.ask(ctx); err != nil {
		return nil, err
	}
	if err := c.checkTenants(settings.Tenants); err != nil {
		return nil, err
	}
	r := &Report{Asked: c.asked, OnlyAttributes: settings.Claims, OnlyTenants: settings.Tenants}
	now := time.Now()
	later := !settings.OneTime && (c.before.changesAfter(now) || c.after.changesAfter(now))
	switch {
	case len(c.space.gaps) > 0 || c.asked == 0:
		r.NotCompared = c.unexplained(func(casbinrules.Rule) bool { return true })
		if !r.Complete() {
			r.Gaps = c.space.gaps
		}
	case later:
		r.NotCompared = c.unexplained(func(r casbinrules.Rule) bool { return !isOver(r, now) })
	}
	if later && !r.Complete() {
		r.Gaps = append(slices.Clip(r.Gaps), "the policies are compared at one time only, and a role link begins or ends later: --at chooses another time")
	}
	if err := c.attribute(ctx); err != nil {
		return nil, err
	}
	r.Changes = folded(c.grouped())
	return r, nil
}

// checkTenants refuses a tenant of which neither policy says anything, since it
// is probably misspelt and comparing it would prove nothing.
func (c *comparison) checkTenants(wanted []string) error {
	if len(wanted) > 0 && !c.before.tenants && !c.after.tenants {
		return errors.New("the model has no tenants")
	}
	known := ask.Tenants(slices.Concat(c.before.rules, c.after.rules))
	for _, tenant := range wanted {
		if !slices.Contains(known, tenant) && !c.allowed[tenant] {
			return fmt.Errorf("neither policy knows the tenant %q%s", tenant, ask.Suggestion(tenant, known))
		}
	}
	return nil
}

// unexplained are the changed rules of a kind that no change comes from.
func (c *comparison) unexplained(kind func(casbinrules.Rule) bool) []Rule {
	told := map[string]bool{}
	for _, d := range c.found {
		told[fmt.Sprint(d.rule, d.old)] = true
	}
	var rules []Rule
	add := func(changed []casbinrules.Rule, old bool) {
		for _, r := range changed {
			if kind(r) && !told[fmt.Sprint(r.Place(), old)] {
				rules = append(rules, Rule{r.RuleText, old})
			}
		}
	}
	add(c.before.changed(c.after), true)
	add(c.after.changed(c.before), false)
	return rules
}

// difference is one question that two policies answer differently.
type difference struct {
	gains           bool
	subject         int // index into the space
	request, action int
	rule            string
	old             bool
}

// comparison is the work of comparing two policies.
type comparison struct {
	before, after *policy
	space         *space
	found         []difference
	// asked counts the requests that a policy has decided by its rules.
	asked int
	// allowed are the tenants in which either policy allows something.
	allowed map[string]bool
	// roles are those of each subject in the policy that allows: the new one
	// for what is gained.
	roles map[bool][][]string
	// also are those who follow each direct difference.
	also map[difference][]string
}

func (c *comparison) ask(ctx context.Context) error {
	for i, subject := range c.space.subjects {
		for j, request := range c.space.requests {
			for k, action := range c.space.actions {
				if err := c.askOne(ctx, difference{subject: i, request: j, action: k}, subject.Question(request.object, action)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *comparison) askOne(ctx context.Context, d difference, q ask.Question) error {
	before, err := ask.Decide(ctx, c.before.Policy, q)
	if err != nil {
		return fmt.Errorf("old policy: %s %s: %w", q.Action, q.Object, err)
	}
	after, err := ask.Decide(ctx, c.after.Policy, q)
	if err != nil {
		return fmt.Errorf("new policy: %s %s: %w", q.Action, q.Object, err)
	}
	if decided(before) || decided(after) {
		c.asked++
	}
	if before.Allowed || after.Allowed {
		c.allowed[q.Tenant] = true
	}
	if before.Allowed == after.Allowed {
		return nil
	}
	d.gains = after.Allowed
	d.rule, d.old = deciding(before, after)
	c.found = append(c.found, d)
	return nil
}

// decided reports whether a decision was made by looking at the rules.
func decided(d core.Decision) bool {
	switch d.Reason {
	case casbinrules.ReasonNoAttribute, casbinrules.ReasonBadAttribute, casbinrules.ReasonNoTenant, casbinrules.ReasonNoObject, core.ReasonNoCredentials:
		return false
	}
	return true
}

// deciding is the line that makes the difference: of the new policy if it has
// one, else the one that the old policy has lost.
func deciding(before, after core.Decision) (rule string, old bool) {
	if after.Rule != "" {
		return after.Rule, false
	}
	return before.Rule, before.Rule != ""
}
