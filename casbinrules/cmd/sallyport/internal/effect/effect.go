// Package effect compares what two policies allow, and not how they are
// written.
package effect

import (
	"context"
	"fmt"
	"slices"

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
	// Notes say what the comparison does not cover.
	Notes []string `json:"notes,omitempty"`
}

// Widens reports whether somebody gains access.
func (r *Report) Widens() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Gains })
}

// TooLargeError says that two policies are too large to be compared.
type TooLargeError struct{ Size, Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the policies name %d combinations of subject, object and action, more than the limit of %d: raise --limit, or compare one tenant with --tenant", e.Size, e.Limit)
}

// Compare asks two policies about every subject, object and action that either
// names, up to limit questions.
func Compare(ctx context.Context, before, after *casbinrules.Authorizer, who ask.Who, limit int) (*Report, error) {
	tenants := hasTenants(before) || hasTenants(after)
	oldRules, newRules := before.Rules(), after.Rules()
	s := newSpace(slices.Concat(oldRules, newRules), who, tenants)
	if s.size() > limit {
		return nil, &TooLargeError{s.size(), limit}
	}
	c := comparison{before: before, after: after, oldRules: oldRules, newRules: newRules, space: s, roles: map[bool][][]string{}}
	if err := c.ask(ctx); err != nil {
		return nil, err
	}
	if err := c.attribute(ctx); err != nil {
		return nil, err
	}
	return &Report{Changes: c.grouped(), Asked: s.size(), Notes: s.notes}, nil
}

func hasTenants(a *casbinrules.Authorizer) bool {
	return slices.ContainsFunc(a.RequestFields(), func(name string) bool { return name != "sub" && name != "obj" && name != "act" })
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
	before, after      *casbinrules.Authorizer
	oldRules, newRules []casbinrules.Rule
	space              *space
	found              []difference
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
	before, err := ask.Decide(ctx, c.before, q)
	if err != nil {
		return fmt.Errorf("old policy: %s %s: %w", q.Action, q.Object, err)
	}
	after, err := ask.Decide(ctx, c.after, q)
	if err != nil {
		return fmt.Errorf("new policy: %s %s: %w", q.Action, q.Object, err)
	}
	if before.Allowed == after.Allowed {
		return nil
	}
	d.gains = after.Allowed
	d.rule, d.old = deciding(before, after)
	c.found = append(c.found, d)
	return nil
}

// deciding is the line that makes the difference: of the new policy if it has
// one, else the one that the old policy has lost.
func deciding(before, after core.Decision) (rule string, old bool) {
	if after.Rule != "" {
		return after.Rule, false
	}
	return before.Rule, before.Rule != ""
}
