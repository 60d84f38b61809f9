package casbinrules

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules/internal/explain"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// Query is the request of a tool, without a principal.
type Query struct {
	// Subject is the ID of a principal; "" is a request without credentials.
	Subject string
	// Roles are the roles of the credentials, without the role prefix.
	Roles  []string
	Tenant string
	// Claims are further claims of the credentials, for models with attributes.
	Claims map[string]any
	// Object is the canonical path, the route with [WithRouteAsObject], or the name
	// of a resource.
	Object string
	// Action is a request method or, with Named, a name that the application gives
	// its action.
	Action string
	Named  bool
}

// ExplainOption configures an explanation.
type ExplainOption func(*explainConfig) error

type explainConfig struct {
	misses int
	about  map[string]string
}

// WithMaxNearMisses sets the maximum number of near misses; the default is 3.
func WithMaxNearMisses(n int) ExplainOption {
	return func(c *explainConfig) error {
		return option.SetUnless(&c.misses, n, n < 0, "%d near misses: must be at least 0", n)
	}
}

// WithAbout sets the values of the object that [Authorizer.About] would. It applies
// to requests with credentials, since About refuses others.
func WithAbout(values map[string]string) ExplainOption {
	return func(c *explainConfig) error {
		c.about = values
		return nil
	}
}

// explainOptions applies options.
func (a *Authorizer) explainOptions(opts []ExplainOption) (explainConfig, error) {
	c := explainConfig{misses: 3}
	err := option.Apply(&c, opts)
	if err == nil {
		err = a.config.checkAbout(c.about)
	}
	if err != nil {
		err = fmt.Errorf("casbinrules: explain: %w", err)
	}
	return c, err
}

// Explain says why [Authorizer.Authorize] decides as it does, or for a nil principal
// why [Authorizer.AuthorizeAnonymous] does. Decision, rule, chain and near misses
// are all from the policy in force at one moment.
//
// It evaluates every rule, which may take milliseconds per thousand: it is for tools
// and operators, not for requests. The error is that of the decision or of an
// option.
func (a *Authorizer) Explain(ctx context.Context, p *core.Principal, access core.Access, opts ...ExplainOption) (Explanation, error) {
	c, err := a.explainOptions(opts)
	if err != nil {
		return Explanation{}, err
	}
	return a.explain(ctx, p, access, false, c)
}

// ExplainQuery is [Authorizer.Explain] for tools.
func (a *Authorizer) ExplainQuery(ctx context.Context, query Query, opts ...ExplainOption) (Explanation, error) {
	c, err := a.explainOptions(opts)
	if err != nil {
		return Explanation{}, err
	}
	access := core.Access{Action: query.Action, Resource: core.Resource{Name: query.Object}}
	if query.Subject == "" {
		if len(query.Roles) > 0 || query.Tenant != "" {
			return Explanation{}, errors.New("casbinrules: explain: roles and a tenant need a subject")
		}
		return a.explain(ctx, nil, access, query.Named, c)
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: query.Subject, Roles: query.Roles, Tenant: query.Tenant, Claims: query.Claims})
	if err != nil {
		return Explanation{}, fmt.Errorf("casbinrules: explain: %w", err)
	}
	return a.explain(ctx, p, access, query.Named, c)
}

func (a *Authorizer) explain(ctx context.Context, p *core.Principal, access core.Access, named bool, c explainConfig) (Explanation, error) {
	s := a.current.Load()
	q := explain.Question{Subject: policy.Anonymous, Action: access.Action, Misses: c.misses}
	if p == nil {
		q.Request, _ = a.anonymousRequest(s, access)
		q.Unasked = !a.config.Anonymous
	} else {
		q.Request, q.Subject = a.newRequest(s, p, access, c.about), p.ID()
	}
	q.Request.NamedAction = q.Request.NamedAction || named
	q.Credentials = len(q.Request.Roles)
	if a.config.DefaultRole != "" && q.Credentials > 0 { // not of an anonymous request
		q.Credentials--
	}
	e, err := explain.Explain(ctx, &s.Snapshot, &a.config.Settings, q)
	if err == nil {
		e.Version = s.version.Hash
	}
	return e, err
}
