package engine

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Revised is the snapshot of a policy of which a few lines are others than in s. It
// decides as one that is made anew: tables share what is the same in both, and only
// those entries are looked for that are of rules which have come or gone. It is nil
// where there is no such short way.
func (s *Snapshot) Revised(v *policy.Revision, c *model.Settings) *Snapshot {
	if s.Index == nil || s.Schema.Priority >= 0 || v.Links && s.Index.asksGraphs {
		return nil
	}
	x := s.Index.revised(s, v, c)
	if x == nil {
		return nil
	}
	spellings := s.spellings
	if respelled(s.Schema, s.Rules, v) {
		spellings = spellingsOf(s.Schema, v.Rules)
	}
	return snapshotOf(x, nil, spellings, v.Named(s.Schema, s.named, s.Rules), s.Schema, v.Rules, v.Graphs, c)
}

// movedOf are the places of p lines, for what was replaced among all lines.
func (x *Index) movedOf(before []*policy.Rule, v *policy.Revision) policy.Moves {
	var m policy.Moves
	by := 0
	for _, at := range v.Replaced {
		from := len(x.rules)
		if at.From < len(before) {
			from, _ = slices.BinarySearchFunc(x.rules, before[at.From], policy.ComparePlaces)
		}
		gone, come := countPolicy(before[at.From:at.End]), countPolicy(v.Rules[at.To:at.To+at.Count])
		m = append(m, policy.Replaced{From: from, End: from + gone, To: from + by, Count: come})
		by += come - gone
	}
	return m
}

func countPolicy(rules []*policy.Rule) (count int) {
	for _, r := range rules {
		if r.IsPolicy() {
			count++
		}
	}
	return count
}

// revised is x for the revision of its snapshot, or nil.
func (x *Index) revised(s *Snapshot, v *policy.Revision, c *model.Settings) *Index {
	ordered := v.Lines
	if len(ordered) == 0 || slices.ContainsFunc(x.clauses, func(w clause) bool { return w.subjects.patterns != nil }) {
		return nil
	}
	b := newIndexBuilder(s.Schema, ordered, v.Graphs, c)
	b.binder.asksGraphs, b.index.open = x.asksGraphs, x.open
	b.index.conds, b.index.matches = slices.Clip(x.conds), slices.Clip(x.matches)
	moved := x.movedOf(s.Rules, v)
	for i := range x.clauses {
		w, ok := b.revisedClause(x, &x.clauses[i], moved)
		if !ok {
			return nil
		}
		b.index.clauses = append(b.index.clauses, w)
	}
	if b.condGone {
		b.dropConds()
	}
	b.noteFirst()
	made, err := b.finish(v.Rules)
	if err != nil {
		return nil
	}
	return made
}

// revisedClause is a conjunction as the rules are now. ok is false when that would
// take longer than to make it anew.
func (b *indexBuilder) revisedClause(before *Index, old *clause, moved policy.Moves) (w clause, ok bool) {
	w = clause{subjects: old.subjects.reopened(b.index, b.graphs), paths: old.paths.reopened(b), object: old.object, left: old.left}
	most := mostEdited * (len(before.rules) + len(b.index.rules))
	b.pace.RestIfDue()
	b.conds = map[string]int32{}
	w.paths.mode = takeOut
	for _, at := range moved {
		for place := at.From; place < at.End; place++ {
			b.pace.Step()
			if w.take(int32(place), before.rules[place]); w.paths.edits > most {
				return w, false
			}
		}
	}
	w.subjects.forget(before.rules, b.index.rules, moved)
	w.paths.move(moved)
	w.paths.mode = putIn
	b.pace.RestIfDue()
	for _, at := range moved {
		for place := at.To; place < at.To+at.Count; place++ {
			b.pace.Step()
			if b.addRule(&w, int32(place), b.index.rules[place]); w.paths.edits > most {
				return w, false
			}
		}
	}
	b.pace.RestIfDue()
	w.subjects.refinish(&old.subjects, w.subjects.touched(before.rules, b.index.rules, moved))
	b.pace.RestIfDue()
	w.paths.refinish()
	b.pace.RestIfDue()
	return w, true
}

// mostEdited is how many refs lists may have, for each rule, that are edited in one
// revision: each edit copies its list, and all rules may be in one.
const mostEdited = 8

// take takes a rule out of the lists it is in.
func (w *clause) take(place int32, of *policy.Rule) {
	r := ref{rule: place}
	text := policy.ValueAt(of, w.object.column)
	if w.object.column < 0 || slices.Contains(w.object.consts, text) {
		w.paths.addAlways(r)
		return
	}
	for _, function := range w.object.functions {
		w.paths.put(function, text, r)
	}
}

// noteFirst finds the first rules of both effects.
func (b *indexBuilder) noteFirst() {
	x := b.index
	x.firstAllow, x.firstDeny = none, none
	for i, r := range x.rules {
		switch policy.EffectOf(b.schema, r) {
		case "allow":
			x.firstAllow = min(x.firstAllow, int32(i))
		case "deny":
			x.firstDeny = min(x.firstDeny, int32(i))
		}
		if x.firstAllow != none && (x.firstDeny != none || b.schema.Eft < 0) {
			return
		}
	}
}

// reopened is x for rules to be taken out and added. Its lists are copied whole.
func (x *pathIndex) reopened(b *indexBuilder) pathIndex {
	made := *x
	made.nodes, made.always = x.nodes.Clone(), slices.Clone(x.always)
	made.refs = append(make([]ref, 0, len(x.refs)+64), x.refs...)
	made.pathMaker = &pathMaker{builder: b}
	return made
}

// edited is a list with or without a rule, in place if it can be.
func (x *pathIndex) edited(list []ref, r ref) []ref {
	x.edits += len(list)
	if x.mode == putIn {
		at, _ := slices.BinarySearchFunc(list, r, compareRefs)
		return slices.Insert(slices.Clip(list), at, r)
	}
	return slices.DeleteFunc(list, func(other ref) bool {
		gone := other.rule == r.rule
		x.builder.condGone = x.builder.condGone || gone && other.cond != 0
		return gone
	})
}

// replace has a span hold a list, which may be its own, cut short.
func (x *pathIndex) replace(to *policy.Span, list []ref) {
	fits := len(list) <= int(to.Count)
	left := x.of(*to)
	if fits {
		left = left[len(list):]
	}
	for i := range left {
		left[i] = ref{rule: none}
	}
	x.unused += len(left)
	if !fits {
		to.First = int32(len(x.refs))
		x.refs = append(x.refs, list...)
	}
	to.Count = int32(len(list))
}

// move has all refs name the places of their rules now.
func (x *pathIndex) move(moved policy.Moves) {
	if !slices.ContainsFunc(moved, func(at policy.Replaced) bool { return at.End-at.From != at.Count }) {
		return // All others stay where they are.
	}
	first := int32(moved[0].From)
	for _, list := range [][]ref{x.always, x.refs} {
		for i := range list {
			if r := &list[i]; r.rule >= first && r.rule != none {
				r.rule = int32(moved.Now(int(r.rule)))
			}
		}
	}
}

// dropConds leaves out the conditions that no rule has any more.
func (b *indexBuilder) dropConds() {
	conds := make([]condition, 1, len(b.index.conds))
	numbers := make([]int32, len(b.index.conds))
	for _, w := range b.index.clauses {
		for _, list := range [][]ref{w.paths.always, w.paths.refs} {
			for i := range list {
				n := &list[i].cond
				if *n != 0 && numbers[*n] == 0 {
					numbers[*n] = int32(len(conds))
					conds = append(conds, b.index.conds[*n])
				}
				*n = numbers[*n]
			}
		}
	}
	b.index.conds = conds
}

// refinish is finish after edits, which have left all in order.
func (x *pathIndex) refinish() {
	if x.unused > len(x.refs)/2 {
		refs := make([]ref, 0, len(x.refs)-x.unused)
		for i := range int32(x.nodes.Numbers()) {
			n := x.nodes.Change(i)
			for _, list := range []*policy.Span{&n.here, &n.rest} {
				refs = append(refs, x.of(*list)...)
				list.First = int32(len(refs)) - list.Count
			}
		}
		x.refs, x.unused = refs, 0
	}
	x.slash = x.nodes.Find(0, "")
	x.pathMaker = nil
}

// reopened is x for rules to be added to it. Subjects keep their numbers, also
// those that no rule is for any more.
func (x *subjectIndex) reopened(in *Index, graphs map[string]*policy.Graph) subjectIndex {
	made := subjectIndex{
		column: x.column, keyed: x.keyed, named: x.named, tenant: x.tenant, consts: x.consts, everyone: x.everyone,
		names: in.Names, pairs: x.pairs, shared: true, ruled: slices.Clone(x.ruled),
	}
	if x.graph != nil {
		made.graph = graphs["g"]
	}
	return made
}

// forget notes that no rule is any more for some of those that one was for.
func (x *subjectIndex) forget(before, now []*policy.Rule, moved policy.Moves) {
	if x.column < 0 || x.keyed {
		return
	}
	lost := map[int32]bool{}
	for _, at := range moved {
		for _, r := range before[at.From:at.End] {
			if name := r.Number(x.column); int(name) < len(x.ruled) && x.ruled[name] {
				lost[name], x.ruled[name] = true, false
			}
		}
	}
	for i := 0; i < len(now) && len(lost) > 0; i++ {
		if name := now[i].Number(x.column); int(name) < len(x.ruled) && !x.ruled[name] && lost[name] {
			x.ruled[name] = true
			delete(lost, name)
		}
	}
}

// fewReaches is how many names at most are worked out again by themselves.
const fewReaches = 1000

// touched are the subjects of rules that have come or gone, by their names.
func (x *subjectIndex) touched(before, now []*policy.Rule, moved policy.Moves) (names []int32) {
	if x.column < 0 || x.keyed {
		return nil
	}
	for _, at := range moved {
		for _, rules := range [][]*policy.Rule{before[at.From:at.End], now[at.To : at.To+at.Count]} {
			for _, r := range rules {
				names = append(names, r.Number(x.column))
			}
		}
	}
	return names
}

// refinish is finish, which takes over what it would work out again of names whose
// subjects and role links are those of old. Some of touched, which may name one
// twice, have rules now and had none, or the other way round.
func (x *subjectIndex) refinish(old *subjectIndex, touched []int32) {
	sameLinks := x.graph == old.graph
	touched = slices.DeleteFunc(touched, func(name int32) bool { return x.isRuled(name) == old.isRuled(name) })
	if sameLinks && len(x.pairs) == len(old.pairs) && len(touched) == 0 {
		x.takeOver(old)
		return
	}
	if old.byTenant() || old.timed != nil || len(x.consts) > 0 || len(old.members) > 2*old.whole+fewReaches {
		x.finish()
		return
	}
	changed := make([]bool, x.names.Numbers())
	for _, name := range touched {
		changed[name] = true
	}
	marked := slices.Clone(changed)
	if x.graph != nil {
		x.graph.MarkFollowing(old.graph, changed, marked)
	}
	var again []int32
	for name, is := range marked {
		if is {
			again = append(again, int32(name))
		}
	}
	if len(again) > fewReaches {
		x.finish()
		return
	}
	x.takeOver(old)
	x.byName = append(make([]reach, 0, len(marked)), old.byName...)[:len(marked)]
	x.members = slices.Clip(old.members)
	for _, name := range again {
		own, c := x.own(policy.Pair{Name: name}), x.closure(name)
		if c == nil {
			c = &policy.Closure{}
		}
		x.byName[name] = x.newReach(0, c, own)
	}
}

func (x *subjectIndex) takeOver(old *subjectIndex) {
	x.byName, x.byPair, x.reaches, x.members, x.whole = old.byName, old.byPair, old.reaches, old.members, old.whole
	x.timed, x.everybody = old.timed, old.everybody // without timed, links would count at any time
}

func (x *subjectIndex) isRuled(name int32) bool { return int(name) < len(x.ruled) && x.ruled[name] }

// closure is that of a name, where there are no tenants.
func (x *subjectIndex) closure(name int32) *policy.Closure {
	if x.graph == nil {
		return nil
	}
	return x.graph.Of(policy.Pair{Name: name})
}
