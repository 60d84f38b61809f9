package engine

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Revised returns the snapshot of a policy that differs from that of s in a few
// lines, and decides like a new one. Both share the table entries they have in
// common; only entries of added and removed rules are looked up. It returns nil if
// the snapshot must be built anew.
func (s *Snapshot) Revised(v *policy.Revision, c *model.Settings) *Snapshot {
	if s.Index == nil || s.Schema.Priority >= 0 || v.Links && s.Index.usesGraphs {
		return nil
	}
	x := s.Index.revise(s, v, c)
	if x == nil {
		return nil
	}
	spellings := s.spellings
	if affectsSpellings(s.Schema, s.Rules, v) {
		spellings = spellingsOf(s.Schema, v.Rules, c.Pace)
	}
	return snapshotOf(x, nil, spellings, v.Named(s.Schema, s.namedMethods, s.Rules), s.Schema, v.Texts, v.Rules, v.Graphs, c)
}

// movedPolicyLines translates replaced ranges of all lines to ranges of p lines.
func (x *Index) movedPolicyLines(before policy.Rules, v *policy.Revision) policy.Moves {
	var m policy.Moves
	by := 0
	for _, at := range v.Replaced {
		from := x.rules.Len()
		if at.From < before.Len() {
			first := before.At(at.From)
			from = x.rules.Search(int(first.Source()), int(first.Line))
		}
		gone := policy.PolicyLines(before.Slice(at.From, at.End), nil).Len()
		come := policy.PolicyLines(v.Rules.Slice(at.To, at.To+at.Count), nil).Len()
		m = append(m, policy.Replaced{From: from, End: from + gone, To: from + by, Count: come})
		by += come - gone
	}
	return m
}

// revise returns x for a revision of its snapshot, or nil.
func (x *Index) revise(s *Snapshot, v *policy.Revision, c *model.Settings) *Index {
	ordered := v.Lines
	if ordered.Len() == 0 || slices.ContainsFunc(x.clauses, func(w clause) bool { return w.subjects.patterns != nil }) {
		return nil
	}
	b := newIndexBuilder(s.Schema, v.Texts, ordered, v.Graphs, c)
	b.binder.usesGraphs, b.index.open = x.usesGraphs, x.open
	b.index.conds, b.index.matches = slices.Clip(x.conds), slices.Clip(x.matches)
	moved := x.movedPolicyLines(s.Rules, v)
	for i := range x.clauses {
		w, ok := b.reviseClause(x, &x.clauses[i], moved)
		if !ok {
			return nil
		}
		b.index.clauses = append(b.index.clauses, w)
	}
	if b.condRemoved {
		b.dropUnusedConds()
	}
	b.findFirstEffects()
	made, err := b.finish(v.Rules)
	if err != nil {
		return nil
	}
	return made
}

// reviseClause returns a conjunction for the revised rules. ok is false if editing
// would take longer than building it anew.
func (b *indexBuilder) reviseClause(before *Index, old *clause, moved policy.Moves) (w clause, ok bool) {
	w = clause{subjects: old.subjects.cloneForEdit(b.index, b.graphs), paths: old.paths.cloneForEdit(b), object: old.object, residual: old.residual}
	most := maxEdited * (before.rules.Len() + b.index.rules.Len())
	b.pace.RestIfDue()
	b.conds = map[string]int32{}
	w.paths.mode = modeRemove
	for _, at := range moved {
		for place := at.From; place < at.End; place++ {
			b.pace.Step()
			if w.remove(int32(place), before.rules.At(place)); w.paths.edits > most {
				return w, false
			}
		}
	}
	w.paths.renumber(moved)
	w.paths.mode = modeInsert
	b.pace.RestIfDue()
	for _, at := range moved {
		for place := at.To; place < at.To+at.Count; place++ {
			b.pace.Step()
			if b.addRule(&w, int32(place), b.index.rules.At(place)); w.paths.edits > most {
				return w, false
			}
		}
	}
	b.pace.RestIfDue()
	w.subjects.finishRevision(&old.subjects, w.subjects.addedSubjects(b.index.rules, moved), b.pace)
	b.pace.RestIfDue()
	w.paths.finishRevision()
	b.pace.RestIfDue()
	return w, true
}

// maxEdited is the maximum number of list entries, for each rule, that one revision
// may copy. Each edit copies its list, and a single list may contain all rules.
const maxEdited = 8

// remove removes a rule from the lists that contain it.
func (w *clause) remove(place int32, of policy.Rule) {
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

// findFirstEffects finds the first rules of both effects.
func (b *indexBuilder) findFirstEffects() {
	x := b.index
	x.firstAllow, x.firstDeny = none, none
	for i, r := range x.rules.All() {
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

// cloneForEdit returns a copy of x to and from which rules can be added and removed.
// Lists are copied as a whole.
func (x *pathIndex) cloneForEdit(b *indexBuilder) pathIndex {
	made := *x
	made.nodes, made.always = x.nodes.Clone(), slices.Clone(x.always)
	made.refs = append(make([]ref, 0, len(x.refs)+64), x.refs...)
	made.pathBuilder = &pathBuilder{builder: b}
	return made
}

// edited returns a list with a rule added or removed, in place if possible.
func (x *pathIndex) edited(list []ref, r ref) []ref {
	x.edits += len(list)
	if x.mode == modeInsert {
		at, _ := slices.BinarySearchFunc(list, r, compareRefs)
		return slices.Insert(slices.Clip(list), at, r)
	}
	return slices.DeleteFunc(list, func(other ref) bool {
		gone := other.rule == r.rule
		x.builder.condRemoved = x.builder.condRemoved || gone && other.cond != 0
		return gone
	})
}

// replace stores list as the contents of a span; list may be the span's own,
// shortened.
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

// renumber updates the places of rules in all entries.
func (x *pathIndex) renumber(moved policy.Moves) {
	if !slices.ContainsFunc(moved, func(at policy.Replaced) bool { return at.End-at.From != at.Count }) {
		return // The places of the other rules are unchanged.
	}
	first := int32(moved[0].From)
	for _, list := range [][]ref{x.always, x.refs} {
		for i := range list {
			if r := &list[i]; r.rule >= first && r.rule != none {
				r.rule = int32(moved.Current(int(r.rule)))
			}
		}
	}
}

// dropUnusedConds drops the conditions that no rule uses any more.
func (b *indexBuilder) dropUnusedConds() {
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

// finishRevision is finish for lists that edits have kept sorted.
func (x *pathIndex) finishRevision() {
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
	x.pathBuilder = nil
}

// cloneForEdit returns a copy of x to which rules can be added. Subjects stay subjects,
// even if they have no rules any more.
func (x *subjectIndex) cloneForEdit(in *Index, graphs map[string]*policy.Graph) subjectIndex {
	made := subjectIndex{
		column: x.column, keyed: x.keyed, named: x.named, tenant: x.tenant, consts: x.consts, everyone: x.everyone,
		names: in.Names, pairs: x.pairs, sharesPairs: true, hasRules: slices.Clone(x.hasRules),
	}
	if x.graph != nil {
		made.graph = graphs["g"]
	}
	return made
}

// maxRecomputed is the maximum number of names whose reach is recomputed one by one.
const maxRecomputed = 1000

// addedSubjects returns the subjects of added rules.
func (x *subjectIndex) addedSubjects(now policy.Rules, moved policy.Moves) (names []int32) {
	if x.column < 0 || x.keyed {
		return nil
	}
	for _, at := range moved {
		for _, r := range now.Slice(at.To, at.To+at.Count).All() {
			names = append(names, r.Number(x.column))
		}
	}
	return names
}

// finishRevision is finish, but reuses the reach of names whose subjects and role
// links are unchanged since old. Some of the added subjects, which may contain a name
// twice, have gained their first rule.
func (x *subjectIndex) finishRevision(old *subjectIndex, touched []int32, p *pace.Pace) {
	sameLinks := x.graph == old.graph
	touched = slices.DeleteFunc(touched, old.isRuleSubject)
	if sameLinks && len(x.pairs) == len(old.pairs) && len(touched) == 0 {
		x.reuse(old)
		return
	}
	if old.byTenant() || old.timed != nil || len(x.consts) > 0 || len(old.members) > 2*old.fullSize+maxRecomputed {
		x.finish(p)
		return
	}
	changed := make([]bool, x.names.Numbers())
	for _, name := range touched {
		changed[name] = true
	}
	marked := slices.Clone(changed)
	if x.graph != nil {
		x.graph.MarkDependents(old.graph, changed, marked, p)
		p.RestIfDue()
	}
	var recompute []int32
	for name, is := range marked {
		if is {
			recompute = append(recompute, int32(name))
		}
	}
	if len(recompute) > maxRecomputed {
		x.finish(p)
		return
	}
	x.reuse(old)
	x.byName = append(make([]reach, 0, len(marked)), old.byName...)[:len(marked)]
	x.members = slices.Clip(old.members)
	for _, name := range recompute {
		own, c := x.own(policy.Pair{Name: name}), x.closure(name)
		if c == nil {
			c = &policy.Closure{}
		}
		x.byName[name] = x.newReach(0, c, own)
	}
}

func (x *subjectIndex) reuse(old *subjectIndex) {
	x.byName, x.byPair, x.reaches, x.members, x.fullSize = old.byName, old.byPair, old.reaches, old.members, old.fullSize
	x.timed, x.everybody = old.timed, old.everybody // without timed, expired links would count
}

func (x *subjectIndex) isRuleSubject(name int32) bool {
	return int(name) < len(x.hasRules) && x.hasRules[name]
}

// closure returns the closure of a name in a model without tenants.
func (x *subjectIndex) closure(name int32) *policy.Closure {
	if x.graph == nil {
		return nil
	}
	return x.graph.Of(policy.Pair{Name: name})
}
