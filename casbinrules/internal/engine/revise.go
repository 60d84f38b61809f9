package engine

import (
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Revised is the snapshot of a policy of which a few lines are others than in s. It
// decides as one that is made anew, and costs a quarter: the tables are copied, and
// only those entries looked for that are of rules which have come or gone. It
// is nil where there is no such short way.
func (s *Snapshot) Revised(v *policy.Revision, c *model.Settings) *Snapshot {
	if s.Index == nil || s.Schema.Priority >= 0 || v.Links && s.Index.asksGraphs {
		return nil
	}
	x := s.Index.revised(s, v, c)
	if x == nil {
		return nil
	}
	return snapshotOf(x, nil, s.Schema, v.Rules, v.Graphs, c)
}

// movedOf are the places of p lines, for what was replaced among all lines.
func movedOf(before []*policy.Rule, v *policy.Revision) policy.Moves {
	var m policy.Moves
	old, now := 0, 0 // p lines so far
	last := 0
	for _, at := range v.Replaced {
		same := countPolicy(before[last:at.From])
		old, now = old+same, now+same
		gone, come := countPolicy(before[at.From:at.End]), countPolicy(v.Rules[at.To:at.To+at.Count])
		m = append(m, policy.Replaced{From: old, End: old + gone, To: now, Count: come})
		old, now = old+gone, now+come
		last = at.End
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
	ordered := policy.PolicyLines(v.Rules)
	if len(ordered) == 0 || slices.ContainsFunc(x.clauses, func(w clause) bool { return w.subjects.patterns != nil }) {
		return nil
	}
	b := newIndexBuilder(s.Schema, ordered, v.Graphs, c)
	b.binder.asksGraphs, b.index.open = x.asksGraphs, x.open
	m := movedOf(s.Rules, v)
	k := keeper{from: x, to: b.index, moved: m, conds: make([]int32, len(x.conds)), matches: make([]int32, len(x.matches))}
	for i := range x.clauses {
		b.index.clauses = append(b.index.clauses, b.revisedClause(&x.clauses[i], &k))
	}
	b.noteFirst()
	made, err := b.finish(v.Rules)
	if err != nil {
		return nil
	}
	return made
}

// revisedClause is a conjunction as the rules are now.
func (b *indexBuilder) revisedClause(old *clause, k *keeper) clause {
	w := clause{subjects: old.subjects.reopened(b.index, b.graphs), object: old.object, left: old.left}
	b.pace.RestIfDue()
	w.paths = old.paths.reopened(b, k)
	b.pace.RestIfDue()
	b.conds = map[string]int32{}
	for _, at := range k.moved {
		for place := at.To; place < at.To+at.Count; place++ {
			b.pace.Step()
			b.addRule(&w, int32(place), b.index.rules[place])
		}
	}
	w.subjects.refinish(&old.subjects)
	b.pace.RestIfDue()
	w.paths.finish()
	b.pace.RestIfDue()
	return w
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

// keeper takes refs over from one index to another one.
type keeper struct {
	from, to *Index
	moved    policy.Moves
	// conds and matches are the numbers now of those before, 0 for those that no
	// ref has had so far.
	conds, matches []int32
}

// keep is a ref as it is now; ok is false for one of a rule that is gone.
func (k *keeper) keep(r ref) (now ref, ok bool) {
	if r.rule = int32(k.moved.Now(int(r.rule))); r.rule < 0 {
		return r, false
	}
	r.cond = renumbered(r.cond, k.conds, k.from.conds, &k.to.conds)
	r.match = r.match&denies | renumbered(r.match&^denies, k.matches, k.from.matches, &k.to.matches)
	return r, true
}

// renumbered is the number in the list to of what has the number n in from.
func renumbered[T any](n int32, numbers []int32, from []T, to *[]T) int32 {
	if n != 0 && numbers[n] == 0 {
		numbers[n] = int32(len(*to))
		*to = append(*to, from[n])
	}
	return numbers[n]
}

// reopened is x for rules to be added to it, with those of its rules that are left.
func (x *pathIndex) reopened(b *indexBuilder, k *keeper) pathIndex {
	made := pathIndex{
		nodes: x.nodes.Clone(64), regexps: x.regexps, cuts: x.cuts,
		pathMaker: &pathMaker{builder: b, added: make([]addedRef, 0, len(x.refs)+16)},
	}
	for _, r := range x.always {
		if now, ok := k.keep(r); ok {
			made.always = append(made.always, now)
		}
	}
	list := func(s *policy.Span) {
		refs := x.of(*s)
		*s = policy.Span{}
		for _, r := range refs {
			if now, ok := k.keep(r); ok {
				made.add(s, now)
			}
		}
	}
	for i := range made.nodes.Entries {
		b.pace.Step()
		n := made.nodes.Of(int32(i))
		list(&n.here)
		list(&n.rest)
	}
	return made
}

// reopened is x for rules to be added to it. Subjects keep their numbers, also
// those that no rule is for any more.
func (x *subjectIndex) reopened(in *Index, graphs map[string]*policy.Graph) subjectIndex {
	made := subjectIndex{
		column: x.column, keyed: x.keyed, named: x.named, tenant: x.tenant, consts: x.consts, everyone: x.everyone,
		names: in.Names, pairs: map[policy.Pair]int32{},
	}
	if x.graph != nil {
		made.graph = graphs["g"]
	}
	switch {
	case x.column < 0:
	case x.keyed:
		made.pairs = maps.Clone(x.pairs)
	default:
		made.ruled = make([]bool, len(x.ruled))
		for _, r := range in.rules {
			made.number(r)
		}
	}
	return made
}

// refinish is finish, which takes over what it would work out again if the subjects
// and role links are those of old.
func (x *subjectIndex) refinish(old *subjectIndex) {
	if x.graph == old.graph && len(x.pairs) == len(old.pairs) && slices.Equal(x.ruled, old.ruled) {
		x.byName, x.byPair, x.reaches, x.members, x.everybody = old.byName, old.byPair, old.reaches, old.members, old.everybody
		return
	}
	x.finish()
}
