// Package explain explains why a policy allows or refuses a request.
package explain

import (
	"context"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Explanation says why a request is allowed or refused, for operators and tools: it
// names rules and roles, which clients must not see. Its texts are printable.
type Explanation struct {
	// Subject is the principal's ID, or "anonymous" for a request without
	// credentials; Roles are the roles of its credentials.
	Subject string   `json:"subject"`
	Roles   []string `json:"roles,omitempty"`
	Tenant  string   `json:"tenant,omitempty"`
	// Object and Action are as the policy sees them.
	Object string `json:"object"`
	Action string `json:"action"`
	// Allowed and Reason are those of the decision; Why is the reason in words.
	Allowed bool        `json:"allowed"`
	Reason  core.Reason `json:"reason"`
	Why     string      `json:"why"`
	// Rule is the line that decided, or nil.
	Rule *policy.RuleText `json:"rule,omitempty"`
	// Chain are the role links from the subject to the subject of Rule; ObjectChain
	// and ActionChain those of g2 and so on from object and action to those of Rule,
	// or in the other direction if the model has it so. A chain is empty if both are
	// the same name.
	Chain       []ChainLink `json:"chain,omitempty"`
	ObjectChain []ChainLink `json:"object_chain,omitempty"`
	ActionChain []ChainLink `json:"action_chain,omitempty"`
	// Overrides is, for a refusal by Rule, the first line that would have allowed
	// the request.
	Overrides *policy.RuleText `json:"overrides,omitempty"`
	// NearMisses are, for a refusal that no rule made, the lines that would have
	// allowed the request but for one condition, the nearest first.
	NearMisses []NearMiss `json:"near_misses,omitempty"`
	// Notes are further remarks, such as that HEAD was treated as GET.
	Notes []string `json:"notes,omitempty"`
	// Engine is what made the decision, "" if none was needed; for Casbin, Unindexed
	// says why.
	Engine    engine.Name `json:"engine,omitempty"`
	Unindexed string      `json:"unindexed,omitempty"`
	// Version is the hash of the policy that decided.
	Version string `json:"version"`
}

// ChainLink is one step from a name to a role it has.
type ChainLink struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Rule is the role link. It is nil if the credentials carry the role or, with
	// Default, if everybody has it.
	Rule    *policy.RuleText `json:"rule,omitempty"`
	Default bool             `json:"default,omitempty"`
}

// Decision returns the decision of Authorize.
func (e *Explanation) Decision() core.Decision {
	d := core.Decision{Allowed: e.Allowed, Reason: e.Reason}
	if e.Rule != nil {
		d.Rule = e.Rule.Place()
	}
	return d
}

// Question is a request to be explained.
type Question struct {
	Request engine.Request
	// Subject is the principal's ID, even if Request has Unmatchable in its place,
	// and Action the action of the request before HEAD became GET.
	Subject, Action string
	// Credentials is the number of the request's roles that come from the
	// credentials; a further one is the default role.
	Credentials int
	// Unasked reports that the policy does not decide such requests.
	Unasked bool
	Misses  int // maximum number of near misses
}

// Explainer explains the decision of one request.
type Explainer struct {
	Snapshot *engine.Snapshot
	Settings *model.Settings
	Question
	Probe *probe
}

// Explain explains why the policy decides as it does, without its version.
func Explain(ctx context.Context, s *engine.Snapshot, c *model.Settings, asked Question) (Explanation, error) {
	x := &Explainer{Snapshot: s, Settings: c, Question: asked}
	s.Stamp(ctx, &x.Request, c)
	q := x.Request // a copy, since x keeps the original
	v := engine.Verdict{Reason: core.ReasonNoCredentials}
	if !x.Unasked {
		if err := s.Decide(ctx, &q, &engine.TokenRoles{Roles: q.Roles}, c, &v); err != nil {
			return Explanation{}, err
		}
	}
	d := v.Decision()
	var notes []string
	if v.Spelled != "" {
		notes = append(notes, "the router does not keep the letter case of "+model.Visible(q.Object)+", so it is refused what is refused to "+model.Visible(v.Spelled))
		x.Request.Object = v.Spelled
	}
	e := Explanation{
		Notes: notes, Subject: model.Visible(x.Subject), Tenant: model.Visible(q.Tenant), Object: model.Visible(x.Request.Object), Action: model.Visible(q.Action),
		Allowed: d.Allowed, Reason: d.Reason, Engine: v.By,
	}
	if v.By == engine.EngineCasbin {
		e.Unindexed = model.Visible(s.WhyCasbin())
	}
	for _, role := range q.Roles[:x.Credentials] {
		e.Roles = append(e.Roles, model.Visible(role))
	}
	if x.Action != q.Action {
		e.Notes = append(e.Notes, model.Visible(x.Action)+" is treated as "+q.Action+", since no rule names "+x.Action)
	}
	if why := s.Schema.WhyNoRoles(); why != "" && x.hasRoles() {
		e.Notes = append(e.Notes, why)
	}
	x.fill(&e, v, q.Object)
	return e, nil
}

// hasRoles reports whether credentials or role links give the subject a role.
func (x *Explainer) hasRoles() bool {
	g := x.Snapshot.Members
	if g != nil {
		for range g.Closures(x.Request.Now, x.Request.Tenant, x.Subject) {
			return true
		}
	}
	return len(x.Request.Roles) > 0
}

// fill adds everything about the verdict on a request for the asked object, of which
// x.Request may have another spelling.
func (x *Explainer) fill(e *Explanation, v engine.Verdict, asked string) {
	e.Why = x.why(v)
	if v.Rules != nil {
		written := v.Rule().RuleText()
		e.Rule = &written
		x.fillChains(e, v.Rule())
		e.Notes = append(e.Notes, x.clauseNotes(v.Rule())...)
	}
	if !v.Allowed {
		e.Notes = append(e.Notes, x.timeNotes()...)
	}
	switch {
	case v.Allowed:
	case v.Rules != nil:
		e.Overrides = x.overridden(asked)
	case slices.Contains([]core.Reason{engine.ReasonNoRule, engine.ReasonSubjectIsRoleName, engine.ReasonNoTenant, core.ReasonUnknownMethod}, v.Reason):
		var err error
		if e.NearMisses, err = x.nearMisses(); err != nil {
			e.Notes = append(e.Notes, "near misses are not available: "+model.Visible(err.Error()))
		}
	}
}
