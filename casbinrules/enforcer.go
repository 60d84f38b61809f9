package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/casbin/casbin/v2"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// EnforcerAuthorizer answers gate two from a Casbin enforcer that the
// application has made, with whatever it has set up there. It is safe for
// concurrent use. Make one with [FromEnforcer].
type EnforcerAuthorizer struct {
	config config
	inner  bridge.Enforcer
	lock   *sync.RWMutex
	// synced says that the lock is the enforcer's own.
	synced bool
	schema *model.Schema // of the request, and the roles that the matcher names, only
}

// What a guard asks of an authorizer.
var (
	_ core.AnonymousAuthorizer = (*EnforcerAuthorizer)(nil)
	_ core.MethodAuthorizer    = (*EnforcerAuthorizer)(nil)
	_ core.RoleSource          = (*EnforcerAuthorizer)(nil)
)

// FromEnforcer has e decide: its Enforce for the request fields that its model
// defines, which are sub, obj, act, dom (or tenant, domain) and those that
// [WithAttribute] fills. Its policy is read anew at each decision, so that changes
// need no reload; a decision takes at least as long as Casbin's, which grows
// with the number of rules. There are no findings and no explanations. For
// these and for speed give the adapter of e to [FromAdapter].
//
// What [Authorizer] adds to Casbin's decisions holds here too, as far as it can
// be read from the policy of e: an ID that a g line gives as a role gets
// nothing; HEAD is judged as GET unless a rule has the word HEAD; a method that
// is none of the usual ones is allowed only by a rule that has it as a word, both
// in the field act where rules have one.
// The roles of credentials cannot be linked for one request in a policy that
// others share, so a model with g needs [WithoutTokenRoles]. [WithCasbinSemantics] takes
// the additions away.
//
// A [casbin.SyncedEnforcer], and what Casbin builds on it, is used with its own
// lock, and may be used and changed by others. Any other enforcer belongs to
// the EnforcerAuthorizer from now on: change and reload it in
// [EnforcerAuthorizer.Update] alone, and in no watcher or goroutine of its own.
// With neither may the model, or whether e enforces, or takes JSON for
// requests, be changed afterwards.
//
// Options besides those named, [WithAnonymous], [WithRouteAsObject] and [WithRolePrefix]
// have no meaning here and are refused, save for [WithAttributeType] with
// [Number], which Casbin is given as a float64, and [IPAddress]. So are an
// enforcer that allows what no rule of it allows, as one does that is switched
// off, and without [WithCasbinSemantics] a matcher that compares texts by less or more.
func FromEnforcer(e casbin.IEnforcer, opts ...Option) (*EnforcerAuthorizer, error) {
	if isNil(e) {
		return nil, errors.New("casbinrules: the enforcer is nil")
	}
	return FromBridgedEnforcer(casbinv2.Enforcer(e), opts...)
}

// FromBridgedEnforcer is [FromEnforcer] for an enforcer of another major version
// of Casbin, as its bridge hands it over.
func FromBridgedEnforcer(e bridge.Enforcer, opts ...Option) (*EnforcerAuthorizer, error) {
	if isNil(e) {
		return nil, errors.New("casbinrules: the enforcer is nil")
	}
	a := &EnforcerAuthorizer{config: newConfig(), inner: e, lock: e.Lock()}
	if a.synced = a.lock != nil; !a.synced {
		a.lock = new(sync.RWMutex)
	}
	if err := option.Apply(&a.config, opts); err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("casbinrules: enforcer: %w", err)
	}
	return a, nil
}

// definition is that of a key in the model as it is now.
func (a *EnforcerAuthorizer) definition(key string) (def bridge.Definition, ok bool) {
	if m := a.inner.Model(); m != nil {
		return m.Definition(key)
	}
	return def, false
}

// check refuses what cannot be honoured.
func (a *EnforcerAuthorizer) check() error {
	c := &a.config
	switch {
	case c.watching, c.updates != nil, c.observers != nil, c.pseudonyms != nil, c.EmptyPolicy:
		return errors.New("the enforcer reads its policy itself: leave out the options about reading one")
	case c.Casbin != casbinv2.Casbin:
		return errors.New("the enforcer is of a major version already: leave out WithCasbin")
	case c.Functions != nil || c.Aliases != nil:
		return errors.New("give functions to the enforcer, by its AddFunction")
	}
	for field, t := range c.AttributeTypes {
		if t == TimeOfDay || t == Date {
			return fmt.Errorf("attribute %s: Casbin compares no times and dates: declare a number, such as minutes or days", field)
		}
	}
	a.lock.RLock()
	defer a.lock.RUnlock()
	m := a.inner.Model()
	for _, key := range []string{"r", "p", "m"} {
		if _, ok := a.definition(key); !ok {
			return errors.New("it has no model")
		}
	}
	if len(m.Keys("c")) > 0 {
		return errors.New("its model has constraints, which Casbin does not check when it loads a policy: give the adapter to FromAdapter, which does")
	}
	if len(m.Keys("g")) > 0 && !c.NoTokenRoles {
		return errors.New("roles of credentials cannot be added to its policy: say WithoutTokenRoles")
	}
	f := &model.File{Name: "model", Casbin: m, At: map[string]model.Position{"r": {Line: 1, Column: 1}}, Settings: &c.Settings}
	a.schema = &model.Schema{File: f}
	a.schema.ReadRequest()
	if f.Failed() {
		return &FindingsError{Findings: f.Findings}
	}
	matcher, _ := a.definition("m")
	// What cannot be parsed is the enforcer's to refuse.
	_, _ = a.schema.ParseMatcher(matcher.Value)
	if err := a.checkOrder(); err != nil && !c.AsCasbin {
		return err
	}
	if _, ok := a.definition("g"); ok {
		a.schema.Roles = map[string]int{"g": 2}
		a.schema.ReadMatcherRoles()
	}
	// No principal and no request is like this one.
	v, err := a.enforce(&engine.Request{Subject: engine.Unmatchable, Tenant: engine.Unmatchable, Object: engine.Unmatchable, Action: engine.Unmatchable})
	if err == nil && v.Allowed && v.Place == "" && !c.AsCasbin {
		return errors.New("it allows what none of its rules allows; is it switched off?")
	}
	return nil
}

// checkOrder refuses a matcher that compares texts letter by letter.
func (a *EnforcerAuthorizer) checkOrder() error {
	for n := range a.schema.Tree.All() {
		if n.Kind != model.NodeCompare || n.Text[0] != '<' && n.Text[0] != '>' {
			continue
		}
		for _, side := range n.Parts {
			field, ok := a.schema.RequestField(side.Name())
			if side.Kind == model.NodeText || ok && !model.IsOrdered(a.schema.TypeOf(field)) || strings.HasPrefix(side.Name(), "p_") {
				return fmt.Errorf("the matcher compares the text %q by %s, letter by letter: declare an attribute as a number (WithAttributeType), and make a number of a field of the policy by a function", side.Text, n.Text)
			}
		}
	}
	return nil
}

// Update has change change the enforcer, such as by its LoadPolicy or AddPolicy,
// while no decision is made, and returns what change returns. change must not
// call this authorizer. A synced enforcer takes its own lock at each of its
// calls.
func (a *EnforcerAuthorizer) Update(change func() error) error {
	if change == nil {
		return errors.New("casbinrules: update: the function is nil")
	}
	if !a.synced {
		a.lock.Lock()
		defer a.lock.Unlock()
	}
	return change()
}

// Authorize decides by the enforcer. Decision.Rule is the line that decided,
// such as "p, editor, /reports, GET". The error is a [*core.InternalError] when
// Casbin fails, that of an attribute, or that of ctx.
func (a *EnforcerAuthorizer) Authorize(ctx context.Context, p *core.Principal, access core.Access) (core.Decision, error) {
	a.lock.RLock()
	defer a.lock.RUnlock()
	q := engine.Request{Subject: p.ID(), Tenant: p.Tenant(), Otherwise: ReasonNoRule}
	if a.isRoleName(q.Subject) {
		q.Subject, q.Denied, q.Otherwise = engine.Unmatchable, q.Subject, ReasonSubjectIsRoleName
	}
	return a.decide(ctx, &q, p, access)
}

// AuthorizeAnonymous decides for the subject "anonymous" if [WithAnonymous]
// was given, and refuses otherwise, as it does with tenants.
func (a *EnforcerAuthorizer) AuthorizeAnonymous(ctx context.Context, access core.Access) (core.Decision, error) {
	if !a.config.Anonymous {
		return core.Decision{Reason: core.ReasonNoCredentials}, nil
	}
	a.lock.RLock()
	defer a.lock.RUnlock()
	return a.decide(ctx, &engine.Request{Subject: policy.Anonymous, Otherwise: ReasonNoRule}, nil, access)
}

// JudgesMethod reports whether method is an unusual one that stands as a word
// in a rule.
func (a *EnforcerAuthorizer) JudgesMethod(method string) bool {
	a.lock.RLock()
	defer a.lock.RUnlock()
	return !policy.IsUsual(method) && method != "*" && a.someRuleNames(method)
}

// RolesOf returns the roles that the enforcer's g lines give p, as
// [Authorizer.RolesOf] does.
func (a *EnforcerAuthorizer) RolesOf(_ context.Context, p *core.Principal) (roles []string, err error) {
	defer func() {
		if v := recover(); v != nil {
			roles, err = nil, &core.InternalError{Err: fmt.Errorf("casbin: panic: %v", v)}
		}
	}()
	a.lock.RLock()
	defer a.lock.RUnlock()
	def, ok := a.definition("g")
	if !ok || a.isRoleName(p.ID()) || a.schema.Tenants && p.Tenant() == "" {
		return nil, nil
	}
	var tenant []string
	if strings.Count(def.Value, "_") > 2 {
		tenant = []string{p.Tenant()}
	}
	if roles, err = a.inner.ImplicitRoles(p.ID(), tenant...); err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("casbin: %s", model.FirstLine(err))}
	}
	for i, role := range roles {
		roles[i] = strings.TrimPrefix(role, a.config.RolePrefix)
	}
	slices.Sort(roles)
	return slices.Compact(roles), nil
}

// decide asks under the lock.
func (a *EnforcerAuthorizer) decide(ctx context.Context, q *engine.Request, p *core.Principal, access core.Access) (core.Decision, error) {
	if err := ctx.Err(); err != nil {
		return core.Decision{}, err
	}
	q.Object, q.Folded = a.config.object(&access.Resource)
	q.Action = access.Action
	q.Named = access.Request != nil && access.Request.Method() != access.Action
	if q.Action == http.MethodHead && !a.config.AsCasbin {
		if q.AsGet = a.someRuleNames(http.MethodHead); !q.AsGet {
			q.Action = http.MethodGet
		}
	}
	a.config.fill(a.schema, q, p, &access)
	switch {
	case a.schema.Tenants && q.Tenant == "":
		return core.Decision{Reason: ReasonNoTenant}, nil
	case q.Object == "":
		return core.Decision{Reason: ReasonNoObject}, nil
	case q.Unfilled != nil:
		var v engine.Verdict
		err := q.Refuse(&v)
		return v.Decision(), err
	}
	v, err := a.enforceSpellings(q)
	if err != nil {
		return core.Decision{}, err
	}
	if v.Allowed && !a.config.AsCasbin && !q.Named && !policy.IsUsual(q.Action) && (v.Rule == nil || !a.names(v.Rule.Fields(), q.Action)) {
		return core.Decision{Reason: core.ReasonUnknownMethod}, nil
	}
	return v.Decision(), nil
}

// enforceSpellings asks about the object, and where it is allowed about all its
// spellings.
func (a *EnforcerAuthorizer) enforceSpellings(q *engine.Request) (engine.Verdict, error) {
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
		if got, err := a.enforceWider(q); err != nil || found.Refuse(&got) {
			return got, err
		}
	}
	return v, nil
}

// enforceWider asks first about what counts when it is denied.
func (a *EnforcerAuthorizer) enforceWider(q *engine.Request) (engine.Verdict, error) {
	if q.Denied != "" || q.AsGet {
		wider := q.Wider()
		if v, err := a.enforce(&wider); err != nil || v.Denies() {
			return v, err
		}
	}
	return a.enforce(q)
}

// spellings are those of the policy as it stands.
func (a *EnforcerAuthorizer) spellings() *engine.Spellings {
	found := engine.NewSpellings()
	m := a.inner.Model()
	for section, skipped := range map[string][]string{"p": {"sub", "act", "eft", model.PriorityColumn, a.schema.TenantName()}, "g": nil} {
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
	found.ReadMatcher(a.schema.Tree)
	return found
}

// enforce asks Casbin.
func (a *EnforcerAuthorizer) enforce(q *engine.Request) (engine.Verdict, error) {
	allowed, fields, err := a.inner.EnforceEx(q.Values(a.schema)...)
	if err != nil {
		return engine.Verdict{}, &core.InternalError{Err: fmt.Errorf("casbin: %s", model.FirstLine(err))}
	}
	v := engine.Verdict{Answer: engine.Answer{Allowed: allowed}, Otherwise: q.Otherwise}
	if len(fields) > 0 {
		v.Rule = policy.OneRule("", 0, append([]string{"p"}, fields...)...)
		v.Place = model.Visible(v.Rule.Text())
	}
	return v, nil
}

// isRoleName reports whether an ID is no name of its own.
func (a *EnforcerAuthorizer) isRoleName(id string) bool {
	switch c := &a.config; {
	case c.AsCasbin:
		return false
	case id == policy.Anonymous, c.RolePrefix != "" && strings.HasPrefix(id, c.RolePrefix):
		return true
	}
	if slices.Contains(a.schema.MatcherRoles, id) {
		return true
	}
	def, _ := a.definition("g")
	return slices.ContainsFunc(def.Rules, func(link []string) bool { return len(link) > 1 && link[1] == id })
}

// someRuleNames reports whether a rule has the method as a word.
func (a *EnforcerAuthorizer) someRuleNames(method string) bool {
	def, _ := a.definition("p")
	return slices.ContainsFunc(def.Rules, func(fields []string) bool { return a.names(fields, method) })
}

// names reports whether a rule has the method as a word: in its field act,
// which is what models call it, or else in any.
func (a *EnforcerAuthorizer) names(fields []string, method string) bool {
	def, _ := a.definition("p")
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
