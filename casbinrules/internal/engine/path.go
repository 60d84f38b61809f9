package engine

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// ref is a rule in the list of a node.
type ref struct {
	subject int32 // whom it is for
	rule    int32 // its place in the order of effects
	cond    int32 // a further condition; 0 for none
	// match is the pattern the object is held against, 0 for none, counted from
	// denies on for a rule that denies.
	match int32
}

const denies = math.MinInt32

func (r *ref) deny() bool { return r.match < 0 }

// pathNode is where objects that begin with the same segments continue.
type pathNode struct {
	one         int32 // after any one segment that is not empty; 0 for nowhere
	inner, ends bool  // there are segments, or last segments, below it
	// here are the rules for objects that end here, rest those for whatever
	// follows after a slash.
	here, rest policy.Span
}

// pathIndex finds the rules whose object pattern an object may match. Rules whose
// pattern must be evaluated are at the nodes where that has to be done.
type pathIndex struct {
	// nodes are by the node before and the text of a segment; the first is the
	// root. A node with ends has others below its number inverted, by the text
	// of an object's last segment.
	nodes texttable.Table[pathNode]
	// slash is where objects that begin with a slash continue, or 0, which is the
	// root.
	slash int32
	// always are the rules that must be tried for every object.
	always []ref
	// regexps says that some pattern is a regular expression, for which a line
	// feed is no character, and cuts that some function cuts queries off.
	regexps, cuts bool
	refs          []ref // of all nodes
	unused        int   // refs that no list contains any more
	*pathMaker          // nil once the index is complete
}

// pathMaker is what only the making of an index needs. Until then a span of a
// node begins at the newest, counted from 1, to which the others are chained.
type pathMaker struct {
	builder *indexBuilder     // makes the numbers of patterns that have to be tried
	cut     []pattern.Segment // room for those at hand
	added   []addedRef
	mode    makerMode
	edits   int // of refs, in the lists that were edited
}

// makerMode is what is done to the list that a rule belongs to. The lists of an
// index that is made of another one are as they are in one that is made.
type makerMode int

const (
	chain makerMode = iota
	takeOut
	putIn
)

type addedRef struct {
	ref
	before int32 // the one added before it to the same list, or 0
}

func newPathIndex(b *indexBuilder) pathIndex {
	n := len(b.index.rules)
	return pathIndex{nodes: texttable.New[pathNode](n), pathMaker: &pathMaker{builder: b, added: make([]addedRef, 0, n)}}
}

// add adds a rule to the list of a node, or removes it from there.
func (x *pathIndex) add(to *policy.Span, r ref) {
	if x.mode != chain {
		x.replace(to, x.edited(x.of(*to), r))
		return
	}
	x.added = append(x.added, addedRef{r, to.First})
	to.First = int32(len(x.added))
	to.Count++
}

// addAlways is add for the rules that must be tried for every object.
func (x *pathIndex) addAlways(r ref) {
	if x.mode != chain {
		x.always = x.edited(x.always, r)
		return
	}
	x.always = append(x.always, r)
}

// tried returns the number of a pattern that must be evaluated.
func (x *pathIndex) tried(function, text string) int32 {
	if x.mode == takeOut {
		return 0
	}
	return x.builder.match(function, text)
}

// here and rest are the lists of a node, to be changed.
func (x *pathIndex) here(n int32) *policy.Span { return &x.nodes.Change(n).here }
func (x *pathIndex) rest(n int32) *policy.Span { return &x.nodes.Change(n).rest }

// child returns where n continues after a segment.
func (x *pathIndex) child(n int32, segment string) int32 {
	c, isNew := x.nodes.Add(n, segment)
	if isNew {
		x.nodes.Change(n).inner = true
	}
	return c
}

// anyChild returns where n continues after any one segment.
func (x *pathIndex) anyChild(n int32) int32 {
	one := x.nodes.Of(n).one
	if one == 0 {
		one = x.nodes.Reserve()
		x.nodes.Change(n).one = one
	}
	return one
}

// end returns where n continues after the last segment, with any others in between.
func (x *pathIndex) end(n int32, segment string) int32 {
	c, isNew := x.nodes.Add(^n, segment)
	if isNew {
		x.nodes.Change(n).ends = true
	}
	return c
}

// put puts a rule where its function and pattern require.
func (x *pathIndex) put(function, text string, r ref) {
	x.regexps = x.regexps || function != "==" && function != "keyMatch"
	x.cuts = x.cuts || function == "keyMatch5"
	if pattern.MatchesAll(function, text) {
		x.addAlways(r)
		return
	}
	switch function {
	case "keyMatch":
		x.putPrefix(text, r)
		return
	case "globMatch":
		x.putGlob(text, r)
		return
	}
	var segs []pattern.Segment
	if pattern.HasSegments(function) {
		if segs = pattern.AppendSegments(x.cut, function, text); segs != nil {
			x.cut = segs
		}
	}
	if segs == nil || slices.ContainsFunc(segs, func(s pattern.Segment) bool { return s.Kind == pattern.Other }) {
		r.match += x.tried(function, text)
		if !pattern.HasSegments(function) || !x.putTried(function, text, r) {
			x.addAlways(r)
		}
		return
	}
	n := int32(0)
	for _, s := range segs {
		switch s.Kind {
		case pattern.One:
			n = x.anyChild(n)
		case pattern.Rest:
			x.add(x.rest(n), r)
			return
		default:
			n = x.child(n, s.Text)
		}
	}
	x.add(x.here(n), r)
}

// putTried puts a rule whose pattern has to be tried where the plain segments in
// front of the first other one lead, and there by the last segment if that is
// plain too. It does not when what the pattern matches need not begin so.
func (x *pathIndex) putTried(function, text string, r ref) bool {
	left := text
	n := int32(0)
	for {
		part, after, more := strings.Cut(left, "/")
		if !more {
			break
		}
		s := pattern.SegmentOf(function, part, false)
		if s.Kind == pattern.Other {
			break
		}
		left = after
		if s.Kind == pattern.One {
			n = x.anyChild(n)
		} else {
			n = x.child(n, s.Text)
		}
	}
	// An alternative need not begin as the pattern does, and a slash may be
	// left out that stands before a quantifier.
	if n == 0 || left == "" || strings.ContainsAny(left, `|(\`) || strings.ContainsAny(left[:1], "?+{") {
		return false
	}
	if i := strings.LastIndexByte(left, '/'); i >= 0 {
		if last := pattern.SegmentOf(function, left[i+1:], false); last.Kind == pattern.Literal {
			x.add(x.here(x.end(n, last.Text)), r)
			return true
		}
	}
	x.add(x.rest(n), r)
	return true
}

// putPrefix puts a rule with a pattern of keyMatch where the last slash in
// front of its star leads.
func (x *pathIndex) putPrefix(pattern string, r ref) {
	prefix, _, star := strings.Cut(pattern, "*")
	segs := strings.Split(prefix, "/")
	n := int32(0)
	for _, s := range segs[:len(segs)-1] {
		n = x.child(n, s)
	}
	last := segs[len(segs)-1]
	switch {
	case !star:
		n = x.child(n, last)
		x.add(x.here(n), r)
	case len(segs) == 1:
		r.match += x.tried("keyMatch", pattern)
		x.addAlways(r)
	default:
		if last != "" {
			r.match += x.tried("keyMatch", pattern)
		}
		x.add(x.rest(n), r)
	}
}

// putGlob puts a rule with a pattern of globMatch where its segments in front of
// the first special one lead: there, since "/**" stands for nothing too, and
// below.
func (x *pathIndex) putGlob(text string, r ref) {
	n := int32(0)
	left := text
	for {
		segment, after, more := strings.Cut(left, "/")
		if strings.ContainsAny(segment, pattern.GlobBytes) {
			break
		}
		n, left = x.child(n, segment), after
		if !more {
			x.add(x.here(n), r)
			return
		}
	}
	r.match += x.tried("globMatch", text)
	if n == 0 {
		x.addAlways(r)
		return
	}
	x.add(x.here(n), r)
	x.add(x.rest(n), r)
}

// finish sorts every list into the order in which a search reads it.
func (x *pathIndex) finish() {
	sortRefs(x.always)
	x.refs = make([]ref, 0, len(x.added))
	for i := range int32(x.nodes.Numbers()) {
		n := x.nodes.Change(i)
		x.finishList(&n.here)
		x.finishList(&n.rest)
	}
	x.slash = x.nodes.Find(0, "")
	x.nodes.Trim()
	x.pathMaker = nil
}

func (x *pathIndex) finishList(l *policy.Span) {
	first := len(x.refs)
	for at := l.First; at > 0; at = x.added[at-1].before {
		x.refs = append(x.refs, x.added[at-1].ref)
	}
	l.First = int32(first)
	sortRefs(x.of(*l))
}

// of returns the refs of a list.
func (x *pathIndex) of(l policy.Span) []ref { return x.refs[l.First : l.First+l.Count] }

func sortRefs(refs []ref) {
	if len(refs) < 2 {
		return
	}
	slices.SortFunc(refs, compareRefs)
}

func compareRefs(a, b ref) int {
	return cmp.Or(cmp.Compare(a.subject, b.subject), cmp.Compare(a.rule, b.rule))
}

// visit passes every list that object leads to to the search, save those for every
// object.
func (x *pathIndex) visit(object string, s *search, with *TokenRoles) {
	if object == "" || object[0] != '/' || x.nodes.Of(0).one != 0 {
		x.visitNode(0, object, s, with)
	} else if x.slash != 0 {
		x.leave(x.slash, object[1:], true, s, with)
	}
}

// visitNode continues from n with the rest of the object.
func (x *pathIndex) visitNode(n int32, left string, s *search, with *TokenRoles) {
	segment, after, more := left, "", false
	if i := strings.IndexByte(left, '/'); i >= 0 {
		segment, after, more = left[:i], left[i+1:], true
	}
	node := x.nodes.Of(n)
	if node.inner {
		if c := x.nodes.Find(n, segment); c != 0 {
			x.leave(c, after, more, s, with)
		}
	}
	if node.one != 0 && segment != "" {
		x.leave(node.one, after, more, s, with)
	}
}

// leave tries the rules of a node that was reached by a whole segment.
func (x *pathIndex) leave(number int32, after string, more bool, s *search, with *TokenRoles) {
	n := x.nodes.Of(number)
	if !more {
		s.list(x, n.here, with)
		return
	}
	s.list(x, n.rest, with)
	if n.ends {
		if c := x.nodes.Find(^number, after[strings.LastIndexByte(after, '/')+1:]); c != 0 {
			s.list(x, x.nodes.Of(c).here, with)
		}
	}
	if n.inner || n.one != 0 {
		x.visitNode(number, after, s, with)
	}
}
