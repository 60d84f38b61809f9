package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// Explanation says why a request is allowed or refused, for operators and
// tools: it names rules and roles, which no client may see. Its texts are
// printable.
type Explanation struct {
	// Subject is the principal's ID, or "anonymous" for a request without
	// credentials; Roles are the roles its credentials bring.
	Subject string   `json:"subject"`
	Roles   []string `json:"roles,omitempty"`
	Tenant  string   `json:"tenant,omitempty"`
	// Object and Action are as the policy sees them.
	Object string `json:"object"`
	Action string `json:"action"`
	// Allowed and Reason are those of the decision, Why is the reason in
	// words.
	Allowed bool        `json:"allowed"`
	Reason  core.Reason `json:"reason"`
	Why     string      `json:"why"`
	// Rule is the line that decided, nil when none did.
	Rule *RuleText `json:"rule,omitempty"`
	// Chain is how role links lead from the subject to the subject of Rule,
	// ObjectChain and ActionChain how those of g2 and its like lead from object
	// and action to those of Rule, or back where the model has it so. Nothing
	// leads to the same name.
	Chain       []ChainLink `json:"chain,omitempty"`
	ObjectChain []ChainLink `json:"object_chain,omitempty"`
	ActionChain []ChainLink `json:"action_chain,omitempty"`
	// Overrides is, for a refusal by Rule, the first line that would have
	// allowed the request.
	Overrides *RuleText `json:"overrides,omitempty"`
	// NearMisses are, for a refusal that no rule made, the lines that would
	// have allowed the request but for one condition, the nearest first.
	NearMisses []NearMiss `json:"near_misses,omitempty"`
	// Notes are things to know about the answer, such as that HEAD was judged
	// as GET.
	Notes []string `json:"notes,omitempty"`
	// Engine is what worked out the decision, "" where neither had to; for
	// Casbin Unindexed says why.
	Engine    Engine `json:"engine,omitempty"`
	Unindexed string `json:"unindexed,omitempty"`
	// Version is the hash of the policy that was asked.
	Version string `json:"version"`
}

// ChainLink is one step from a name to a role it has.
type ChainLink struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Rule is the role link; nil when the credentials bring the role.
	Rule *RuleText `json:"rule,omitempty"`
}

// Decision is what Authorize answers.
func (e *Explanation) Decision() core.Decision {
	d := core.Decision{Allowed: e.Allowed, Reason: e.Reason}
	if e.Rule != nil {
		d.Rule = e.Rule.Place()
	}
	return d
}

// Query is a request as a tool asks it, without a principal.
type Query struct {
	// Subject is the ID of a principal; "" is a request without credentials.
	Subject string
	// Roles are those of the credentials, as they stand there.
	Roles  []string
	Tenant string
	// Claims are further facts from the credentials, for models that ask for
	// attributes.
	Claims map[string]any
	// Object is the canonical path, the route with [WithRouteAsObject], or the name
	// of a resource.
	Object string
	// Action is a request method, or with Named a name that the application
	// gives its action.
	Action string
	Named  bool
}

// ExplainOption configures an explanation.
type ExplainOption func(*explainConfig) error

type explainConfig struct{ misses int }

// WithMaxNearMisses sets how many near misses are listed at most; 3 by default.
func WithMaxNearMisses(n int) ExplainOption {
	return func(c *explainConfig) error {
		if n < 0 {
			return fmt.Errorf("%d near misses: must be at least 0", n)
		}
		c.misses = n
		return nil
	}
}

// Explain says why [Authorizer.Authorize] decides as it does, or for a nil
// principal why [Authorizer.AuthorizeAnonymous] does. Decision, rule, chain and
// near misses are all of the policy in force at one moment.
//
// It evaluates every rule, which may take milliseconds per thousand: it is for
// tools and operators, not for requests. The error is that which the decision
// has, or that of an option.
func (a *Authorizer) Explain(ctx context.Context, p *core.Principal, access core.Access, opts ...ExplainOption) (Explanation, error) {
	s := a.current.Load()
	if p == nil {
		return a.explain(ctx, s, asked{question: a.askAnonymous(s, access), subject: anonymous, action: access.Action, unasked: !a.config.anonymous}, opts)
	}
	return a.explain(ctx, s, asked{question: a.ask(s, p, access), subject: p.ID(), action: access.Action}, opts)
}

// ExplainQuery is [Authorizer.Explain] for tools.
func (a *Authorizer) ExplainQuery(ctx context.Context, query Query, opts ...ExplainOption) (Explanation, error) {
	s := a.current.Load()
	access := core.Access{Action: query.Action, Resource: core.Resource{Name: query.Object}}
	if query.Subject == "" {
		if len(query.Roles) > 0 || query.Tenant != "" {
			return Explanation{}, errors.New("casbinrules: explain: without a subject there are no roles and no tenant")
		}
		q := a.askAnonymous(s, access)
		q.named = query.Named
		return a.explain(ctx, s, asked{question: q, subject: anonymous, action: query.Action, unasked: !a.config.anonymous}, opts)
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: query.Subject, Roles: query.Roles, Tenant: query.Tenant, Claims: query.Claims})
	if err != nil {
		return Explanation{}, fmt.Errorf("casbinrules: explain: %w", err)
	}
	q := a.ask(s, p, access)
	q.named = query.Named
	return a.explain(ctx, s, asked{question: q, subject: query.Subject, action: query.Action}, opts)
}

func (a *Authorizer) explain(ctx context.Context, s *policyInForce, q asked, opts []ExplainOption) (Explanation, error) {
	c := explainConfig{misses: 3}
	for _, opt := range opts {
		if opt == nil {
			return Explanation{}, errors.New("casbinrules: explain: an option is nil")
		}
		if err := opt(&c); err != nil {
			return Explanation{}, fmt.Errorf("casbinrules: explain: %w", err)
		}
	}
	q.misses = c.misses
	e, err := explanationOf(ctx, &s.snapshot, &a.config.settings, q)
	if err == nil {
		e.Version = s.version.Hash
	}
	return e, err
}

// asked is a question that is to be explained.
type asked struct {
	question question
	// subject is who asked, where the question may say nobody, and action what
	// was asked about before HEAD became GET.
	subject, action string
	// unasked says that the policy does not decide about such requests.
	unasked bool
	misses  int // how many near misses are listed
}

// explainer finds out why one question has its answer.
type explainer struct {
	snapshot *snapshot
	config   *settings
	asked
	probe *probe
}

// explanationOf says why the policy decides as it does, but for its version.
func explanationOf(ctx context.Context, s *snapshot, c *settings, asked asked) (Explanation, error) {
	x := &explainer{snapshot: s, config: c, asked: asked}
	q := asked.question // which keeps how it was put
	v := verdict{otherwise: core.ReasonNoCredentials}
	if !x.unasked {
		if err := s.judge(ctx, &q, &bearing{roles: q.roles}, c, &v); err != nil {
			return Explanation{}, err
		}
	}
	d := v.decision()
	var notes []string
	if v.spelled != "" {
		notes = append(notes, "the router does not keep the letter case of "+visible(q.object)+", so that it is refused what is refused to "+visible(v.spelled))
		q.object, x.question.object = v.spelled, v.spelled
	}
	e := Explanation{
		Notes: notes, Subject: visible(x.subject), Tenant: visible(q.tenant), Object: visible(q.object), Action: visible(q.action),
		Allowed: d.Allowed, Reason: d.Reason, Engine: v.by,
	}
	if v.by == EngineCasbin {
		e.Unindexed = visible(s.whyCasbin())
	}
	for _, role := range q.roles {
		e.Roles = append(e.Roles, visible(role))
	}
	if x.action != q.action {
		e.Notes = append(e.Notes, visible(x.action)+" is judged as "+q.action+", since no rule names "+x.action)
	}
	if why := s.schema.whyNoRoles(); why != "" && x.hasRoles() {
		e.Notes = append(e.Notes, why)
	}
	x.fill(&e, v)
	return e, nil
}

// hasRoles reports whether credentials or role links give the subject a role.
func (x *explainer) hasRoles() bool {
	g := x.snapshot.members
	return len(x.question.roles) > 0 || g != nil && g.from(x.question.tenant, x.subject) != nil
}

// fill adds what there is to say about the verdict.
func (x *explainer) fill(e *Explanation, v verdict) {
	e.Why = x.why(v)
	if v.rule != nil {
		written := v.rule.written()
		e.Rule = &written
		x.fillChains(e, v.rule)
		e.Notes = append(e.Notes, x.clauseNotes(v.rule)...)
	}
	switch {
	case v.allowed:
	case v.rule != nil:
		e.Overrides = x.overridden()
	case slices.Contains([]core.Reason{ReasonNoRule, ReasonSubjectIsRoleName, ReasonNoTenant, core.ReasonUnknownMethod}, v.otherwise):
		var err error
		if e.NearMisses, err = x.nearMisses(); err != nil {
			e.Notes = append(e.Notes, "near misses are not available: "+visible(err.Error()))
		}
	}
}
