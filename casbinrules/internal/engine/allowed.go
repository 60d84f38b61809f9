package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Allowed are the objects that the subject of q may do the action of q to, as
// Decide says of each; q has no object. Objects with a line feed, with a question
// mark where cuts says so, and that are not UTF-8 are not told of. reason says
// why there is none whatever the policy says. The error is that of ctx, of the
// question, or says why the policy cannot list them.
func (s *Snapshot) Allowed(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings) (allowed *Objects, cuts bool, reason core.Reason, err error) {
	q.Ctx = ctx
	s.Stamp(ctx, q, c)
	if err := ctx.Err(); err != nil {
		return nil, false, "", err
	}
	if s.Schema.Tenants && q.Tenant == "" {
		return noObjects, false, ReasonNoTenant, nil
	}
	if q.Unfilled != nil {
		var v Verdict
		err := q.Refuse(&v)
		return noObjects, false, v.Otherwise, err
	}
	x, err := s.indexFor(q, c)
	if x == nil {
		return noObjects, false, core.ReasonUnknownMethod, err
	}
	said := x.said()
	if said.objects != nil {
		return nil, false, "", &UnlistableError{said.objects}
	}
	allowed, _ = x.objects(q, with)
	unsaid := q.unsaid
	if q.Denied != "" || q.AsGet {
		wider := q.Wider()
		_, denied := x.objects(&wider, with)
		allowed, unsaid = both(allowed, not(denied)), cmp.Or(unsaid, wider.unsaid)
	}
	if unsaid != nil {
		return nil, false, "", &UnlistableError{unsaid}
	}
	if err := q.Now.Err(); err != nil {
		return nil, false, "", err
	}
	if allowed.May("") { // which is no object
		allowed = both(allowed, not(&Objects{Kind: ObjectsMatch, Function: "=="}))
	}
	return allowed, said.cuts, q.Otherwise, nil
}

// UnlistableError says why a policy can decide and not list.
type UnlistableError struct{ Why error }

func (e *UnlistableError) Error() string { return "cannot be listed: " + e.Why.Error() }
func (e *UnlistableError) Unwrap() error { return e.Why }

// indexFor is the index for the action of q, nil when no rule names it.
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
	q.Number, q.DeniedNumber = x.Names.Known(q.Subject), x.Names.Known(q.Denied)
	return x, nil
}

// ruled is a rule that is for the subject, and the objects that it is about.
type ruled struct {
	place   int32
	deny    bool
	objects *Objects
}

// objects are those that q is allowed, and those that a rule denies it.
func (x *Index) objects(q *Request, with *TokenRoles) (allowed, denied *Objects) {
	var rules []ruled
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
		by := w.bySubject()
		if everyone.Kind != ObjectsNone {
			for _, r := range by.refs {
				rules = x.addRuled(rules, w, &r, q, with, everyone)
			}
		}
		if everyone.Kind == ObjectsAll {
			continue
		}
		for _, set := range w.subjects.sets(q, with, room[:0]) {
			for _, number := range set {
				for _, r := range by.of(number) {
					rules = x.addRuled(rules, w, &r, q, with, allObjects)
				}
			}
		}
	}
	slices.SortStableFunc(rules, func(a, b ruled) int { return cmp.Compare(a.place, b.place) })
	return x.outcome(rules)
}

// addOpen adds what a part of the matcher says that lets a request pass every
// rule: of each kind the first decides.
func (x *Index) addOpen(rules []ruled, o *Objects) []ruled {
	if o.Kind == ObjectsNone {
		return rules
	}
	if x.firstAllow != none {
		rules = append(rules, ruled{x.firstAllow, false, o})
	}
	if x.firstDeny != none {
		rules = append(rules, ruled{x.firstDeny, true, o})
	}
	return rules
}

// addRuled adds a rule as far as it holds for the request.
func (x *Index) addRuled(rules []ruled, w *clause, r *ref, q *Request, with *TokenRoles, within *Objects) []ruled {
	if r.cond != 0 {
		c := &x.conds[r.cond]
		if c.other != nil {
			within = both(within, c.other.objects(q, with))
		} else if q.Action != c.action {
			return rules
		}
	}
	if within = both(within, w.pattern(x, r)); within.Kind == ObjectsNone {
		return rules
	}
	return append(rules, ruled{r.rule, r.deny(), within})
}

// pattern are the objects that a rule is about.
func (w *clause) pattern(x *Index, r *ref) *Objects {
	text := policy.ValueAt(x.rules[r.rule], w.object.column)
	if w.object.column < 0 || slices.Contains(w.object.consts, text) {
		return allObjects
	}
	o := noObjects
	for _, function := range w.object.functions {
		o = either(o, matching(function, text, x.Places.of(r.rule)))
	}
	return o
}

// outcome applies the effect to rules in their order.
func (x *Index) outcome(rules []ruled) (allowed, denied *Objects) {
	allowed, denied = noObjects, noObjects
	switch x.effect {
	case model.PriorityEffect: // the first that matches decides
		for end := len(rules); end > 0; {
			var run []*Objects // rules of one effect, which need not be told apart
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

// objects are those for which the condition is true of a request, whose own
// object does not count.
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
	case q.ofObject(&c.left) != "" || q.ofObject(&c.right) != "" || q.ofObject(&c.tenant) != "":
		return c.about(q)
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
		return c.linked(q, with)
	}
}

// about are the objects of which an attribute is equal to what the request or a rule
// says.
func (c *cond) about(q *Request) *Objects {
	attribute, other := c.left, c.right
	if q.ofObject(&attribute) == "" {
		attribute, other = other, attribute
	}
	if c.kind != model.ExprEqual || q.ofObject(&other) != "" || isObject(&other) {
		q.unsaid = errAbout
		return noObjects
	}
	text := textOf(&other, q)
	if text == Unmatchable {
		return noObjects
	}
	return &Objects{Kind: ObjectsMatch, Attribute: q.ofObject(&attribute), Function: "==", Pattern: text}
}

// linked are the names, as objects, that a role question is true of.
func (c *cond) linked(q *Request, with *TokenRoles) *Objects {
	names := map[string]bool{}
	for name := range c.graph.Texts() {
		names[name] = true
	}
	// A name that stands in no rule is linked to itself alone.
	for _, operand := range []*model.Operand{&c.left, &c.right} {
		if !isObject(operand) {
			names[textOf(operand, q)] = true
		}
	}
	names[q.Subject] = true // to which the credentials link roles
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

// bySubject is the rules of a clause by the numbers of their subjects, made when
// somebody asks for it: four bytes a rule and a number, and sixteen a rule.
type bySubject struct {
	refs  []ref // sorted by subject and rule, each rule once
	first []int32
}

func (b *bySubject) of(number int32) []ref {
	if int(number)+1 >= len(b.first) {
		return nil
	}
	return b.refs[b.first[number]:b.first[number+1]]
}

// bySubjectOf makes it.
func bySubjectOf(w *clause) func() *bySubject {
	return sync.OnceValue(func() *bySubject {
		b := &bySubject{refs: slices.Concat(w.paths.always, w.paths.refs)}
		b.refs = slices.DeleteFunc(b.refs, func(r ref) bool { return r.rule == none }) // which no node has
		sortRefs(b.refs)
		b.refs = slices.CompactFunc(b.refs, func(a, b ref) bool { return a.rule == b.rule })
		most := int32(-1)
		if n := len(b.refs); n > 0 {
			most = b.refs[n-1].subject
		}
		b.first = make([]int32, most+2)
		for _, r := range b.refs {
			b.first[r.subject+1]++
		}
		for i := range b.first[1:] {
			b.first[i+1] += b.first[i]
		}
		return b
	})
}
