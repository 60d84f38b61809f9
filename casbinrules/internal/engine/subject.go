package engine

import (
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// subjectIndex numbers the subjects of rules and knows which of them a request's
// subject stands for. Number 0 is for rules that do not compare the subject.
type subjectIndex struct {
	graph    *policy.Graph // nil if names are only compared
	keyed    bool          // a rule applies in one tenant, that in the column tenant
	column   int           // -1 if rules do not compare the subject
	named    bool          // the request's subject is compared, not only consts
	tenant   int
	consts   []string // names that stand for everybody
	everyone *cond    // if it holds, every rule applies to the subject

	// patterns finds subjects if role links contain patterns; otherwise nil.
	patterns *subjectPatterns
	names    *policy.Texts
	// pairs are the numbers of subjects of rules that apply in one tenant. Other
	// subjects have the numbers of their names; hasRules says which of them are
	// subjects of rules.
	pairs    map[policy.Pair]int32
	hasRules []bool
	// sharesPairs reports that another index uses the same pairs.
	sharesPairs bool
	// byName are the reaches of names, and byPair the places in reaches of those
	// that depend on the tenant.
	byName  []reach
	byPair  map[policy.Pair]int32
	reaches []reach // the first is empty
	members []int32 // of long reaches and constants, sorted within each
	// fullSize is the number of members after all reaches were last computed
	// together.
	fullSize int
	// timed are the names whose roles change with time. Their entries in byName and
	// byPair count all links.
	timed map[policy.Pair]*timedReach
	// everybody are the subject numbers of consts, by tenant if keyed.
	everybody map[int32]policy.Span
}

// reach is the sorted list of subject numbers that a name stands for: its own and
// those of its roles. Up to two are stored in the reach itself, so that most
// decisions find them together with the name. For a longer list, r[0] is the
// inverted index of its first member, and r[1] the length. A role of the credentials
// counts as one link, so it does not reach the roles at the end of the longest
// chains: if there are any, r[1] is inverted, and the list is followed by the length
// and members of the list without them.
type reach [2]int32

// canKey reports whether subjects can be told apart by tenant: the subject is always
// looked up, and roles, if any, belong to a tenant. Otherwise the tenant becomes a
// further condition.
func (x *subjectIndex) canKey() bool {
	return x.column >= 0 && x.everyone == nil && (x.graph == nil || x.graph.Tenants)
}

// number returns the number of a rule's subject, and assigns one to a new subject.
func (x *subjectIndex) number(r policy.Rule) int32 {
	if x.column < 0 {
		return 0
	}
	name := r.Number(x.column)
	if !x.keyed {
		for int(name) >= len(x.hasRules) {
			x.hasRules = append(x.hasRules, false)
		}
		x.hasRules[name] = true
		return name
	}
	p := policy.Pair{Tenant: r.Number(x.tenant), Name: name}
	number := x.pairs[p]
	if number == 0 {
		if x.sharesPairs {
			x.pairs, x.sharesPairs = maps.Clone(x.pairs), false
		}
		number = int32(len(x.pairs)) + 1
		x.pairs[p] = number
	}
	return number
}

// finish computes the reaches once all rules are numbered.
func (x *subjectIndex) finish(p *pace.Pace) {
	if x.patterns != nil {
		x.patterns.finish(x)
		return
	}
	x.byName = make([]reach, x.names.Numbers())
	x.reaches = make([]reach, 1)
	if x.byTenant() {
		x.byPair = make(map[policy.Pair]int32, len(x.pairs))
	}
	if x.graph != nil {
		shared := map[*policy.Closure]reach{}
		for pair, c := range x.graph.Each() {
			p.Step()
			own := x.own(pair)
			r := shared[c]
			if own != 0 || r == (reach{}) {
				r = x.newReach(pair.Tenant, c, own)
			}
			if own == 0 {
				shared[c] = r
			}
			if x.byPair != nil {
				x.addPair(pair, r)
			} else {
				x.byName[pair.Name] = r
			}
			if x.graph.ChangesWithTime(pair) {
				x.addTimed(pair)
			}
		}
	}
	p.RestIfDue()
	x.addOwn()
	x.addEverybody()
	x.fullSize = len(x.members)
}

// byTenant reports whether the reach of a name depends on the tenant.
func (x *subjectIndex) byTenant() bool { return x.keyed || x.graph != nil && x.graph.Tenants }

// own returns the subject number of a name itself, or 0.
func (x *subjectIndex) own(p policy.Pair) int32 {
	switch {
	case x.keyed:
		return x.pairs[p]
	case x.isRuleSubject(p.Name):
		return p.Name
	default:
		return 0
	}
}

func (x *subjectIndex) newReach(tenant int32, c *policy.Closure, own int32) (r reach) {
	all, tail := x.reached(tenant, c, own)
	if len(all) <= len(r) && len(tail) == len(all) {
		copy(r[:], all)
		slices.Sort(r[:len(all)])
		return r
	}
	s := x.store(all)
	r = reach{^s.First, s.Count}
	if len(tail) < len(all) {
		r[1] = ^s.Count
		x.members = append(x.members, int32(len(tail)))
		x.store(tail)
	}
	return r
}

func (x *subjectIndex) addPair(p policy.Pair, r reach) {
	x.byPair[p] = int32(len(x.reaches))
	x.reaches = append(x.reaches, r)
}

// all returns the numbers of a reach. The number of those stored in it is computed
// without a branch: while the reach is fetched from memory, a mispredicted branch
// would discard the lookup of the object that the processor has already begun.
func (x *subjectIndex) all(r *reach) []int32 {
	if r[0] < 0 {
		count := r[1]
		if count < 0 {
			count = ^count
		}
		return x.of(policy.Span{First: ^r[0], Count: count})
	}
	return r[:int(uint32(-r[0])>>31+uint32(-r[1])>>31)]
}

// tail returns the numbers that remain if the name is a role of the credentials.
func (x *subjectIndex) tail(r *reach) []int32 {
	if r[0] >= 0 || r[1] >= 0 {
		return x.all(r)
	}
	at := ^r[0] + ^r[1]
	return x.of(policy.Span{First: at + 1, Count: x.members[at]})
}

// reached returns the subject numbers that a name with a closure stands for.
func (x *subjectIndex) reached(tenant int32, c *policy.Closure, own int32) (all, tail []int32) {
	if own != 0 {
		all, tail = append(all, own), append(tail, own)
	}
	for _, l := range c.Links {
		number := x.own(policy.Pair{Tenant: tenant, Name: l.Number})
		if number == 0 || number == own {
			continue
		}
		all = append(all, number)
		if l.Count < policy.MaxLinks {
			tail = append(tail, number)
		}
	}
	return all, tail
}

// store appends numbers to members, sorted.
func (x *subjectIndex) store(numbers []int32) policy.Span {
	slices.Sort(numbers)
	s := policy.Span{First: int32(len(x.members)), Count: int32(len(numbers))}
	x.members = append(x.members, numbers...)
	return s
}

// addOwn makes each subject stand at least for itself.
func (x *subjectIndex) addOwn() {
	for p, number := range x.pairs {
		if x.byPair[p] == 0 {
			x.addPair(p, reach{number})
		}
	}
	for name, ruled := range x.hasRules {
		if ruled && x.byName[name] == (reach{}) {
			x.byName[name] = reach{int32(name)}
		}
	}
}

func (x *subjectIndex) addEverybody() {
	if len(x.consts) == 0 {
		return
	}
	found := map[int32][]int32{}
	for _, name := range x.consts {
		number := x.names.Known(name)
		if !x.keyed {
			if own := x.own(policy.Pair{Name: number}); own != 0 {
				found[0] = append(found[0], own)
			}
			continue
		}
		for p, own := range x.pairs {
			if p.Name == number && number != 0 {
				found[p.Tenant] = append(found[p.Tenant], own)
			}
		}
	}
	x.everybody = make(map[int32]policy.Span, len(found))
	for tenant, numbers := range found {
		x.everybody[tenant] = x.store(numbers)
	}
}

// of returns the members of a span.
func (x *subjectIndex) of(s policy.Span) []int32 { return x.members[s.First : s.First+s.Count] }

// reach returns the reach of a name in a tenant.
func (x *subjectIndex) reach(p policy.Pair) *reach {
	if x.byPair != nil {
		if at := x.byPair[p]; at != 0 {
			return &x.reaches[at]
		}
	}
	if int(p.Name) < len(x.byName) {
		return &x.byName[p.Name]
	}
	return &x.reaches[0]
}

// sets appends the lists of subject numbers that the subject of q stands for.
func (x *subjectIndex) sets(q *Request, with *TokenRoles, sets [][]int32) [][]int32 {
	if x.column < 0 {
		return sets
	}
	if x.patterns != nil {
		return append(sets, x.patterns.numbers(x, q, with))
	}
	p := policy.Pair{Name: q.Number}
	if x.byPair != nil {
		p.Tenant = x.names.Known(q.Tenant)
		if p.Tenant == 0 && x.keyed {
			return sets
		}
	}
	if x.named {
		if x.timed == nil {
			sets = appendSet(sets, x.all(x.reach(p)))
		} else {
			sets = x.appendReach(sets, p, q.Now, false)
		}
	}
	if x.everybody != nil {
		tenant := p.Tenant
		if !x.keyed {
			tenant = 0
		}
		sets = appendSet(sets, x.of(x.everybody[tenant]))
	}
	if x.graph == nil {
		return sets
	}
	for _, role := range with.Roles {
		p.Name = x.names.Role(with.Prefix, role)
		sets = x.appendReach(sets, p, q.Now, true)
	}
	return sets
}

// appendReach appends the reach of a name in a tenant; only its tail if tail is set.
func (x *subjectIndex) appendReach(sets [][]int32, p policy.Pair, now policy.Moment, tail bool) [][]int32 {
	if x.timed != nil && !(tail && x.graph.Tenants) { // see Graph.Later
		if t := x.timed[p]; t != nil {
			return t.append(sets, x, p, now, tail)
		}
	}
	if r := x.reach(p); tail {
		return appendSet(sets, x.tail(r))
	} else {
		return appendSet(sets, x.all(r))
	}
}

func appendSet(sets [][]int32, numbers []int32) [][]int32 {
	if len(numbers) == 0 {
		return sets
	}
	return append(sets, numbers)
}
