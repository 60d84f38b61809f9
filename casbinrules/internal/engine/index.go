package engine

import (
	"math"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Index decides with tables that are built when a policy is loaded, where Casbin
// tries every rule. Its decisions and the rules it names are Casbin's: NewIndex
// refuses a model whose matcher it cannot follow exactly. It is immutable, and
// decides without allocating, except for the chunk of places that is built when one
// of its rules first decides (placeList).
type Index struct {
	effect string
	// rules are in evaluation order; Places are their names in decisions.
	rules   policy.Rules
	Places  placeList
	Names   *policy.Texts
	clauses []clause
	// open are the alternatives of the matcher that use no field of a rule: where
	// one is true, every rule matches.
	open []*cond
	// firstAllow and firstDeny are the places of the first rules with each effect,
	// or none.
	firstAllow, firstDeny int32
	conds                 []condition
	matches               []pattern.Matcher
	// usesGraphs reports that some condition calls a role definition.
	usesGraphs bool
	// fallback decides what the tables cannot: objects with bytes that patterns
	// treat specially.
	fallback func() (engine, error)
	// listLimits is computed when a list is first requested.
	listLimits func() listLimits
	graphs     map[string]*policy.Graph
}

// clause is one alternative of a matcher: a conjunction.
type clause struct {
	subjects subjectIndex
	paths    pathIndex
	object   objectFactor
	residual []factor // not answered by a table
	// rulesBySubject and namesBySubject serve lists; decisions do not use them.
	rulesBySubject func() *lists[ref]
	namesBySubject func() *lists[policy.Pair]
}

// none is the place of a rule that does not exist.
const none = math.MaxInt32

// search is the search for one request. The roles of the credentials are passed
// separately: the compiler assumes that patterns retain what a search holds, and roles
// must stay on the stack.
type search struct {
	index       *Index
	q           *Request
	sets        [][]int32
	everyone    bool
	allow, deny int32 // the first rules found so far
	// gathered, if not nil, collects the allow rules for any subject, and ahead the lists
	// themselves, instead of searching.
	gathered *[]ref
	ahead    *objectLists
}

// objectLists are the lists of rules that an object leads to in the first clause of an
// index, found before the number of the subject: what both need is then fetched from
// memory at the same time. Decisions about a million subjects at random, which are in
// no cache of a processor, take a third less for it. Those that are in a cache take up
// to a tenth more, so small policies are decided without. If there are more lists than
// it has room for, they are found again.
type objectLists struct {
	index  *Index
	object string
	spans  [3]policy.Span
	count  int
	rule   int32 // the first of the last list, fetched for those that search it
}

// lookAhead finds the lists that the object of q leads to.
func (x *Index) lookAhead(q *Request) {
	q.ahead = objectLists{index: x, object: q.Object}
	s := search{index: x, ahead: &q.ahead}
	x.clauses[0].paths.visit(q.Object, &s, nil)
}

// of reports whether these are all lists of an object in an index.
func (l *objectLists) of(x *Index, object string) bool {
	return l.index == x && l.count <= len(l.spans) && l.object == object
}

// Decide implements engine.
func (x *Index) Decide(q *Request) (Answer, error) {
	asked := *q
	asked.Number = x.Names.Known(q.Subject)
	var a Answer
	switch found := x.Find(&asked, &TokenRoles{Roles: q.Roles}, &a); {
	case asked.aborted:
		return Answer{}, q.Ctx.Err()
	case found:
		return a, nil
	}
	e, err := x.fallback()
	if err != nil {
		return Answer{}, err
	}
	return e.Decide(q)
}

// Find decides q, whose Number must come from x.Names, with the roles of the
// credentials in place of q.Roles. It returns false if the fallback must decide.
func (x *Index) Find(q *Request, with *TokenRoles, a *Answer) bool {
	for _, c := range x.open {
		if c.holds(q, with) {
			x.answer(x.firstAllow, x.firstDeny, a)
			return true
		}
	}
	if len(with.Roles) > 0 {
		var room [MaxRolesAside + 2][]int32
		return x.search(q, with, room[:0], a)
	}
	var room [2][]int32 // small, so that little must be cleared
	return x.search(q, with, room[:0], a)
}

func (x *Index) search(q *Request, with *TokenRoles, room [][]int32, a *Answer) bool {
	s := search{index: x, q: q, allow: none, deny: none}
	for i := range x.clauses {
		w := &x.clauses[i]
		if w.paths.regexps && w.paths.hasSpecialBytes(q.Object) {
			return false
		}
		s.sets = w.subjects.sets(q, with, room)
		s.everyone = w.subjects.column < 0 || w.subjects.everyone != nil && w.subjects.everyone.holds(q, with)
		if s.everyone || len(s.sets) > 0 {
			if len(w.paths.always) > 0 {
				s.scan(w.paths.always, with)
			}
			if i > 0 || !q.ahead.of(x, q.Object) {
				w.paths.visit(q.Object, &s, with)
				continue
			}
			for _, list := range q.ahead.spans[:q.ahead.count] {
				s.scan(w.paths.of(list), with)
			}
		}
	}
	x.answer(s.allow, s.deny, a)
	return true
}

// hasSpecialBytes reports whether an object contains bytes that the index cannot
// match literally.
func (x *pathIndex) hasSpecialBytes(object string) bool {
	return strings.IndexByte(object, '\n') >= 0 || x.cuts && strings.IndexByte(object, '?') >= 0 || !utf8.ValidString(object)
}

// whole reports whether a request that every rule matches is allowed.
func (x *Index) whole() bool {
	var a Answer
	x.answer(x.firstAllow, x.firstDeny, &a)
	return a.Allowed
}

// answer applies the effect to the first rules that matched.
func (x *Index) answer(allow, deny int32, a *Answer) {
	decides := allow
	switch x.effect {
	case model.AllowAndDenyEffect:
		if deny != none {
			decides = deny
		}
	case model.PriorityEffect:
		decides = min(allow, deny)
	}
	*a = Answer{By: EngineIndex}
	if decides != none {
		a.Allowed, a.Index, a.Rules, a.Place = decides == allow, decides, &x.rules, x.Places.of(decides)
	}
}

// fewRefs is the length up to which a list is searched linearly.
const fewRefs = 12

// list searches the list of a node, which is not empty, or records its span in ahead.
func (s *search) list(x *pathIndex, l policy.Span, with *TokenRoles) {
	if a := s.ahead; a != nil {
		if a.count < len(a.spans) {
			a.spans[a.count] = l
			a.rule = x.refs[l.First].rule
		}
		a.count++
		return
	}
	s.scan(x.of(l), with)
}

// scan searches a list for rules of the subject.
func (s *search) scan(refs []ref, with *TokenRoles) {
	if s.gathered != nil {
		s.gather(refs)
		return
	}
	if s.everyone || len(refs) <= fewRefs {
		for i := range refs {
			if r := &refs[i]; s.improves(r) && (s.everyone || s.hasSubject(r.subject)) && s.matches(r, with) {
				s.record(r)
			}
		}
		return
	}
	for _, set := range s.sets {
		if len(set) > 4*len(refs) {
			s.scanRefs(refs, set, with)
			continue
		}
		for _, id := range set {
			for i := firstFor(refs, id); i < len(refs) && refs[i].subject == id; i++ {
				if r := &refs[i]; s.improves(r) && s.matches(r, with) {
					s.record(r)
				}
			}
		}
	}
}

// scanRefs is scan for a subject that stands for many more names than the list has
// rules.
func (s *search) scanRefs(refs []ref, set []int32, with *TokenRoles) {
	for i := range refs {
		r := &refs[i]
		if _, ok := slices.BinarySearch(set, r.subject); ok && s.improves(r) && s.matches(r, with) {
			s.record(r)
		}
	}
}

// improves reports whether a rule could still change the answer.
func (s *search) improves(r *ref) bool {
	if r.deny() {
		return r.rule < s.deny
	}
	return r.rule < s.allow
}

func (s *search) hasSubject(subject int32) bool {
	for _, set := range s.sets {
		if len(set) <= fewRefs {
			for _, id := range set {
				if id == subject {
					return true
				}
			}
		} else if _, ok := slices.BinarySearch(set, subject); ok {
			return true
		}
	}
	return false
}

func (s *search) matches(r *ref, with *TokenRoles) bool {
	return (r.cond == 0 || s.index.conds[r.cond].holds(s.q, with)) &&
		(r.match&^denies == 0 || !s.q.canceled(s.q.Object) && s.index.matches[r.match&^denies](s.q.Object))
}

func (s *search) record(r *ref) {
	if r.deny() {
		s.deny = r.rule
	} else {
		s.allow = r.rule
	}
}

// firstFor returns the place of the first rule for a subject.
func firstFor(refs []ref, subject int32) int {
	return sort.Search(len(refs), func(i int) bool { return refs[i].subject >= subject })
}
