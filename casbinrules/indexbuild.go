package casbinrules

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"sync"

	"github.com/casbin/casbin/v2/constant"
)

// newEngine is the index of a policy, or Casbin's enforcer where there can be
// none; unindexed says why.
func newEngine(s *schema, rules []*rule, graphs map[string]*graph, c *settings) (e engine, unindexed, err error) {
	if c.asCasbin {
		unindexed = errors.New("the policy is to mean what Casbin takes it for")
	} else if x, why := newIndex(s, rules, graphs, c); why == nil {
		return x, nil, nil
	} else {
		unindexed = why
	}
	e, err = newCasbinEngine(s, rules, graphs)
	return e, unindexed, err
}

var errEmptyPolicy = errors.New("the policy is empty")

// newIndex makes the index of a policy. The error says why the model has to be
// left to Casbin.
func newIndex(s *schema, rules []*rule, graphs map[string]*graph, c *settings) (*index, error) {
	if s.effect == constant.SubjectPriorityEffect {
		return nil, errors.New("the effect sorts rules by the depth of roles")
	}
	if s.expr == nil {
		return nil, errors.New("the matcher is no plain expression")
	}
	if why := s.expr.foreign(); why != nil {
		return nil, fmt.Errorf("the matcher has %w", why)
	}
	b := &indexBuilder{
		schema: s, pace: c.pace, graphs: graphs,
		binder:  binder{graphs: graphs, patterns: map[patternKey]pattern{}},
		index:   &index{effect: s.effect, rules: s.inOrder(rules), firstAllow: none, firstDeny: none},
		matches: map[patternKey]int32{},
	}
	if len(b.index.rules) == 0 {
		return nil, errEmptyPolicy
	}
	b.index.places = places(b.index.rules)
	b.pace.look()
	b.index.names = textsOf(rules)
	b.index.conds, b.index.matches = make([]condition, 1), make([]pattern, 1)
	for _, alternative := range s.expr.flat(exprOr) {
		if len(alternative.columns()) == 0 {
			b.index.open = append(b.index.open, b.binder.bind(alternative, nil))
			continue
		}
		b.addWay(alternative.flat(exprAnd))
	}
	if b.binder.unfit != nil {
		return nil, fmt.Errorf("the policy has %w", b.binder.unfit)
	}
	b.index.plain = sync.OnceValues(func() (engine, error) { return newCasbinEngine(s, rules, graphs) })
	return b.index, nil
}

// placeList is what decisions name rules by, in their order: parts of texts
// that are short, since whoever keeps a decision keeps the text around its rule.
type placeList struct {
	texts []string // of placesInText each
	ends  []uint32 // within the text
}

const placesInText = 32

func (p *placeList) of(n int32) string {
	first := uint32(0)
	if n%placesInText != 0 {
		first = p.ends[n-1]
	}
	return p.texts[n/placesInText][first:p.ends[n]]
}

func places(rules []*rule) placeList {
	var text []byte
	source, base := int32(-1), ""
	p := placeList{ends: make([]uint32, len(rules))}
	for i, r := range rules {
		if r.source != source {
			source, base = r.source, path.Base(r.file())
		}
		text = append(append(text, base...), ':')
		text = strconv.AppendInt(text, int64(r.line), 10)
		p.ends[i] = uint32(len(text))
		if (i+1)%placesInText == 0 || i+1 == len(rules) {
			p.texts, text = append(p.texts, string(text)), text[:0]
		}
	}
	return p
}

// inOrder are the p rules in the order that effects go by.
func (s *schema) inOrder(rules []*rule) []*rule {
	ordered := policyLines(rules)
	if s.priority >= 0 {
		ordered = slices.SortedStableFunc(slices.Values(ordered), func(a, b *rule) int {
			// Priorities were checked to be whole numbers.
			x, _ := strconv.Atoi(a.field(s.priority))
			y, _ := strconv.Atoi(b.field(s.priority))
			return cmp.Compare(x, y)
		})
	}
	return ordered
}

// policyLines are the p lines of rules. Mostly these are the first ones, and
// take no room of their own.
func policyLines(rules []*rule) []*rule {
	first := slices.IndexFunc(rules, func(r *rule) bool { return !r.isPolicy() })
	if first < 0 {
		return rules
	}
	count := first
	for _, r := range rules[first:] {
		if r.isPolicy() {
			count++
		}
	}
	if count == first {
		return rules[:first:first]
	}
	lines := append(make([]*rule, 0, count), rules[:first]...)
	for _, r := range rules[first:] {
		if r.isPolicy() {
			lines = append(lines, r)
		}
	}
	return lines
}

type indexBuilder struct {
	schema  *schema
	pace    *pace
	graphs  map[string]*graph
	binder  binder
	index   *index
	conds   map[string]int32
	matches map[patternKey]int32
	key     []byte // room for a key of conds
}

// objectFactor is the part of a conjunction that looks at the object.
type objectFactor struct {
	column    int
	functions []string // "==" among them
	consts    []string // values of the column that fit every object
}

// factor is a part of a conjunction with the columns it looks at.
type factor struct {
	expr    *expr
	columns []int
}

func andAll(factors []factor) *expr {
	x := &expr{kind: exprAnd}
	for _, f := range factors {
		x.parts = append(x.parts, f.expr)
	}
	return x
}

// addWay makes the tables of one conjunction.
func (b *indexBuilder) addWay(factors []*expr) {
	w := way{subjects: subjectIndex{column: -1, tenant: -1, names: b.index.names, pairs: map[pair]int32{}}, paths: newPathIndex(b)}
	object := objectFactor{column: -1}
	var left []factor
	var tenant *expr
	for _, f := range factors {
		switch {
		case w.subjects.column < 0 && b.subjects(f, &w.subjects):
		case object.column < 0 && b.object(f, &object):
		case tenant == nil && b.tenants(f, &w.subjects):
			tenant = f
		default:
			left = append(left, factor{f, f.columns()})
		}
	}
	if tenant != nil && !w.subjects.canKey() {
		w.subjects.keyed = false
		left = append(left, factor{tenant, tenant.columns()})
	}
	b.conds = map[string]int32{} // of these factors
	for i, r := range b.index.rules {
		b.pace.step()
		b.addRule(&w, &object, left, int32(i), r)
	}
	b.pace.look()
	w.subjects.finish()
	b.pace.look()
	w.paths.finish()
	b.pace.look()
	b.index.ways = append(b.index.ways, w)
}

func (b *indexBuilder) addRule(w *way, object *objectFactor, left []factor, place int32, of *rule) {
	r := ref{rule: place}
	if eft := b.schema.eft; eft >= 0 {
		switch of.field(eft) {
		case "allow":
		case "deny":
			r.match = denies
		default:
			return // no effect at all
		}
	}
	if r.deny() {
		b.index.firstDeny = min(b.index.firstDeny, place)
	} else {
		b.index.firstAllow = min(b.index.firstAllow, place)
	}
	var ok bool
	if r.cond, ok = b.condition(left, of); !ok {
		return
	}
	r.subject = w.subjects.number(of)
	text := value(of, object.column)
	if object.column < 0 || slices.Contains(object.consts, text) {
		w.paths.always = append(w.paths.always, r)
		return
	}
	for _, function := range object.functions {
		w.paths.put(function, text, r)
	}
}

// condition is the number of what is left to hold for a rule; ok is false when
// it never does.
func (b *indexBuilder) condition(left []factor, of *rule) (number int32, ok bool) {
	b.key = b.key[:0]
	for _, f := range left {
		for _, c := range f.columns {
			b.key = binary.AppendUvarint(b.key, uint64(of.number(c)))
		}
	}
	number, known := b.conds[string(b.key)]
	if known {
		return number, number >= 0
	}
	all := b.binder.bindChain(andAll(left), of.fields())
	switch {
	case all.kind != exprConstant:
		number = int32(len(b.index.conds))
		b.index.conds = append(b.index.conds, newCondition(all))
	case !all.value:
		number = -1
	}
	b.conds[string(b.key)] = number
	return number, number >= 0
}

// match is the number of a pattern that has to be tried.
func (b *indexBuilder) match(function, text string) int32 {
	key := patternKey{function, text}
	number, ok := b.matches[key]
	if !ok {
		number = int32(len(b.index.matches))
		b.index.matches = append(b.index.matches, b.binder.compile(function, text))
		b.matches[key] = number
	}
	return number
}

// subjects takes a factor that says whom a rule is for: g(r.sub, p.x),
// r.sub == p.x, p.x == "text", alternatives of these, and with them conditions
// on the request alone.
func (b *indexBuilder) subjects(f *expr, x *subjectIndex) bool {
	found := subjectIndex{column: -1}
	var open []*expr
	for _, atom := range f.flat(exprOr) {
		other, column, ok := atom.subjectPair(b.graphs)
		switch {
		case len(atom.columns()) == 0:
			open = append(open, atom)
			continue
		case !ok || found.column >= 0 && column != found.column:
			return false
		case other.kind == operandText && atom.kind == exprEqual:
			found.consts = append(found.consts, other.text)
		case other.kind != operandRequest || other.field != fieldSubject:
			return false
		case atom.kind == exprCall:
			found.graph = b.graphs["g"]
			found.named = true
		default:
			found.named = true
		}
		found.column = column
	}
	if found.column < 0 {
		return false
	}
	x.column, x.graph, x.consts, x.named = found.column, found.graph, found.consts, found.named
	if len(open) > 0 {
		x.everyone = b.binder.bind(&expr{kind: exprOr, parts: open}, nil)
	}
	return true
}

// subjectPair is pair for equality and for g of the request's own tenant.
func (x *expr) subjectPair(graphs map[string]*graph) (other operand, column int, ok bool) {
	if x.kind == exprCall {
		if x.function != "g" || graphs["g"] == nil {
			return operand{}, 0, false
		}
		if len(x.operands) == 3 && (x.operands[2].kind != operandRequest || x.operands[2].field != fieldTenant) {
			return operand{}, 0, false
		}
		return x.pair()
	}
	if x.kind != exprEqual {
		return operand{}, 0, false
	}
	return x.pair()
}

// object takes a factor that compares the object with a column.
func (b *indexBuilder) object(f *expr, x *objectFactor) bool {
	found := objectFactor{column: -1}
	for _, atom := range f.flat(exprOr) {
		other, column, ok := atom.pair()
		if !ok || found.column >= 0 && column != found.column {
			return false
		}
		switch {
		case other.kind == operandText && atom.kind == exprEqual:
			found.consts = append(found.consts, other.text)
		case other.kind != operandRequest || other.field != fieldObject:
			return false
		case atom.kind == exprEqual:
			found.functions = append(found.functions, "==")
		case atom.kind == exprCall && b.graphs[atom.function] == nil:
			found.functions = append(found.functions, atom.function)
		default:
			return false
		}
		found.column = column
	}
	if len(found.functions) == 0 {
		return false
	}
	*x = found
	return true
}

// tenants takes r.dom == p.x.
func (b *indexBuilder) tenants(f *expr, x *subjectIndex) bool {
	other, column, ok := f.pair()
	if f.kind != exprEqual || !ok || other.kind != operandRequest || other.field != fieldTenant {
		return false
	}
	x.keyed, x.tenant = true, column
	return true
}
