// Package probing prepares the requests of "sallyport probe", and writes its findings.
package probing

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sample"
	"github.com/sallyport-go/sallyport/core/probe"
)

// Person is somebody whose credentials are given, as the policy knows them.
type Person struct {
	// Name is in findings, and the ID of the principal.
	Name string
	// Roles are those that the credentials bring.
	Roles []string
}

// Policy answers what should be.
type Policy struct {
	// Authorizer has the policy.
	Authorizer *ask.Policy
	// Tenant is that of all people, or "".
	Tenant string
	// Attributes are those of all people.
	Attributes map[string]any
	// Canonical reads the object of a question as the guard reads paths.
	Canonical func(ask.Question) (ask.Question, string, error)
	// Patterns are the patterns by path where the policy sees routes in place
	// of paths, or nil.
	Patterns map[string]string

	people map[string]Person
	rules  []casbinrules.Rule
	word   string
}

// Prepare makes the policy ready for questions about people. One whose name is
// that of a role is somebody with that role.
func (p *Policy) Prepare(ctx context.Context, people []Person) {
	p.rules = p.Authorizer.Rules()
	var texts []string
	for _, r := range p.rules {
		texts = append(texts, r.Fields...)
	}
	p.word = sample.Word(texts)
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

// Expect is what somebody should get. It is unknown where the policy cannot
// decide, and where no line but one for all paths is about the path: such a route
// may have its rule elsewhere.
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

// named reports whether a line of the policy is about an object, and not about
// all of them, and about request methods, and not about actions that the
// application gives names of its own.
func (p *Policy) named(object string) bool {
	return slices.ContainsFunc(p.rules, func(r casbinrules.Rule) bool {
		methods := len(r.Actions) == 0 || slices.ContainsFunc(r.Actions, func(a casbinrules.Pattern) bool { return !ask.Named(a.Text) })
		return methods && slices.ContainsFunc(r.Objects, func(o casbinrules.Pattern) bool {
			all := o.Matches("/"+p.word) && o.Matches("/"+p.word+"/"+p.word)
			return !all && o.Matches(object)
		})
	})
}

// Anonymous reports whether the policy lets requests without credentials through.
func (p *Policy) Anonymous(ctx context.Context, method, path string) bool {
	q, _, err := p.Canonical(ask.Question{Subject: ask.Anonymous, Object: path, Action: method})
	if err != nil {
		return false
	}
	d, err := ask.DecideReadable(ctx, p.Authorizer, q)
	return err == nil && d.Allowed
}

// Roles are the names of roles in the policy, which no refusal should hold,
// without those that are words of everyday language.
func (p *Policy) Roles() []string {
	var names []string
	for _, r := range p.rules {
		if r.Links != "sub" || len(r.Fields) < 2 {
			continue
		}
		if name := r.Fields[1]; !slices.Contains(everyday, strings.ToLower(name)) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

var everyday = []string{"user", "users", "guest", "member", "members", "everyone", "anyone", "all"}

// Users are names of people that the policy knows.
func (p *Policy) Users() []string {
	var names []string
	for _, r := range p.rules {
		if r.Links == "sub" && len(r.Fields) > 1 {
			names = append(names, r.Fields[0])
		}
	}
	return names
}
