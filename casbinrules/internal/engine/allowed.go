package engine

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Allowed returns the objects on which the subject of q may perform the action of q,
// in agreement with Decide; q has no object. The set says nothing about objects that
// contain a line feed, or a question mark if cuts is set, or that are not valid
// UTF-8. reason says why the set is empty if no policy could change that. The error
// is that of ctx or of filling q, or an *UnlistableError.
func (s *Snapshot) Allowed(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings) (allowed *Objects, cuts bool, reason core.Reason, err error) {
	q.Ctx = ctx
	s.Stamp(ctx, q, c)
	if err := ctx.Err(); err != nil {
		return nil, false, "", err
	}
	if s.Schema.Tenants && q.Tenant == "" {
		return noObjects, false, ReasonNoTenant, nil
	}
	if q.AttributeErr != nil {
		var v Verdict
		err := q.Refuse(&v)
		return noObjects, false, v.Reason, err
	}
	x, err := s.indexFor(q, c)
	if x == nil {
		return noObjects, false, core.ReasonUnknownMethod, err
	}
	limits := x.listLimits()
	if limits.objects != nil {
		return nil, false, "", &UnlistableError{limits.objects}
	}
	allowed, _ = x.objects(q, with)
	unlistable := q.unlistable
	for w := range q.Variants {
		others, denied := x.objects(&w, with)
		if w.Action != q.Action {
			others = not(denied)
		}
		allowed, unlistable = both(allowed, others), cmp.Or(unlistable, w.unlistable)
	}
	if unlistable != nil {
		return nil, false, "", &UnlistableError{unlistable}
	}
	if err := q.Now.Err(); err != nil {
		return nil, false, "", err
	}
	if allowed.May("") { // the empty string is not an object
		allowed = both(allowed, not(&Objects{Kind: ObjectsMatch, Function: "=="}))
	}
	return allowed, limits.cutsQuery, q.DefaultReason, nil
}

// UnlistableError says why the objects or subjects that a policy allows cannot be
// listed, although it can decide each of them.
type UnlistableError struct{ Why error }

func (e *UnlistableError) Error() string { return "cannot be listed: " + e.Why.Error() }
func (e *UnlistableError) Unwrap() error { return e.Why }

// indexFor returns the index for the action of q, or nil if no rule names the
// action.
func (s *Snapshot) indexFor(q *Request, c *model.Settings) (*Index, error) {
	e, err := s.engineFor(q, c)
	if err != nil {
		return nil, &core.InternalError{Err: err}
	}
	if e == nil {
		return nil, nil
	}
	x, ok := e.(*Index)
	if !ok {
		why := s.Unindexed
		if why == nil {
			why = fmt.Errorf("the rules for %s are left to Casbin", q.Action)
		}
		return nil, &UnlistableError{why}
	}
	q.Number, q.DenyOnlyNumber = x.Names.Known(q.Subject), x.Names.Known(q.DenyOnlySubject)
	return x, nil
}

// objectRule is a rule that applies to the subject, with the objects it covers.
type objectRule struct {
	place   int32
	deny    bool
	objects *Objects
}

// objects returns the objects that q is allowed, and those that a rule denies it.
func (x *Index) objects(q *Request, with *TokenRoles) (allowed, denied *Objects) {
	var rules []objectRule
	for _, c := range x.open {
		rules = x.addOpen(rules, c.objects(q, with))
	}
	var room [MaxRolesAside + 2][]int32
	for i := range x.clauses {
		w := &x.clauses[i]
		everyone := noObjects
		switch {
		case w.subjects.column < 0:
			everyone = allObjects
		case w.subjects.everyone != nil:
			everyone = w.subjects.everyone.objects(q, with)
		}
		by := w.rulesBySubject()
		if everyone.Kind != ObjectsNone {
			for _, r := range by.all {
				rules = x.addObjectRule(rules, w, &r, q, with, everyone)
			}
		}
		if everyone.Kind == ObjectsAll {
			continue
		}
		for _, set := range w.subjects.sets(q, with, room[:0]) {
			for _, number := range set {
				for _, r := range by.of(number) {
					rules = x.addObjectRule(rules, w, &r, q, with, allObjects)
				}
			}
		}
	}
	slices.SortStableFunc(rules, func(a, b objectRule) int { return cmp.Compare(a.place, b.place) })
	return x.outcome(rules)
}

// addOpen adds the first allow and the first deny rule for objects that pass an
// alternative of the matcher without regard to rules: every rule matches there, so
// the first of each effect decides.
func (x *Index) addOpen(rules []objectRule, o *Objects) []objectRule {
	if o.Kind == ObjectsNone {
		return rules
	}
	if x.firstAllow != none {
		rules = append(rules, objectRule{x.firstAllow, false, o})
	}
	if x.firstDeny != none {
		rules = append(rules, objectRule{x.firstDeny, true, o})
	}
	return rules
}

// addObjectRule adds a rule with those of its objects for which its condition holds.
func (x *Index) addObjectRule(rules []objectRule, w *clause, r *ref, q *Request, with *TokenRoles, within *Objects) []objectRule {
	if r.cond != 0 {
		c := &x.conds[r.cond]
		if c.other != nil {
			within = both(within, c.other.objects(q, with))
		} else if q.Action != c.action {
			return rules
		}
	}
	if within = both(within, w.ruleObjects(x, r)); within.Kind == ObjectsNone {
		return rules
	}
	return append(rules, objectRule{r.rule, r.deny(), within})
}

// ruleObjects returns the objects that a rule covers.
func (w *clause) ruleObjects(x *Index, r *ref) *Objects {
	text := policy.ValueAt(x.rules.At(int(r.rule)), w.object.column)
	if w.object.column < 0 || slices.Contains(w.object.consts, text) {
		return allObjects
	}
	o := noObjects
	for _, function := range w.object.functions {
		o = either(o, matching(function, text, x.Places.of(r.rule)))
	}
	return o
}

// outcome applies the policy effect to rules sorted by place.
func (x *Index) outcome(rules []objectRule) (allowed, denied *Objects) {
	allowed, denied = noObjects, noObjects
	switch x.effect {
	case model.PriorityEffect: // the first that matches decides
		for end := len(rules); end > 0; {
			var run []*Objects // consecutive rules of one effect
			deny := rules[end-1].deny
			for end > 0 && rules[end-1].deny == deny {
				end--
				run = append(run, rules[end].objects)
			}
			if o := eitherOf(run); deny {
				allowed, denied = both(not(o), allowed), either(o, denied)
			} else {
				allowed, denied = either(o, allowed), both(not(o), denied)
			}
		}
		return allowed, denied
	default:
		var allows, denies []*Objects
		for _, r := range rules {
			if r.deny {
				denies = append(denies, r.objects)
			} else {
				allows = append(allows, r.objects)
			}
		}
		allowed = eitherOf(allows)
		if x.effect == model.AllowAndDenyEffect {
			denied = eitherOf(denies)
			allowed = both(allowed, not(denied))
		}
		return allowed, denied
	}
}

// objects returns the objects for which the condition is true of q, whose own object
// is ignored.
func (c *cond) objects(q *Request, with *TokenRoles) *Objects {
	switch c.kind {
	case model.ExprAnd:
		o := allObjects
		for _, part := range c.parts {
			o = both(o, part.objects(q, with))
		}
		return o
	case model.ExprOr:
		o := noObjects
		for _, part := range c.parts {
			o = either(o, part.objects(q, with))
		}
		return o
	case model.ExprNot:
		return not(c.parts[0].objects(q, with))
	}
	left, right := isObject(&c.left), isObject(&c.right)
	switch {
	case q.objectAttribute(&c.left) != "" || q.objectAttribute(&c.right) != "" || q.objectAttribute(&c.tenant) != "":
		return c.attributeObjects(q)
	case !left && !right:
		if c.holds(q, with) {
			return allObjects
		}
		return noObjects
	case left && right: // of an equality or a role question
		return allObjects
	case c.kind == model.ExprEqual && left:
		return &Objects{Kind: ObjectsMatch, Function: "==", Pattern: textOf(&c.right, q)}
	case c.kind == model.ExprEqual:
		return &Objects{Kind: ObjectsMatch, Function: "==", Pattern: textOf(&c.left, q)}
	case c.graph == nil:
		return matching(c.function, c.right.Text, "")
	default:
		return c.linkedObjects(q, with)
	}
}

// attributeObjects returns the objects with an attribute equal to a value of the
// request or of the rule.
func (c *cond) attributeObjects(q *Request) *Objects {
	attribute, other := c.left, c.right
	if q.objectAttribute(&attribute) == "" {
		attribute, other = other, attribute
	}
	if c.kind != model.ExprEqual || q.objectAttribute(&other) != "" || isObject(&other) {
		q.unlistable = errObjectAttribute
		return noObjects
	}
	text := textOf(&other, q)
	if text == Unmatchable {
		return noObjects
	}
	return &Objects{Kind: ObjectsMatch, Attribute: q.objectAttribute(&attribute), Function: "==", Pattern: text}
}

// linkedObjects returns the names for which a role call is true when they are the
// object.
func (c *cond) linkedObjects(q *Request, with *TokenRoles) *Objects {
	names := map[string]bool{}
	for name := range c.graph.Texts() {
		names[name] = true
	}
	// A name without role links is linked only to itself.
	for _, operand := range []*model.Operand{&c.left, &c.right} {
		if !isObject(operand) {
			names[textOf(operand, q)] = true
		}
	}
	names[q.Subject] = true // which the credentials link to roles
	asked := *q
	var found []string
	for name := range names {
		asked.Object = name
		if c.holds(&asked, with) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	o := noObjects
	if len(found) > 0 {
		o = &Objects{Kind: ObjectsMatch, Function: "in", Names: found}
	}
	for text := range c.graph.PatternsTo(textOf(&c.tenant, q), textOf(&c.right, q)) {
		o = either(o, matching(c.graph.NameFunction(), text, ""))
	}
	return o
}

func isObject(o *model.Operand) bool {
	return o.Kind == model.OperandRequest && o.Field == model.FieldObject
}

func isAction(o *model.Operand) bool {
	return o.Kind == model.OperandRequest && o.Field == model.FieldAction
}

// newRulesBySubject lists the rules of a clause by subject number, each rule once, when
// first asked. It takes four bytes for each number and sixteen for each rule.
func newRulesBySubject(w *clause) func() *lists[ref] {
	return sync.OnceValue(func() *lists[ref] {
		refs := slices.Concat(w.paths.always, w.paths.refs)
		refs = slices.DeleteFunc(refs, func(r ref) bool { return r.rule == none }) // freed entries that no list contains
		sortRefs(refs)
		refs = slices.CompactFunc(refs, func(a, b ref) bool { return a.rule == b.rule })
		return newLists(func(yield func(int32, ref) bool) {
			for _, r := range refs {
				yield(r.subject, r)
			}
		})
	})
}

// lists holds a list for each number.
type lists[T any] struct {
	all   []T
	first []int32 // where the list of each number begins
}

// newLists puts all that each yields into lists. It does not stop each.
func newLists[T any](each iter.Seq2[int32, T]) *lists[T] {
	most, total := int32(-1), 0
	for number := range each {
		most, total = max(most, number), total+1
	}
	l := &lists[T]{make([]T, total), make([]int32, most+2)}
	for number := range each {
		l.first[number+1]++
	}
	for i := range l.first[1:] {
		l.first[i+1] += l.first[i]
	}
	next := slices.Clone(l.first)
	for number, one := range each {
		l.all[next[number]] = one
		next[number]++
	}
	return l
}

func (l *lists[T]) of(number int32) []T {
	if int(number)+1 >= len(l.first) {
		return nil
	}
	return l.all[l.first[number]:l.first[number+1]]
}
