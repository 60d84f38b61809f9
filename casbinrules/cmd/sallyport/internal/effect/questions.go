package effect

import (
	"context"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// perSubject returns the number of requests of each subject.
func (s *space) perSubject() int { return len(s.requests) * len(s.actions) }

// differences returns a function for the questions about a subject that the policies may
// answer differently at the present moment: all of them if nothing is known about that.
func (c *comparison) differences(ctx context.Context) func(subject int) ([]int32, error) {
	everything := make([]int32, c.space.perSubject())
	for i := range everything {
		everything[i] = int32(i)
	}
	var actions []casbinrules.Action
	for _, action := range c.space.actions {
		actions = append(actions, casbinrules.Action{Name: action, Named: ask.Named(action)})
	}
	d, err := c.before.Differences(ctx, c.after.Authorizer, c.space.objects(), actions)
	return func(subject int) ([]int32, error) {
		s := c.space.subjects[subject]
		if c.everything || err != nil || c.before.Alone != c.after.Alone || !c.knowsTenant(s.Tenant) {
			return everything, nil
		}
		principals, err := c.before.PrincipalsOf(s)
		if err != nil {
			return nil, err
		}
		var questions []int32
		for _, p := range principals {
			questions = union(questions, d.Of(p))
		}
		return questions, nil
	}
}

// knowsTenant reports whether a tenant is known to be one of the policies', without asking
// in which tenants they allow something; see checkTenants.
func (c *comparison) knowsTenant(tenant string) bool {
	if !slices.Contains(c.wanted, tenant) {
		return true
	}
	for _, r := range slices.Concat(c.before.rules, c.after.rules) {
		for _, p := range r.Tenants {
			if p.Text == tenant || p.Matches(tenant) {
				return true
			}
		}
	}
	return false
}

// union returns the numbers in two lists, each of which is sorted.
func union(a, b []int32) []int32 {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
