package casbinrules

import (
	"slices"
)

// subjectIndex numbers the subjects of rules and knows which of them a
// request's subject stands for. The number 0 is for rules that are for
// everybody who gets as far.
type subjectIndex struct {
	graph    *graph // nil when names are only compared
	keyed    bool   // a rule is for one tenant, in the column tenant
	column   int    // -1 when rules do not say whom they are for
	named    bool   // the request's subject is compared, and not only consts
	tenant   int
	consts   []string // names that stand for everybody
	everyone *cond    // when it holds, every rule is for the subject

	numbers map[node]int32
	tenants map[string]*tenantSubjects
	unknown *tenantSubjects // for tenants that no rule and no link names
}

// canKey reports whether subjects can be told apart by tenant: they are looked
// up, always, and their roles are those of a tenant, if they have any. Where
// not, the tenant is one more condition.
func (x *subjectIndex) canKey() bool {
	return x.column >= 0 && x.everyone == nil && (x.graph == nil || x.graph.tenants)
}

// tenantSubjects are the names of one tenant.
type tenantSubjects struct {
	names  map[string]*reach
	consts []int32
}

// reach is the numbers of the subjects that a name stands for, sorted: its own
// and those of its roles. tail leaves out roles at the end of the longest
// chain, which the roles of credentials do not reach.
type reach struct{ all, tail []int32 }

// number is the number of a rule's subject, made when it is new.
func (x *subjectIndex) number(fields []string) int32 {
	if x.column < 0 {
		return 0
	}
	n := node{name: fields[x.column]}
	if x.keyed {
		n.tenant = fields[x.tenant]
	}
	id, ok := x.numbers[n]
	if !ok {
		id = int32(len(x.numbers)) + 1
		x.numbers[n] = id
	}
	return id
}

// finish works out who stands for whom, once all rules are numbered.
func (x *subjectIndex) finish() {
	x.tenants = map[string]*tenantSubjects{}
	x.unknown = x.of("")
	if x.graph != nil && !x.graph.tenants {
		x.unknown.names = make(map[string]*reach, len(x.graph.closures)+len(x.numbers))
	}
	for n := range x.numbers {
		if x.keyed {
			x.of(n.tenant)
		}
	}
	shared := map[*closure]*reach{}
	if x.graph != nil {
		for n, c := range x.graph.all() {
			t := x.of(n.tenant)
			own := x.numbers[x.key(n.tenant, n.name)]
			if own == 0 && shared[c] != nil {
				t.names[n.name] = shared[c]
				continue
			}
			r := x.reachOf(n.tenant, c, own)
			if own == 0 {
				shared[c] = r
			}
			t.names[n.name] = r
		}
	}
	x.addOwn()
	for tenant, t := range x.tenants {
		for _, name := range x.consts {
			if id := x.numbers[x.key(tenant, name)]; id != 0 {
				t.consts = append(t.consts, id)
			}
		}
		slices.Sort(t.consts)
	}
}

// addOwn makes every subject of a rule stand at least for itself.
func (x *subjectIndex) addOwn() {
	for n, id := range x.numbers {
		own := &reach{all: []int32{id}, tail: []int32{id}}
		if x.keyed {
			x.tenants[n.tenant].addMissing(n.name, own)
			continue
		}
		for _, t := range x.tenants {
			t.addMissing(n.name, own)
		}
	}
}

func (t *tenantSubjects) addMissing(name string, r *reach) {
	if t.names[name] == nil {
		t.names[name] = r
	}
}

// of is the names of a tenant, made when there are none.
func (x *subjectIndex) of(tenant string) *tenantSubjects {
	t := x.tenants[tenant]
	if t == nil {
		t = &tenantSubjects{names: map[string]*reach{}}
		x.tenants[tenant] = t
	}
	return t
}

// key is how a subject of a tenant is numbered.
func (x *subjectIndex) key(tenant, name string) node {
	if !x.keyed {
		tenant = ""
	}
	return node{tenant, name}
}

func (x *subjectIndex) reachOf(tenant string, c *closure, own int32) *reach {
	r := &reach{}
	if own != 0 {
		r.all, r.tail = append(r.all, own), append(r.tail, own)
	}
	for _, l := range c.links {
		id := x.numbers[x.key(tenant, l.name)]
		if id == 0 || id == own {
			continue
		}
		r.all = append(r.all, id)
		if l.count < maxLinks {
			r.tail = append(r.tail, id)
		}
	}
	slices.Sort(r.all)
	slices.Sort(r.tail)
	return r
}

// sets appends the sets of numbers that the subject of q stands for.
func (x *subjectIndex) sets(q *question, with *bearing, sets [][]int32) [][]int32 {
	if x.column < 0 {
		return sets
	}
	t := x.unknown
	if x.keyed || x.graph != nil && x.graph.tenants {
		if known := x.tenants[q.tenant]; known != nil {
			t = known
		} else if x.keyed {
			return sets
		}
	}
	if r := t.names[q.subject]; x.named && r != nil && len(r.all) > 0 {
		sets = append(sets, r.all)
	}
	if len(t.consts) > 0 {
		sets = append(sets, t.consts)
	}
	if x.graph == nil {
		return sets
	}
	var spelt [64]byte // room for a name that is put together
	for _, role := range with.roles {
		r := t.names[role]
		if with.prefix != "" {
			r = t.names[string(append(append(spelt[:0], with.prefix...), role...))]
		}
		if r != nil && len(r.tail) > 0 {
			sets = append(sets, r.tail)
		}
	}
	return sets
}
