package rule

import (
	"context"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
)

// parts is the common part of rules that combine other rules. It forwards their
// optional interfaces, so that a policy that adds roles still does so when it is
// combined with another rule.
type parts struct {
	label
	rules   []core.Authorizer
	texts   []string // of the rules
	names   []string
	sources []core.RoleSource
}

func newParts(function string, rules []core.Authorizer) parts {
	if len(rules) == 0 {
		panic("rule." + function + ": no rule given")
	}
	ps := parts{rules: slices.Clone(rules)}
	texts := make([]string, len(rules))
	for i, r := range rules {
		if isnil.Value(r) {
			panic(fmt.Sprintf("rule.%s: rule %d is nil", function, i+1))
		}
		texts[i] = describe(r)
		ps.names = append(ps.names, wrapped.Gather(r, core.RoleNamer.RoleNames)...)
		ps.sources = append(ps.sources, wrapped.Sources[core.RoleSource](r)...)
	}
	ps.texts = texts
	ps.label = labelOf(function, texts)
	return ps
}

// RoleSources returns the parts that add roles.
func (ps *parts) RoleSources() []core.RoleSource { return ps.sources }

// RoleNames implements [core.RoleNamer].
func (ps *parts) RoleNames() []string { return slices.Clone(ps.names) }

// RolesOf implements [core.RoleSource] with the roles of all parts.
func (ps *parts) RolesOf(ctx context.Context, p *core.Principal) ([]string, error) {
	var all []string
	for _, source := range ps.sources {
		roles, err := source.RolesOf(ctx, p)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			all = slices.Clip(roles) // a second source must not append to it
		} else {
			all = append(all, roles...)
		}
	}
	return all, nil
}

// KnownRoles implements [core.RoleLister]. It returns an empty list, for unknown,
// unless every part that adds roles can list them.
func (ps *parts) KnownRoles() []string {
	var all []string
	for _, source := range ps.sources {
		lister, ok := wrapped.As[core.RoleLister](source)
		if !ok {
			return nil
		}
		roles := lister.KnownRoles()
		if len(roles) == 0 {
			return nil
		}
		all = append(all, roles...)
	}
	return all
}

// evaluate asks one part. With an error the decision never allows.
func (ps *parts) evaluate(ctx context.Context, r core.Authorizer, p *core.Principal, a core.Access) (core.Decision, error) {
	return ps.checked(r.Authorize(ctx, p, a))
}

// evaluateAnonymous asks one part about a request without credentials. A part that
// is not a [core.AnonymousAuthorizer] refuses.
func (ps *parts) evaluateAnonymous(ctx context.Context, r core.Authorizer, a core.Access) (core.Decision, error) {
	if anonymous, ok := r.(core.AnonymousAuthorizer); ok {
		return ps.checked(anonymous.AuthorizeAnonymous(ctx, a))
	}
	return core.Decision{Reason: core.ReasonNoCredentials, Rule: ps.String()}, nil
}

func (ps *parts) checked(d core.Decision, err error) (core.Decision, error) {
	if d.Rule == "" {
		d.Rule = ps.String()
	}
	if err != nil {
		return core.Decision{Rule: d.Rule}, err
	}
	return d, nil
}

// judgesMethod reports whether one part decides on method itself.
func judgesMethod(r core.Authorizer, method string) bool {
	m, ok := wrapped.As[core.MethodAuthorizer](r)
	return ok && m.JudgesMethod(method)
}
