package casbinrules

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Action is a request method, or with Named a name that the application gives an
// action with core.WithAction.
type Action struct {
	Name  string
	Named bool
}

// UnlistableError says why a policy can decide but not list: its model is left to
// Casbin, or asks for values that only a request has. [Authorizer.Filter] and
// [Authorizer.Actions] work with every policy that does not ask for values that only
// [Authorizer.About] gives.
type UnlistableError = engine.UnlistableError

// Condition is a set of objects as a tree: Kind says of what, Parts are those of
// ConditionAnd, ConditionOr and ConditionNot. A ConditionMatch holds for objects
// that Function matches with Pattern; "==" is equality, and with "in" they are one
// of Names. With Attribute it is that field of [WithObjectAttribute] which is equal
// to Pattern. Place is the rule that says so, "" for what role links say of objects.
type Condition = engine.Objects

// The kinds of conditions.
const (
	ConditionNone  = engine.ObjectsNone
	ConditionAll   = engine.ObjectsAll
	ConditionAnd   = engine.ObjectsAnd
	ConditionOr    = engine.ObjectsOr
	ConditionNot   = engine.ObjectsNot
	ConditionMatch = engine.ObjectsMatch
)

// ObjectSet is the set of objects that a principal may do one action to, by one
// policy. It is immutable: a reload makes it out of date, and so does a role link
// that begins or ends.
type ObjectSet struct {
	// Revision is that of the policy; see core.Decision.
	Revision string
	// Reason is why the set is empty whatever the rules say, or why an object that no
	// rule allows is refused.
	Reason core.Reason

	condition *Condition
	cuts      bool // of queries by keyMatch5
	// fields are those that objects have beside their names.
	fields []objectField
	decide func(object string, about map[string]string) (bool, error)
}

// objectField is a field of WithObjectAttribute, with its value for objects without,
// which are refused if it is required.
type objectField struct {
	name, otherwise string
	required        bool
}

// Grant is an object of an [ObjectSet], or a pattern for some of its objects.
type Grant struct {
	// Function compares objects with Object; "==" says that Object is one, and
	// any other that Object is a pattern, from which rules may except objects.
	Function, Object string
	// Rule is the one that allows, as in a decision.
	Rule string
}

// Objects lists the objects for which [Authorizer.Authorize] allows p the action,
// where they are the names of resources or canonical paths. A nil principal is a
// request without credentials. It takes as long as there are rules for p and its
// roles, however many others there are; the first call after a load takes some
// hundred milliseconds for a million rules.
//
// The error is an [*UnlistableError], that of ctx or of an attribute, or a
// [*core.UnavailableError] where [WithMaxStaleness] refuses to decide. A
// [WithAttribute] function may look at the object, so a policy that has one cannot
// list; claims are the same for all objects. Fields of [WithObjectAttribute] become
// parts of the set if the matcher compares them for equality, as in r.sub == r.owner,
// and if they have no type: see [ObjectSet.ContainsAbout] and [WithColumn].
func (a *Authorizer) Objects(ctx context.Context, p *core.Principal, action Action) (*ObjectSet, error) {
	s := a.current.Load()
	if a.refusing.Load() {
		return nil, &core.UnavailableError{Reason: ReasonPolicyStale, Err: errStale}
	}
	set := &ObjectSet{Revision: s.version.Revision, Reason: core.ReasonNoCredentials, condition: &Condition{}}
	now := s.Now(ctx, &a.config.Settings)
	set.decide = func(object string, about map[string]string) (bool, error) {
		if err := a.config.checkAbout(about); err != nil {
			return false, err
		}
		return a.allows(context.WithoutCancel(ctx), s, now, p, object, about, action)
	}
	if p == nil && !a.config.Anonymous {
		return set, nil
	}
	ofObject := make([]string, len(s.Schema.Attributes))
	about := map[string]string{}
	for i, field := range s.Schema.Attributes {
		if _, ok := a.config.ofObject[field]; ok && p != nil {
			if a.config.AttributeTypes[field] != Text {
				return nil, fmt.Errorf("casbinrules: objects: %w", &UnlistableError{Why: fmt.Errorf("the attribute %s of the object has a type", field)})
			}
			otherwise, err := a.config.attributes[field].of(p, core.Access{})
			set.fields = append(set.fields, objectField{field, otherwise, err != nil})
			ofObject[i], about[field] = field, ""
			continue
		}
		if a.config.attributes[field] != nil && !slices.Contains(a.config.claimed, field) {
			return nil, fmt.Errorf("casbinrules: objects: %w", &UnlistableError{Why: fmt.Errorf("the function of attribute %s may look at the object", field)})
		}
	}
	q, with, _ := a.question(s, p, "", about, action)
	q.Now, q.OfObject = now, ofObject
	condition, cuts, reason, err := s.Allowed(ctx, &q, &with, &a.config.Settings)
	if err != nil {
		return nil, fmt.Errorf("casbinrules: objects: %w", err)
	}
	set.condition, set.cuts, set.Reason = condition, cuts, reason
	return set, nil
}

// unlistable is the error for a field that [Authorizer.About] fills.
func unlistable(field string) error {
	return &UnlistableError{Why: fmt.Errorf("the attribute %s is one of the object, which About says", field)}
}

// listable reports what no list can ask for of its objects, as an error.
func (a *Authorizer) listable(s *policyInForce) error {
	for _, field := range s.Schema.Attributes {
		if a.config.ofObject[field] {
			return unlistable(field)
		}
	}
	return nil
}

// question is that of a principal, or of nobody, about an object.
func (a *Authorizer) question(s *policyInForce, p *core.Principal, object string, about map[string]string, action Action) (q engine.Request, with engine.TokenRoles, attributes core.Attributes) {
	access := core.Access{Action: action.Name, Resource: core.Resource{Name: object}}
	with.Prefix = a.config.RolePrefix
	if p == nil {
		q, attributes = a.anonymousRequest(s, access)
	} else {
		attributes = a.fillRequest(&q, s, p, &access, about)
		with.Roles = a.config.addedRoles(nil, p)
	}
	q.Named = action.Named
	return q, with, attributes
}

// allows decides by s as of now.
func (a *Authorizer) allows(ctx context.Context, s *policyInForce, now policy.Moment, p *core.Principal, object string, about map[string]string, action Action) (bool, error) {
	if p == nil && !a.config.Anonymous {
		return false, nil
	}
	q, with, attributes := a.question(s, p, object, about, action)
	q.Now = now
	var v engine.Verdict
	err := s.Decide(ctx, &q, &with, &a.config.Settings, &v)
	if err != nil || a.remembered == nil && !a.refusing.Load() {
		return v.Allowed, err
	}
	d := v.Decision()
	d.Attributes = attributes
	err = a.bound(p, q.Object, q.Action, &d)
	return d.Allowed, err
}

// Contains reports whether an object is in the set, as the policy decided when the
// set was made. The error is that of the decision, or an [*UnlistableError] if
// objects have a field of [WithObjectAttribute] whose value is needed.
func (o *ObjectSet) Contains(object string) (bool, error) {
	for _, field := range o.fields {
		if field.required {
			return false, fmt.Errorf("casbinrules: contains: %w", unlistable(field.name))
		}
	}
	return o.decide(object, nil)
}

// ContainsAbout is Contains for an object whose values a handler knows, as with
// [Authorizer.About].
func (o *ObjectSet) ContainsAbout(object string, values map[string]string) (bool, error) {
	return o.decide(object, values)
}

// Condition is the set as a tree, for a translation of your own. It says nothing
// about objects with a line feed, with "?" where keyMatch5 is used, or that are not
// UTF-8, which Casbin's patterns read differently.
func (o *ObjectSet) Condition() *Condition { return o.condition }

// Grants returns the objects and the patterns of the rules that allow, sorted by
// object, then by function. An object that a rule names is included only if nothing
// excepts it, or only a value of [WithObjectAttribute] can. after is the object to
// begin behind, "" for the first: for pages, pass the last one of the page before. A
// matcher with two functions makes two grants of one object, so let a page end
// between objects.
func (o *ObjectSet) Grants(after string) iter.Seq[Grant] {
	grants, all := o.grants(o.condition)
	if all {
		grants = []Grant{{Function: "keyMatch", Object: "*"}}
	}
	slices.SortFunc(grants, func(a, b Grant) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Rule, b.Rule))
	})
	grants = slices.CompactFunc(grants, func(a, b Grant) bool { return a.Object == b.Object && a.Function == b.Function })
	return func(yield func(Grant) bool) {
		for _, g := range grants {
			if g.Object > after || after == "" {
				if !yield(g) {
					return
				}
			}
		}
	}
}

// grants are those of a condition, which may hold for fewer objects; all says that
// it can hold for any.
func (o *ObjectSet) grants(c *Condition) (grants []Grant, all bool) {
	switch c.Kind {
	case ConditionAll, ConditionNot:
		return nil, true
	case ConditionAnd:
		for _, part := range c.Parts {
			if grants, all := o.grants(part); !all {
				return grants, false
			}
		}
		return nil, true
	case ConditionOr:
		for _, part := range c.Parts {
			more, all := o.grants(part)
			if all {
				return nil, true
			}
			grants = append(grants, more...)
		}
	case ConditionMatch:
		if c.Attribute != "" {
			return nil, true
		}
		names := c.Names
		switch c.Function {
		case "==":
			names = []string{c.Pattern}
		case "in":
		default:
			return []Grant{{c.Function, c.Pattern, c.Place}}, false
		}
		for _, name := range names {
			if o.grantsName(name) {
				grants = append(grants, Grant{"==", name, c.Place})
			}
		}
	}
	return grants, false
}

// grantsName reports whether an object that a rule names is one of the grants.
func (o *ObjectSet) grantsName(name string) bool {
	if len(o.fields) > 0 {
		return o.condition.May(name)
	}
	ok, err := o.Contains(name)
	return ok && err == nil
}

// Filter returns those of objects, in their order, that p may do the action to. It
// decides each as [Authorizer.Authorize] would for a resource of that name, all by
// one policy. The error is that of the first decision that fails; no object is
// returned then. With [WithObjectAttribute] it is an [*UnlistableError]: call
// [ObjectSet.ContainsAbout] for each object instead.
func (a *Authorizer) Filter(ctx context.Context, p *core.Principal, action Action, objects []string) ([]string, error) {
	s := a.current.Load()
	if err := a.listable(s); err != nil {
		return nil, fmt.Errorf("casbinrules: filter: %w", err)
	}
	now := s.Now(ctx, &a.config.Settings)
	return keep(objects, func(object string) (bool, error) { return a.allows(ctx, s, now, p, object, nil, action) })
}

// Actions returns those of actions, in their order, that p may do to the object, for
// example for the buttons of a page. Otherwise it works like [Authorizer.Filter].
func (a *Authorizer) Actions(ctx context.Context, p *core.Principal, object string, actions []Action) ([]Action, error) {
	s := a.current.Load()
	if err := a.listable(s); err != nil {
		return nil, fmt.Errorf("casbinrules: actions: %w", err)
	}
	now := s.Now(ctx, &a.config.Settings)
	return keep(actions, func(action Action) (bool, error) { return a.allows(ctx, s, now, p, object, nil, action) })
}

// keep returns those of a list that are allowed, or the first error.
func keep[T any](list []T, allows func(T) (bool, error)) ([]T, error) {
	var allowed []T
	for _, one := range list {
		ok, err := allows(one)
		if err != nil {
			return nil, err
		}
		if ok {
			allowed = append(allowed, one)
		}
	}
	return allowed, nil
}

// SubjectSet lists who may do one action to one object.
type SubjectSet struct {
	// Revision is that of the policy; see core.Decision.
	Revision string
	// Users are IDs of principals whose credentials bring no roles; Roles are roles
	// that credentials bring: anybody with one is allowed, unless a rule denies it to
	// another role or to the ID. Both are sorted. A policy does not say which of its
	// names are users and which are roles that only credentials bring, so such a name
	// is in both, unless [WithRolePrefix] keeps the two apart. An ID that is the name
	// of a role counts among Others, and is not listed.
	Users, Roles []string
	// Others says that a principal unknown to the policy is allowed.
	Others bool
	// Anonymous says that a request without credentials is allowed.
	Anonymous bool
}

// Subjects lists who may do the action to the object, in a tenant where the model has
// tenants and "" elsewhere. It takes as long as there are names that a rule allows,
// however many others there are; if a rule allows everybody, all names of the policy
// are tried. The errors are those of [Authorizer.Objects]; a model that asks for
// attributes cannot list.
func (a *Authorizer) Subjects(ctx context.Context, tenant, object string, action Action) (SubjectSet, error) {
	s := a.current.Load()
	set := SubjectSet{Revision: s.version.Revision}
	if a.refusing.Load() {
		return SubjectSet{}, &core.UnavailableError{Reason: ReasonPolicyStale, Err: errStale}
	}
	var err error
	if set.Anonymous, err = a.allows(ctx, s, s.Now(ctx, &a.config.Settings), nil, object, nil, action); err != nil {
		return SubjectSet{}, fmt.Errorf("casbinrules: subjects: %w", err)
	}
	access := core.Access{Action: action.Name, Resource: core.Resource{Name: object}}
	q := engine.Request{Tenant: tenant, Otherwise: ReasonNoRule}
	a.setObjectAndAction(s, &q, &access)
	q.Named = action.Named
	b, err := s.Bearers(ctx, &q, &a.config.Settings)
	if err != nil {
		return SubjectSet{}, fmt.Errorf("casbinrules: subjects: %w", err)
	}
	set.Users, set.Roles, set.Others = b.Users, b.Roles, b.Others
	return set, nil
}
