// Package enforcer decides with a Casbin enforcer that the application has made,
// and reads from its policy what casbinrules adds to the decisions.
package enforcer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Enforcer decides with Casbin's enforcer. Its methods are called while that one's
// lock is held.
type Enforcer struct {
	bridge.Enforcer
	settings *model.Settings
	Schema   *model.Schema // only of the request, and the roles that the matcher names
}

// New returns an error for an enforcer whose model is not supported.
func New(e bridge.Enforcer, c *model.Settings) (*Enforcer, error) {
	a := &Enforcer{Enforcer: e, settings: c}
	if err := a.check(); err != nil {
		return nil, err
	}
	return a, nil
}

// Definition returns the current definition with a key in the model.
func (a *Enforcer) Definition(key string) (def bridge.Definition, ok bool) {
	if m := a.Model(); m != nil {
		return m.Definition(key)
	}
	return def, false
}

// RolesOf returns the roles that g lines give a name, sorted and without the prefix.
func (a *Enforcer) RolesOf(id, tenant string) (roles []string, err error) {
	defer func() {
		if v := recover(); v != nil {
			roles, err = nil, &core.InternalError{Err: fmt.Errorf("casbin: panic: %v", v)}
		}
	}()
	def, ok := a.Definition("g")
	if !ok || a.IsRoleName(id) || a.Schema.Tenants && tenant == "" {
		return nil, nil
	}
	var within []string
	if len(def.Tokens) > 2 { // not counting start and end, which follow the tenant
		within = []string{tenant}
	}
	if roles, err = a.ImplicitRoles(id, within...); err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("casbin: %s", model.FirstLine(err))}
	}
	for i, role := range roles {
		roles[i] = strings.TrimPrefix(role, a.settings.RolePrefix)
	}
	slices.Sort(roles)
	return slices.Compact(roles), nil
}

// check returns an error for a model that is not supported.
func (a *Enforcer) check() error {
	c := a.settings
	m := a.Model()
	for _, key := range []string{"r", "p", "m"} {
		if _, ok := a.Definition(key); !ok {
			return errors.New("it has no model")
		}
	}
	if len(m.Keys("c")) > 0 {
		return errors.New("its model has constraints, which Casbin does not check when it loads a policy: give the adapter to FromAdapter, which does")
	}
	if len(m.Keys("g")) > 0 && !c.NoTokenRoles {
		return errors.New("roles of credentials cannot be added to its policy: use WithoutTokenRoles")
	}
	f := &model.File{Name: "model", Casbin: m, At: map[string]model.Position{"r": {Line: 1, Column: 1}}, Settings: c}
	a.Schema = &model.Schema{File: f}
	a.Schema.ReadRequest()
	if f.Failed() {
		return &model.FindingsError{Findings: f.Findings}
	}
	matcher, _ := a.Definition("m")
	// A matcher that cannot be parsed is left to the enforcer to refuse.
	_, _ = a.Schema.ParseMatcher(matcher.Value)
	if err := a.checkOrder(); err != nil && !c.AsCasbin {
		return err
	}
	if _, ok := a.Definition("g"); ok {
		a.Schema.Roles = map[string]int{"g": 2}
		a.Schema.ReadMatcherRoles()
	}
	// No principal and no request is equal to this one.
	v, err := a.enforce(&engine.Request{Subject: engine.Unmatchable, Tenant: engine.Unmatchable, Object: engine.Unmatchable, Action: engine.Unmatchable})
	if err == nil && v.Allowed && v.Place == "" && !c.AsCasbin {
		return errors.New("it allows what none of its rules allows; is it disabled?")
	}
	return nil
}

// checkOrder returns an error for a matcher that compares texts by their order.
func (a *Enforcer) checkOrder() error {
	for n := range a.Schema.Tree.All() {
		if n.Kind != model.NodeCompare || n.Text[0] != '<' && n.Text[0] != '>' {
			continue
		}
		for _, side := range n.Parts {
			field, ok := a.Schema.RequestField(side.Name())
			if side.Kind == model.NodeText || ok && !model.IsOrdered(a.Schema.TypeOf(field)) || strings.HasPrefix(side.Name(), "p_") {
				return fmt.Errorf("the matcher compares the text %q by %s, byte by byte: declare an attribute as a number (WithAttributeType), and convert fields of the policy to numbers with a function", side.Text, n.Text)
			}
		}
	}
	return nil
}

// EnforceSpellings decides the object and, if it is allowed, all its other
// spellings.
func (a *Enforcer) EnforceSpellings(q *engine.Request) (engine.Verdict, error) {
	v, err := a.enforceWider(q)
	if err != nil || !v.Allowed || q.Folded == 0 {
		return v, err
	}
	found := a.spellings()
	objects, err := found.Of(q.Object, q.Folded)
	if err != nil {
		return engine.Verdict{}, err
	}
	for _, q.Object = range objects {
		if got, err := a.enforceWider(q); err != nil || found.Refuses(&got) {
			return got, err
		}
	}
	return v, nil
}

// enforceWider first checks the variants of the request.
func (a *Enforcer) enforceWider(q *engine.Request) (engine.Verdict, error) {
	excluded := false
	for w := range q.Variants {
		v, err := a.enforce(&w)
		if err != nil || v.Denies() {
			return v, err
		}
		excluded = excluded || !v.Allowed && w.Action == q.Action
	}
	v, err := a.enforce(q)
	if v.Allowed && excluded {
		v = engine.Verdict{Reason: q.DefaultReason}
	}
	return v, err
}

// spellings returns the spellings of the current policy.
func (a *Enforcer) spellings() *engine.Spellings {
	found := engine.NewSpellings()
	m := a.Model()
	for section, skipped := range map[string][]string{"p": {"sub", "act", "eft", model.PriorityColumn, a.Schema.TenantName()}, "g": nil} {
		for _, key := range m.Keys(section) {
			lines, _ := m.Definition(key)
			for _, fields := range lines.Rules {
				for i, field := range fields {
					if i < len(lines.Tokens) && slices.Contains(skipped, strings.TrimPrefix(lines.Tokens[i], key+"_")) {
						continue
					}
					found.Learn(field)
				}
			}
		}
	}
	found.ReadMatcher(a.Schema.Tree)
	return found
}

// enforce decides with Casbin.
func (a *Enforcer) enforce(q *engine.Request) (engine.Verdict, error) {
	allowed, fields, err := a.EnforceEx(q.Values(a.Schema)...)
	if err != nil {
		return engine.Verdict{}, &core.InternalError{Err: fmt.Errorf("casbin: %s", model.FirstLine(err))}
	}
	v := engine.Verdict{Answer: engine.Answer{Allowed: allowed}, Reason: q.DefaultReason}
	if len(fields) > 0 {
		rule := policy.StandaloneRule("", 0, append([]string{"p"}, fields...)...)
		v.Rules, v.Place = new(policy.Rules), model.Visible(rule.Text())
		v.Rules.Add(rule)
	}
	return v, nil
}

// IsRoleName reports whether an ID is also the name of a role or "anonymous".
func (a *Enforcer) IsRoleName(id string) bool {
	switch c := a.settings; {
	case c.AsCasbin:
		return false
	case id == policy.Anonymous, c.RolePrefix != "" && strings.HasPrefix(id, c.RolePrefix):
		return true
	}
	if slices.Contains(a.Schema.MatcherRoles, id) {
		return true
	}
	def, _ := a.Definition("g")
	return slices.ContainsFunc(def.Rules, func(link []string) bool { return len(link) > 1 && link[1] == id })
}

// SomeRuleNames reports whether a rule contains the method as a word.
func (a *Enforcer) SomeRuleNames(method string) bool {
	def, _ := a.Definition("p")
	return slices.ContainsFunc(def.Rules, func(fields []string) bool { return a.Names(fields, method) })
}

// Names reports whether a rule contains the method as a word: in its field act, as models
// usually call it, or otherwise in any field.
func (a *Enforcer) Names(fields []string, method string) bool {
	def, _ := a.Definition("p")
	if i := slices.Index(def.Tokens, "p_act"); 0 <= i && i < len(fields) {
		fields = fields[i : i+1]
	}
	return slices.ContainsFunc(fields, func(field string) bool {
		if field == method {
			return true
		}
		for word := range policy.Words(field) {
			if word == method {
				return true
			}
		}
		return false
	})
}
