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

// Action is a request method or, with Named, a name that the application gives an
// action with core.WithAction.
type Action struct {
	Name  string
	Named bool
}

// UnlistableError says why a policy can decide but not list: its model is left to
// Casbin, or uses values that only a request has. [Authorizer.Filter] and
// [Authorizer.Actions] work with every policy that does not use values that only
// [Authorizer.About] provides.
type UnlistableError = engine.UnlistableError

// Condition is a set of objects as a tree. Kind is the kind of the node, and Parts
// are those of ConditionAnd, ConditionOr and ConditionNot. A ConditionMatch contains
// the objects that match Pattern by Function; "==" is equality, and with "in" they
// are one of Names. With Attribute, that field of [WithObjectAttribute] must be
// equal to Pattern. Place is that of the rule, "" for conditions from role links of
// objects.
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

// ObjectSet is the set of objects on which a principal may perform one action, by
// one policy. It is immutable: a reload makes it out of date, and so does a role
// link that begins or ends.
type ObjectSet struct {
	// Revision is that of the policy; see core.Decision.
	Revision string
	// Reason is why the set is empty if rules do not matter, or why an object that
	// no rule allows is refused.
	Reason core.Reason

	condition *Condition
	cuts      bool // keyMatch5 ignores queries
	// fields are the attributes of objects.
	fields []objectField
	decide func(object string, about map[string]string) (bool, error)
}

// objectField is a field of WithObjectAttribute. Objects without a value are refused
// if it is required, and otherwise have a default value.
type objectField struct {
	name, otherwise string
	required        bool
}

// Grant is an object of an [ObjectSet], or a pattern for some of its objects.
type Grant struct {
	// Function compares objects with Object; "==" says that Object is one object, and
	// any other that it is a pattern, from which rules may exclude objects.
	Function, Object string
	// Rule is the rule that allows, as in a decision.
	Rule string
}

// Objects lists the objects for which [Authorizer.Authorize] allows p the action,
// where they are the names of resources or canonical paths. A nil principal is a
// request without credentials. Its time is proportional to the number of rules for p
// and its roles, however many others there are; the first call after a load takes
// some hundred milliseconds for a million rules.
//
// The error is an [*UnlistableError], that of ctx or of an attribute, or a
// [*core.UnavailableError] if [WithMaxStaleness] refuses to decide. A
// [WithAttribute] function may inspect the object, so a policy that has one cannot
// list; claims are the same for all objects. Fields of [WithObjectAttribute] become
// parts of the set if the matcher compares them for equality, as in r.sub ==
// r.owner, and if they have no type: see [ObjectSet.ContainsAbout] and [WithColumn].
func (a *Authorizer) Objects(ctx context.Context, p *core.Principal, action Action) (*ObjectSet, error) {
	s := a.current.Load()
	if a.refusing.Load() {
		return nil, errStale
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
	q.Now, q.ObjectAttributes = now, ofObject
	condition, cuts, reason, err := s.Allowed(ctx, &q, &with, &a.config.Settings)
	if err != nil {
		return nil, fmt.Errorf("casbinrules: objects: %w", err)
	}
	set.condition, set.cuts, set.Reason = condition, cuts, reason
	return set, nil
}

// unlistable returns the error for a field that [Authorizer.About] fills.
func unlistable(field string) error {
	return &UnlistableError{Why: fmt.Errorf("the attribute %s is one of the object, which only About provides", field)}
}

// question returns the request of a principal, or of nobody, for an object.
func (a *Authorizer) question(s *policyInForce, p *core.Principal, object string, about map[string]string, action Action) (q engine.Request, with engine.TokenRoles, attributes core.Attributes) {
	access := core.Access{Action: action.Name, Resource: core.Resource{Name: object}}
	with.Prefix = a.config.RolePrefix
	if p == nil {
		q, attributes = a.anonymousRequest(s, access)
	} else {
		attributes = a.fillRequest(&q, s, p, &access, about)
		with.Roles = a.config.addedRoles(nil, p)
	}
	q.NamedAction = action.Named
	return q, with, attributes
}

// allows decides by s at the moment now.
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

// Contains reports whether an object is in the set, by the policy from which the set
// was made. The error is that of the decision, or an [*UnlistableError] if the value
// of an object's field of [WithObjectAttribute] is needed.
func (o *ObjectSet) Contains(object string) (bool, error) {
	for _, field := range o.fields {
		if field.required {
			return false, fmt.Errorf("casbinrules: contains: %w", unlistable(field.name))
		}
	}
	return o.decide(object, nil)
}

// ContainsAbout is Contains for an object whose attributes are known, as with
// [Authorizer.About].
func (o *ObjectSet) ContainsAbout(object string, values map[string]string) (bool, error) {
	return o.decide(object, values)
}

// Condition returns the set as a tree, for a translation of your own. It does not
// apply to objects with a line feed, with "?" if keyMatch5 is used, or that are not
// UTF-8, which Casbin's patterns treat differently.
func (o *ObjectSet) Condition() *Condition { return o.condition }

// Grants returns the objects and the patterns of the rules that allow, sorted by
// object, then by function. An object that a rule names is included only if nothing
// excludes it, or only a value of [WithObjectAttribute] can. Grants begin after the
// object after, or with the first for "": for pages, pass the last object of the
// previous page. A matcher with two functions results in two grants of one object,
// so let a page end between objects.
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

// grants returns those of a condition, which may contain fewer objects; all reports
// that it can contain any.
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

// Filter returns those of objects, in their order, on which p may perform the
// action. It decides each as [Authorizer.Authorize] would for a resource of that
// name, all by one policy. The error is that of the first decision that fails; no
// object is returned then. With [WithObjectAttribute] it is an [*UnlistableError]:
// call [ObjectSet.ContainsAbout] for each object instead.
func (a *Authorizer) Filter(ctx context.Context, p *core.Principal, action Action, objects []string) ([]string, error) {
	return keep(ctx, a, "filter", p, objects, func(object string) (string, Action) { return object, action })
}

// Actions returns those of actions, in their order, that p may perform on the
// object, for example for the buttons of a page. Otherwise it works like
// [Authorizer.Filter].
func (a *Authorizer) Actions(ctx context.Context, p *core.Principal, object string, actions []Action) ([]Action, error) {
	return keep(ctx, a, "actions", p, actions, func(action Action) (string, Action) { return object, action })
}

// keep returns the elements of a list that p is allowed by one policy, or the first
// error. what names the call in errors, and asked says what an element stands for.
func keep[T any](ctx context.Context, a *Authorizer, what string, p *core.Principal, list []T, asked func(T) (object string, action Action)) ([]T, error) {
	s := a.current.Load()
	for _, field := range s.Schema.Attributes {
		if a.config.ofObject[field] {
			return nil, fmt.Errorf("casbinrules: %s: %w", what, unlistable(field))
		}
	}
	now := s.Now(ctx, &a.config.Settings)
	var allowed []T
	for _, one := range list {
		object, action := asked(one)
		ok, err := a.allows(ctx, s, now, p, object, nil, action)
		if err != nil {
			return nil, err
		}
		if ok {
			allowed = append(allowed, one)
		}
	}
	return allowed, nil
}

// SubjectSet lists who may perform one action on one object.
type SubjectSet struct {
	// Revision is that of the policy; see core.Decision.
	Revision string
	// Users are IDs of principals whose credentials carry no roles; Roles are roles
	// of credentials: anybody with one is allowed, unless a rule denies it to
	// another role or to the ID. Both are sorted. A policy does not say which of its
	// names are users and which are roles that only credentials carry, so such a
	// name is in both, unless [WithRolePrefix] keeps the two apart. An ID that is
	// the name of a role counts among Others, and is not listed.
	Users, Roles []string
	// Others reports that a principal unknown to the policy is allowed.
	Others bool
	// Anonymous reports that a request without credentials is allowed.
	Anonymous bool
}

// Subjects lists who may perform the action on the object, in a tenant if the model
// has tenants; otherwise tenant is "". Its time is proportional to the number of
// names that a rule allows, however many others there are; if a rule allows
// everybody, all names of the policy are tried. The errors are those of
// [Authorizer.Objects]; a model with attributes cannot list.
func (a *Authorizer) Subjects(ctx context.Context, tenant, object string, action Action) (SubjectSet, error) {
	s := a.current.Load()
	set := SubjectSet{Revision: s.version.Revision}
	if a.refusing.Load() {
		return SubjectSet{}, errStale
	}
	var err error
	if set.Anonymous, err = a.allows(ctx, s, s.Now(ctx, &a.config.Settings), nil, object, nil, action); err != nil {
		return SubjectSet{}, fmt.Errorf("casbinrules: subjects: %w", err)
	}
	access := core.Access{Action: action.Name, Resource: core.Resource{Name: object}}
	q := engine.Request{Tenant: tenant, DefaultReason: ReasonNoRule}
	a.setObjectAndAction(s, &q, &access)
	q.NamedAction = action.Named
	b, err := s.Grantees(ctx, &q, &a.config.Settings)
	if err != nil {
		return SubjectSet{}, fmt.Errorf("casbinrules: subjects: %w", err)
	}
	set.Users, set.Roles, set.Others = b.Users, b.Roles, b.Others
	return set, nil
}
