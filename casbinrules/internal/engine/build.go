package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// NewIndex builds the index of a policy. The error says why the model must be left
// to Casbin.
func NewIndex(s *model.Schema, rules policy.Rules, graphs map[string]*policy.Graph, c *model.Settings) (*Index, error) {
	if s.Effect == model.SubjectPriorityEffect {
		return nil, errors.New("the effect sorts rules by the depth of roles")
	}
	if s.Expr == nil {
		return nil, errors.New("the matcher is not a plain expression")
	}
	if why := s.Expr.Unsupported(); why != nil {
		return nil, fmt.Errorf("the matcher has %w", why)
	}
	b := newIndexBuilder(s, policy.TextsOf(rules), policy.InOrder(s, policy.PolicyLines(rules, c.Pace)), graphs, c)
	if b.index.rules.Len() == 0 {
		return nil, ErrEmptyPolicy
	}
	for _, alternative := range s.Expr.Flat(model.ExprOr) {
		if len(alternative.Columns()) == 0 {
			b.index.open = append(b.index.open, b.binder.bind(alternative, nil))
			continue
		}
		b.addClause(alternative.Flat(model.ExprAnd))
	}
	return b.finish(rules)
}

// newIndexBuilder starts an index of p lines, which are in evaluation order.
func newIndexBuilder(s *model.Schema, names *policy.Texts, ordered policy.Rules, graphs map[string]*policy.Graph, c *model.Settings) *indexBuilder {
	b := &indexBuilder{
		schema: s, pace: c.Pace, graphs: graphs,
		binder:  binder{graphs: graphs, patterns: map[pattern.Key]pattern.Matcher{}},
		index:   &Index{effect: s.Effect, Names: names, rules: ordered, graphs: graphs, firstAllow: none, firstDeny: none},
		matches: map[pattern.Key]int32{},
	}
	b.index.Places = newPlaceList(ordered)
	b.pace.RestIfDue()
	b.index.conds, b.index.matches = make([]condition, 1), make([]pattern.Matcher, 1)
	return b
}

// finish returns the index once all tables are built; rules are all lines of the
// policy.
func (b *indexBuilder) finish(rules policy.Rules) (*Index, error) {
	if b.binder.unsupported != nil {
		return nil, fmt.Errorf("the policy has %w", b.binder.unsupported)
	}
	x, s, graphs := b.index, b.schema, b.graphs
	x.usesGraphs = b.binder.usesGraphs
	for i := range x.clauses {
		w := &x.clauses[i]
		w.rulesBySubject, w.namesBySubject = newRulesBySubject(w), newNamesBySubject(&w.subjects)
	}
	x.listLimits = sync.OnceValue(x.computeListLimits)
	x.fallback = sync.OnceValues(func() (engine, error) { return NewCasbinEngine(s, rules, graphs) })
	return x, nil
}

// placeList holds the places ("policy.csv:14") by which decisions name rules, in the
// order of rules. Places are substrings of short chunks, because whoever keeps a
// decision keeps the chunk alive. A chunk is built when the first of its rules
// decides.
type placeList struct {
	rules   policy.Rules
	chunks  []placeChunk
	filling sync.Mutex
}

// placeChunk holds the places of consecutive rules. It fits into one cache line, since
// the chunk of a rule that has not decided lately is in no cache.
type placeChunk struct {
	text string
	ends [placesPerChunk - 1]uint32
	// size is the length of the text, where the place of the last rule ends, or 0
	// until the text is built.
	size atomic.Uint32
}

const placesPerChunk = 12

func newPlaceList(rules policy.Rules) placeList {
	return placeList{rules: rules, chunks: make([]placeChunk, (rules.Len()+placesPerChunk-1)/placesPerChunk)}
}

func (p *placeList) of(n int32) string {
	t := &p.chunks[n/placesPerChunk]
	size := t.size.Load()
	if size == 0 {
		size = p.fill(t, int(n)/placesPerChunk*placesPerChunk)
	}
	before := uint32(0)
	if n %= placesPerChunk; n > 0 {
		before = t.ends[n-1]
	}
	if int(n) < len(t.ends) {
		size = t.ends[n]
	}
	return t.text[before:size]
}

// fill builds the text of the rules starting at first, and returns its length.
//
//go:noinline
func (p *placeList) fill(t *placeChunk, first int) uint32 {
	p.filling.Lock()
	defer p.filling.Unlock()
	if size := t.size.Load(); size != 0 {
		return size
	}
	var text []byte
	for i, r := range p.rules.Slice(first, min(first+placesPerChunk, p.rules.Len())).All() {
		text = r.AppendPlace(text)
		if i < len(t.ends) {
			t.ends[i] = uint32(len(text))
		}
	}
	t.text = string(text)
	t.size.Store(uint32(len(text)))
	return uint32(len(text))
}

type indexBuilder struct {
	schema  *model.Schema
	pace    *pace.Pace
	graphs  map[string]*policy.Graph
	binder  binder
	index   *Index
	conds   map[string]int32
	matches map[pattern.Key]int32
	key     []byte // buffer for a key of conds
	// condRemoved reports that a rule with a condition has been removed.
	condRemoved bool
}

// objectFactor is the factor of a conjunction that compares the object.
type objectFactor struct {
	column    int
	functions []string // "==" among them
	consts    []string // values of the column that match every object
}

// factor is a factor of a conjunction with the columns it uses.
type factor struct {
	expr    *model.Expr
	columns []int
}

func andAll(factors []factor) *model.Expr {
	x := &model.Expr{Kind: model.ExprAnd}
	for _, f := range factors {
		x.Parts = append(x.Parts, f.expr)
	}
	return x
}

// addClause builds the tables of one conjunction.
func (b *indexBuilder) addClause(factors []*model.Expr) {
	w := clause{subjects: subjectIndex{column: -1, tenant: -1, names: b.index.Names, pairs: map[policy.Pair]int32{}}, paths: newPathIndex(b)}
	object := objectFactor{column: -1}
	var left []factor
	var tenant *model.Expr
	for _, f := range b.withoutSubjects(factors, &w.subjects) {
		switch {
		case object.column < 0 && b.takeObject(f, &object):
		case tenant == nil && b.takeTenants(f, &w.subjects):
			tenant = f
		default:
			left = append(left, factor{f, f.Columns()})
		}
	}
	if tenant != nil && !w.subjects.canKey() {
		w.subjects.keyed = false
		left = append(left, factor{tenant, tenant.Columns()})
	}
	w.object, w.residual = object, left
	b.conds = map[string]int32{} // conditions are numbered for each conjunction
	for i, r := range b.index.rules.All() {
		b.pace.Step()
		b.addRule(&w, int32(i), r)
	}
	b.pace.RestIfDue()
	w.subjects.finish(b.pace)
	b.pace.RestIfDue()
	w.paths.finish(b.pace)
	b.pace.RestIfDue()
	b.index.clauses = append(b.index.clauses, w)
}

// withoutSubjects removes the factor that compares the subject, and returns the
// others.
func (b *indexBuilder) withoutSubjects(factors []*model.Expr, x *subjectIndex) []*model.Expr {
	for i, f := range factors {
		if b.takeSubjects(f, x) {
			return slices.Concat(factors[:i], factors[i+1:])
		}
	}
	return factors
}

func (b *indexBuilder) addRule(w *clause, place int32, of policy.Rule) {
	r := ref{rule: place}
	switch policy.EffectOf(b.schema, of) {
	case "allow":
		b.index.firstAllow = min(b.index.firstAllow, place)
	case "deny":
		r.match = denies
		b.index.firstDeny = min(b.index.firstDeny, place)
	default:
		return // no effect
	}
	var ok bool
	if r.cond, ok = b.condNumber(w.residual, of); !ok {
		return
	}
	r.subject = w.subjects.number(of)
	object := &w.object
	text := policy.ValueAt(of, object.column)
	if object.column < 0 || slices.Contains(object.consts, text) {
		w.paths.addAlways(r)
		return
	}
	for _, function := range object.functions {
		w.paths.put(function, text, r)
	}
}

// condNumber returns the number of the condition that remains for a rule; ok is
// false if it can never hold.
func (b *indexBuilder) condNumber(left []factor, of policy.Rule) (number int32, ok bool) {
	b.key = b.key[:0]
	for _, f := range left {
		for _, c := range f.columns {
			b.key = binary.AppendUvarint(b.key, uint64(of.Number(c)))
		}
	}
	number, known := b.conds[string(b.key)]
	if known {
		return number, number >= 0
	}
	all := b.binder.bindChain(andAll(left), of.Fields())
	switch {
	case all.kind != model.ExprConstant:
		number = int32(len(b.index.conds))
		b.index.conds = append(b.index.conds, newCondition(all))
	case !all.value:
		number = -1
	}
	b.conds[string(b.key)] = number
	return number, number >= 0
}

// matchNumber returns the number of a pattern that must be evaluated.
func (b *indexBuilder) matchNumber(function, text string) int32 {
	key := pattern.Key{Function: function, Pattern: text}
	number, ok := b.matches[key]
	if !ok {
		number = int32(len(b.index.matches))
		b.index.matches = append(b.index.matches, b.binder.compile(function, text))
		b.matches[key] = number
	}
	return number
}

// takeSubjects accepts a factor that compares the subject: g(r.sub, p.x), r.sub ==
// p.x, p.x == "text", or alternatives of these, possibly with conditions on the
// request alone.
func (b *indexBuilder) takeSubjects(f *model.Expr, x *subjectIndex) bool {
	found := subjectIndex{column: -1}
	var open []*model.Expr
	for _, atom := range f.Flat(model.ExprOr) {
		other, column, ok := subjectPair(atom, b.graphs)
		switch {
		case len(atom.Columns()) == 0:
			open = append(open, atom)
			continue
		case !ok || found.column >= 0 && column != found.column:
			return false
		case other.Kind == model.OperandText && atom.Kind == model.ExprEqual:
			found.consts = append(found.consts, other.Text)
		case other.Kind != model.OperandRequest || other.Field != model.FieldSubject:
			return false
		case atom.Kind == model.ExprCall:
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
	if x.graph != nil && x.graph.Patterned() {
		x.patterns = &subjectPatterns{graph: x.graph}
	}
	if len(open) > 0 {
		x.everyone = b.binder.bind(&model.Expr{Kind: model.ExprOr, Parts: open}, nil)
	}
	return true
}

// subjectPair is Pair for equality and for g in the tenant of the request.
func subjectPair(x *model.Expr, graphs map[string]*policy.Graph) (other model.Operand, column int, ok bool) {
	if x.Kind == model.ExprCall {
		if x.Function != "g" || graphs["g"] == nil {
			return model.Operand{}, 0, false
		}
		if len(x.Operands) == 3 && (x.Operands[2].Kind != model.OperandRequest || x.Operands[2].Field != model.FieldTenant) {
			return model.Operand{}, 0, false
		}
		return x.Pair()
	}
	if x.Kind != model.ExprEqual {
		return model.Operand{}, 0, false
	}
	return x.Pair()
}

// takeObject accepts a factor that compares the object with a column.
func (b *indexBuilder) takeObject(f *model.Expr, x *objectFactor) bool {
	found := objectFactor{column: -1}
	for _, atom := range f.Flat(model.ExprOr) {
		other, column, ok := atom.Pair()
		if !ok || found.column >= 0 && column != found.column {
			return false
		}
		switch {
		case other.Kind == model.OperandText && atom.Kind == model.ExprEqual:
			found.consts = append(found.consts, other.Text)
		case other.Kind != model.OperandRequest || other.Field != model.FieldObject:
			return false
		case atom.Kind == model.ExprEqual:
			found.functions = append(found.functions, "==")
		case atom.Kind == model.ExprCall && b.graphs[atom.Function] == nil:
			found.functions = append(found.functions, atom.Function)
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

// takeTenants accepts r.dom == p.x, and also keyMatch(r.dom, p.x) if role links
// contain patterns. It is called after takeSubjects.
func (b *indexBuilder) takeTenants(f *model.Expr, x *subjectIndex) bool {
	other, column, ok := f.Pair()
	matched := x.patterns != nil && f.Kind == model.ExprCall && f.Function == "keyMatch"
	if f.Kind != model.ExprEqual && !matched || !ok || other.Kind != model.OperandRequest || other.Field != model.FieldTenant {
		return false
	}
	x.keyed, x.tenant = true, column
	if matched {
		x.patterns.tenants = pattern.NewSet("keyMatch")
	}
	return true
}
