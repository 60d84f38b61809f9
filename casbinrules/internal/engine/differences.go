package engine

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Differences tells which requests two policies may decide differently: those that a
// rule of only one of them matches, or that a rule of both matches in only one of them,
// because its role links differ. All others are matched by the same rules in the same
// order. It is for one moment, and must not be used concurrently.
type Differences struct {
	sides   [2]*Index
	objects []string
	actions []Asked
	// special are the requests for objects that an index leaves to Casbin, and unusual
	// those by methods that only rules with their names cover.
	special, unusual []int32
	// linked are the kinds of role links in which the policies differ.
	linked map[string]bool
	// changed are the rules that only one policy has, and groups those of both that
	// differing role links may concern, by the conditions that call these.
	changed []*comparedRule
	groups  []*ruleGroup
	// open are the alternatives of the matcher that use no rule, where every rule
	// matches, and alone the rules of each policy by themselves, once needed.
	open  comparedRule
	alone []*comparedRule
	// bind returns the conditions of a rule in one of the policies.
	bind  func(side int, r policy.Rule) *cond
	count int // of compared rules; 0 is open
	// found are the requests for which rules differ, by rule and by what its conditions
	// on the subject are; key is a buffer for its keys.
	found map[string][]int32
	key   []byte
}

// Asked is an action with what [Request.NamedAction] is for it.
type Asked struct {
	Name  string
	Named bool
}

// NewDifferences compares two policies. The error says why nothing is known about which
// requests they decide differently.
func NewDifferences(before, after *Snapshot, settings [2]*model.Settings, objects []string, actions []Asked) (*Differences, error) {
	if err := differInLines(before, after, settings); err != nil {
		return nil, err
	}
	d := &Differences{sides: [2]*Index{before.Index, after.Index}, objects: objects, actions: actions, linked: map[string]bool{}, found: map[string][]int32{}}
	for i, object := range objects {
		special := strings.ContainsAny(object, "\n?") || !utf8.ValidString(object)
		for k, a := range actions {
			if special {
				d.special = append(d.special, d.request(i, k))
			}
			if !a.Named && !policy.IsUsual(a.Name) {
				d.unusual = append(d.unusual, d.request(i, k))
			}
		}
	}
	for kind := range before.Schema.Roles {
		if !slices.Equal(linksOf(before, kind), linksOf(after, kind)) {
			d.linked[kind] = true
		}
	}
	var own []*model.Expr // the alternatives that use a rule
	for _, alternative := range before.Schema.Expr.Flat(model.ExprOr) {
		if len(alternative.Columns()) > 0 {
			own = append(own, alternative)
		}
	}
	x := &model.Expr{Kind: model.ExprOr, Parts: own}
	var binders [2]binder
	for i, side := range d.sides {
		binders[i] = binder{graphs: side.graphs, patterns: map[pattern.Key]pattern.Matcher{}}
		d.open.conds[i] = &cond{kind: model.ExprOr, parts: side.open}
	}
	d.bind = func(side int, r policy.Rule) *cond { return binders[side].bind(x, r.Fields()) }
	return d, d.readRules(before.Schema.Effect == model.PriorityEffect)
}

// differInLines returns an error unless two policies can differ in nothing but their lines.
func differInLines(a, b *Snapshot, of [2]*model.Settings) error {
	s, t := of[0], of[1]
	switch {
	case a.Index == nil:
		return a.Unindexed
	case b.Index == nil:
		return b.Unindexed
	case a.Schema.File.Text != b.Schema.File.Text, s.ObjectRoute != t.ObjectRoute,
		!maps.Equal(s.AttributeTypes, t.AttributeTypes), !maps.Equal(s.Aliases, t.Aliases),
		!maps.Equal(s.RolePatterns, t.RolePatterns), !maps.Equal(s.TenantPatterns, t.TenantPatterns):
		return errors.New("the models or their options differ")
	case len(s.LinkConditions) > 0 || len(t.LinkConditions) > 0:
		return errors.New("role links have conditions of the application")
	case a.NamesHead != b.NamesHead:
		return errors.New("only one policy names HEAD")
	case a.Index.whole() != b.Index.whole():
		return errors.New("the policies decide differently where every rule matches")
	}
	return nil
}

func linksOf(s *Snapshot, kind string) []string {
	var lines []string
	for _, r := range s.Rules.All() {
		if r.Kind() == kind {
			lines = append(lines, r.Text())
		}
	}
	return lines
}

// readRules finds the rules that may matter. If ordered is set, rules that both policies
// have must be in the same order.
func (d *Differences) readRules(ordered bool) error {
	other := map[string]policy.Rule{}
	for _, r := range d.sides[1].rules.All() {
		other[r.Text()] = r
	}
	byCalls := map[string]*ruleGroup{}
	var common []string
	for _, r := range d.sides[0].rules.All() {
		text := r.Text()
		twin, both := other[text]
		delete(other, text)
		if !both {
			d.changed = append(d.changed, d.compared(&r, nil))
			continue
		}
		common = append(common, text)
		if len(d.linked) > 0 {
			d.group(d.compared(&r, &twin), byCalls)
		}
	}
	at := 0
	for _, r := range d.sides[1].rules.All() {
		text := r.Text()
		if _, added := other[text]; added {
			d.changed = append(d.changed, d.compared(nil, &r))
			continue
		}
		if ordered && common[at] != text {
			return errors.New("the rules are in a different order")
		}
		at++
	}
	return nil
}

func (d *Differences) compared(before, after *policy.Rule) *comparedRule {
	d.count++
	c := &comparedRule{number: d.count}
	for side, r := range []*policy.Rule{before, after} {
		if r != nil {
			c.conds[side] = d.bind(side, *r)
		}
	}
	return c
}

// group adds a rule to those with the same calls of differing role links, if it has any.
func (d *Differences) group(c *comparedRule, groups map[string]*ruleGroup) {
	var calls [2][]*cond
	d.key = d.key[:0]
	for side, of := range c.conds {
		for leaf := range of.leaves {
			if leaf.graph == nil || !d.linked[d.kindOf(side, leaf.graph)] {
				continue
			}
			calls[side] = append(calls[side], leaf)
			d.key = append(append(d.key, d.kindOf(side, leaf.graph)...), 0)
			for _, o := range leaf.operands() {
				d.key = append(binary.AppendUvarint(append(d.key, byte(o.Kind)), uint64(o.Field)), o.Text...)
				d.key = append(d.key, 0)
			}
		}
	}
	if calls[0] == nil {
		return
	}
	g := groups[string(d.key)]
	if g == nil {
		g = &ruleGroup{calls: calls}
		groups[string(d.key)] = g
		d.groups = append(d.groups, g)
	}
	g.rules = append(g.rules, c)
}

func (d *Differences) kindOf(side int, g *policy.Graph) string {
	for kind, of := range d.sides[side].graphs {
		if of == g {
			return kind
		}
	}
	return ""
}

// Of returns the requests of a subject that the policies may decide differently: for
// each, the index of its object times the number of actions, plus that of its action, in
// ascending order. The result must not be modified.
func (d *Differences) Of(of [2]Questioner) []int32 {
	if !of[0].sees(&of[1]) {
		return d.ofEach(of)
	}
	if len(d.changed) == 0 && len(d.linked) == 0 {
		return nil
	}
	lists := [][]int32{d.special}
	var v [2][]Questioner
	for side := range of {
		v[side] = of[side].variants()
	}
	for i := range v[0] {
		lists = d.appendOf(lists, [2]*Questioner{&v[0][i], &v[1][i]})
	}
	return merged(lists)
}

// appendOf appends the requests of one variant of a subject.
func (d *Differences) appendOf(lists [][]int32, of [2]*Questioner) [][]int32 {
	if d.open.always(of) {
		// Every rule matches, of those that count for the action.
		if len(d.changed) > 0 {
			lists = append(lists, d.unusual)
		}
		return lists
	}
	for _, c := range d.changed {
		lists = append(lists, d.differing(c, of, nil))
	}
	if len(d.linked) > 0 {
		lists = append(lists, d.differing(&d.open, of, nil))
	}
	for _, g := range d.groups {
		objects, everywhere := d.differingCalls(g, of)
		if !everywhere && len(objects) == 0 {
			continue
		}
		if everywhere {
			objects = nil
		}
		for _, c := range g.rules {
			lists = append(lists, d.differing(c, of, objects))
		}
	}
	return lists
}

// ofEach returns the requests of a subject that one of the policies sees differently from
// the other, with other roles for example: those that any rule matches.
func (d *Differences) ofEach(of [2]Questioner) []int32 {
	if d.alone == nil {
		for side, x := range d.sides {
			c := &comparedRule{number: -1 - side}
			c.conds[side] = d.open.conds[side]
			d.alone = append(d.alone, c)
			for _, r := range x.rules.All() {
				one := [2]*policy.Rule{}
				one[side] = &r
				d.alone = append(d.alone, d.compared(one[0], one[1]))
			}
		}
	}
	lists := [][]int32{d.special}
	for side := range of {
		for _, v := range of[side].variants() {
			one := [2]*Questioner{&v, &v}
			for _, c := range d.alone {
				if c.conds[side] != nil {
					lists = append(lists, d.differing(c, one, nil))
				}
			}
		}
	}
	return merged(lists)
}

// merged returns the numbers in lists, each of which is sorted.
func merged(lists [][]int32) []int32 {
	lists = slices.DeleteFunc(lists, func(list []int32) bool { return len(list) == 0 })
	switch len(lists) {
	case 0:
		return nil
	case 1:
		return lists[0]
	}
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (d *Differences) request(object, action int) int32 {
	return int32(object*len(d.actions) + action)
}

// differing returns the requests that a rule matches in one policy and not in the other,
// in objects or, for nil, in all.
func (d *Differences) differing(c *comparedRule, of [2]*Questioner, objects []int32) []int32 {
	if !c.possible(of, isObjectOrAction) {
		return nil
	}
	d.key = binary.AppendVarint(d.key[:0], int64(c.number))
	for side, x := range c.conds {
		if x != nil {
			d.key = append(x.appendValues(d.key, of[side]), '/')
		}
	}
	if found, known := d.found[string(d.key)]; known {
		return found
	}
	key := string(d.key)
	asked := [2]Questioner{*of[0], *of[1]}
	found := []int32{}
	for i, object := range d.objects {
		if objects != nil {
			if _, ok := slices.BinarySearch(objects, int32(i)); !ok {
				continue
			}
		}
		asked[0].Request.Object, asked[1].Request.Object = object, object
		if !c.possible([2]*Questioner{&asked[0], &asked[1]}, isAction) {
			continue
		}
		for k, action := range d.actions {
			if c.differs(&asked, action.Name) {
				found = append(found, d.request(i, k))
			}
		}
	}
	d.found[key] = found
	return found
}

// differingCalls returns the objects for which calls of role links differ, or reports that
// they may differ for any object.
func (d *Differences) differingCalls(g *ruleGroup, of [2]*Questioner) (objects []int32, everywhere bool) {
	byObject := false
	for i := range g.calls[0] {
		var calls [2]*cond
		var holds [2]bool
		for side := range calls {
			calls[side] = g.calls[side][i]
		}
		switch {
		case calls[0].isAbout(isObject) && !calls[0].grants:
			byObject = true
			continue
		case calls[0].uses(isObjectOrAction):
			return nil, true
		}
		for side, c := range calls {
			holds[side] = c.holds(&of[side].Request, &of[side].Roles)
		}
		if holds[0] != holds[1] {
			return nil, true
		}
	}
	if byObject && !g.computed {
		g.computed = true
		for i := range d.objects {
			if d.callsDiffer(g, of, i) {
				g.objects = append(g.objects, int32(i))
			}
		}
	}
	return g.objects, false
}

// callsDiffer reports whether a call that is about the object alone differs for one.
func (d *Differences) callsDiffer(g *ruleGroup, of [2]*Questioner, object int) bool {
	q := [2]Request{of[0].Request, of[1].Request}
	for i := range g.calls[0] {
		var holds [2]bool
		for side := range q {
			q[side].Object = d.objects[object]
			if c := g.calls[side][i]; c.isAbout(isObject) && !c.grants {
				holds[side] = c.holds(&q[side], &TokenRoles{})
			}
		}
		if holds[0] != holds[1] {
			return true
		}
	}
	return false
}
