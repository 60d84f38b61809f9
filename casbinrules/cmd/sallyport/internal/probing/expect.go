// Package probing prepares the requests of "sallyport probe", and writes its findings.
package probing

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sample"
	"github.com/sallyport-go/sallyport/core/probe"
)

// Person is someone whose credentials were given on the command line.
type Person struct {
	// Name is used in findings, and as the ID of the principal.
	Name string
	// Roles are the roles that the credentials carry.
	Roles []string
}

// Policy determines the expected answers.
type Policy struct {
	// Authorizer decides by the policy.
	Authorizer *ask.Policy
	// Tenant is the tenant of all people, or "".
	Tenant string
	// Attributes are the attributes of all people.
	Attributes map[string]any
	// Canonical returns a question as the guard would ask it.
	Canonical func(ask.Question) (ask.Question, string, error)
	// Patterns maps paths to route patterns, if the policy decides about routes instead of
	// paths; otherwise nil.
	Patterns map[string]string

	people map[string]Person
	rules  []casbinrules.Rule
	word   string
}

// Prepare prepares the policy for questions about people. Someone with the name of a role
// is taken to be a user with that role.
func (p *Policy) Prepare(ctx context.Context, people []Person) {
	p.rules = p.Authorizer.Rules()
	p.word = sample.WordFor(p.rules)
	p.people = map[string]Person{}
	for _, one := range people {
		known := one.Name
		role, err := p.Authorizer.IsRole(ctx, ask.Question{Subject: known, Tenant: p.Tenant, Attributes: p.Attributes, Object: "/", Action: "GET"})
		if err == nil && role {
			one.Name, one.Roles = p.word+"-user", append(slices.Clone(one.Roles), known)
		}
		p.people[known] = one
	}
}

// Expect returns the expected verdict. It is unknown if the policy cannot decide, or if
// only a line for all paths is about the path: the rule of such a route may be elsewhere.
func (p *Policy) Expect(ctx context.Context, as, method, path string) probe.Verdict {
	one, ok := p.people[as]
	if !ok {
		return probe.Unknown
	}
	q := ask.Question{Subject: one.Name, Roles: one.Roles, Tenant: p.Tenant, Attributes: p.Attributes, Object: path, Action: method}
	if p.Patterns != nil {
		if q.Object = p.Patterns[path]; q.Object == "" {
			return probe.Unknown
		}
	}
	q, _, err := p.Canonical(q)
	if err != nil || !p.named(q.Object) {
		return probe.Unknown
	}
	d, err := ask.DecideReadable(ctx, p.Authorizer, q)
	switch {
	case err != nil:
		return probe.Unknown
	case d.Allowed:
		return probe.Allow
	}
	return probe.Deny
}

// named reports whether a line of the policy is specifically about an object, rather than
// about all objects, and about request methods, rather than actions named by the
// application.
func (p *Policy) named(object string) bool {
	return slices.ContainsFunc(p.rules, func(r casbinrules.Rule) bool {
		methods := len(r.Actions) == 0 || slices.ContainsFunc(r.Actions, func(a casbinrules.Pattern) bool { return !ask.Named(a.Text) })
		return methods && slices.ContainsFunc(r.Objects, func(o casbinrules.Pattern) bool {
			all := o.Matches("/"+p.word) && o.Matches("/"+p.word+"/"+p.word)
			return !all && o.Matches(object)
		})
	})
}

// Anonymous reports whether the policy allows requests without credentials.
func (p *Policy) Anonymous(ctx context.Context, method, path string) bool {
	q, _, err := p.Canonical(ask.Question{Subject: ask.Anonymous, Object: path, Action: method})
	if err != nil {
		return false
	}
	d, err := ask.DecideReadable(ctx, p.Authorizer, q)
	return err == nil && d.Allowed
}

// Roles returns the names of roles in the policy, which no refusal should reveal, except
// for those that are everyday words.
func (p *Policy) Roles() []string {
	var names []string
	for _, r := range p.rules {
		if r.Links != "sub" || len(r.Fields) < 2 {
			continue
		}
		if name := r.Fields[1]; !slices.Contains(everyday, strings.ToLower(name)) {
			names = distinct.Add(names, name)
		}
	}
	return names
}

var everyday = []string{"user", "users", "guest", "member", "members", "everyone", "anyone", "all"}

// Users returns the names of users in the policy.
func (p *Policy) Users() []string {
	var names []string
	for _, r := range p.rules {
		if r.Links == "sub" && len(r.Fields) > 1 {
			names = append(names, r.Fields[0])
		}
	}
	return names
}
