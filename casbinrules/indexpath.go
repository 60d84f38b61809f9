package casbinrules

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// ref is a rule where its object leads to.
type ref struct {
	subject int32 // whom it is for
	rule    int32 // its place in the order that effects go by
	cond    int32 // what else must hold; 0 for nothing
	// match is the pattern the object is held against, 0 for none, counted from
	// denies on for a rule that denies.
	match int32
}

const denies = math.MinInt32

func (r *ref) deny() bool { return r.match < 0 }

// pathNode is where objects that begin with the same segments go on: by the
// segments below it in the table, and
type pathNode struct {
	one   int32 // by any one segment, not empty, if it is not 0
	inner bool  // says that there are segments below it
	// here are the rules for objects that end here, rest those for whatever
	// follows after a slash.
	here, rest span
}

// pathIndex finds the rules whose object pattern an object may match. Rules
// with a match of their own stand where they have to be tried.
type pathIndex struct {
	segments textTable // by node and text
	nodes    []pathNode
	// slash is where objects that begin with a slash go on, or 0, which is the
	// root.
	slash int32
	// always are the rules to be tried for every object.
	always []ref
	// odd says that some pattern is a regular expression, for which a line
	// feed is no character, and cuts that some function cuts queries off.
	odd, cuts  bool
	refs       []ref // of all nodes
	*pathMaker       // nil when the index is made
}

// pathMaker is what only the making of an index needs. Until then a span of a
// node begins at the newest, counted from 1, to which the others are chained.
type pathMaker struct {
	builder *indexBuilder // makes the numbers of patterns that have to be tried
	cut     []segment     // room for those at hand
	added   []addedRef
}

type addedRef struct {
	ref
	before int32 // the one added before it to the same list, or 0
}

func newPathIndex(b *indexBuilder) pathIndex {
	return pathIndex{segments: newTextTable(0), nodes: make([]pathNode, 1), pathMaker: &pathMaker{builder: b}}
}

func (m *pathMaker) add(to *span, r ref) {
	m.added = append(m.added, addedRef{r, to.first})
	to.first = int32(len(m.added))
	to.count++
}

// child is where n goes on by a segment.
func (x *pathIndex) child(n int32, segment string) int32 {
	c, isNew := x.segments.add(n, segment)
	if isNew {
		x.nodes[n].inner = true
		x.nodes = append(x.nodes, pathNode{})
	}
	return c
}

// anyChild is where n goes on by any one segment.
func (x *pathIndex) anyChild(n int32) int32 {
	if x.nodes[n].one == 0 {
		x.nodes[n].one = x.segments.reserve()
		x.nodes = append(x.nodes, pathNode{})
	}
	return x.nodes[n].one
}

// put puts a rule where function and pattern say.
func (x *pathIndex) put(function, pattern string, r ref) {
	x.odd = x.odd || function != "==" && function != "keyMatch"
	x.cuts = x.cuts || function == "keyMatch5"
	if everything(function, pattern) {
		x.always = append(x.always, r)
		return
	}
	switch function {
	case "keyMatch":
		x.putPrefix(pattern, r)
		return
	case "globMatch":
		x.putGlob(pattern, r)
		return
	}
	var segs []segment
	if hasSegments(function) {
		if segs = appendSegments(x.cut, function, pattern); segs != nil {
			x.cut = segs
		}
	}
	if segs == nil || slices.ContainsFunc(segs, func(s segment) bool { return s.kind == segmentOther }) {
		r.match += x.builder.match(function, pattern)
		x.always = append(x.always, r)
		return
	}
	n := int32(0)
	for _, s := range segs {
		switch s.kind {
		case segmentOne:
			n = x.anyChild(n)
		case segmentRest:
			x.add(&x.nodes[n].rest, r)
			return
		default:
			n = x.child(n, s.text)
		}
	}
	x.add(&x.nodes[n].here, r)
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
		x.add(&x.nodes[n].here, r)
	case len(segs) == 1:
		r.match += x.builder.match("keyMatch", pattern)
		x.always = append(x.always, r)
	default:
		if last != "" {
			r.match += x.builder.match("keyMatch", pattern)
		}
		x.add(&x.nodes[n].rest, r)
	}
}

// globBytes are what may mean something in a glob pattern.
const globBytes = `*?[]{}\`

// putGlob puts a rule with a pattern of globMatch where its segments in front of
// the first special one lead: there, since "/**" stands for nothing too, and
// below.
func (x *pathIndex) putGlob(pattern string, r ref) {
	n := int32(0)
	left := pattern
	for {
		segment, after, more := strings.Cut(left, "/")
		if strings.ContainsAny(segment, globBytes) {
			break
		}
		n, left = x.child(n, segment), after
		if !more {
			x.add(&x.nodes[n].here, r)
			return
		}
	}
	r.match += x.builder.match("globMatch", pattern)
	if n == 0 {
		x.always = append(x.always, r)
		return
	}
	x.add(&x.nodes[n].here, r)
	x.add(&x.nodes[n].rest, r)
}

// finish puts every list into the order that a search looks through.
func (x *pathIndex) finish() {
	sortRefs(x.always)
	x.refs = make([]ref, 0, len(x.added))
	for i := range x.nodes {
		x.finishList(&x.nodes[i].here)
		x.finishList(&x.nodes[i].rest)
	}
	x.slash = x.segments.find(0, "")
	x.pathMaker = nil
}

func (x *pathIndex) finishList(l *span) {
	first := len(x.refs)
	for at := l.first; at > 0; at = x.added[at-1].before {
		x.refs = append(x.refs, x.added[at-1].ref)
	}
	l.first = int32(first)
	sortRefs(x.of(*l))
}

// of are the refs of a list.
func (x *pathIndex) of(l span) []ref { return x.refs[l.first : l.first+l.count] }

func sortRefs(refs []ref) {
	if len(refs) < 2 {
		return
	}
	slices.SortFunc(refs, func(a, b ref) int {
		return cmp.Or(cmp.Compare(a.subject, b.subject), cmp.Compare(a.rule, b.rule))
	})
}

// visit shows the search every list that object leads to.
func (x *pathIndex) visit(object string, s *search, with *bearing) {
	if len(x.always) > 0 {
		s.try(x.always, with)
	}
	if object == "" || object[0] != '/' || x.nodes[0].one != 0 {
		x.visitNode(0, object, s, with)
	} else if x.slash != 0 {
		x.leave(x.slash, object[1:], true, s, with)
	}
}

// visitNode goes on from n with what is left of the object.
func (x *pathIndex) visitNode(n int32, left string, s *search, with *bearing) {
	segment, after, more := left, "", false
	if i := strings.IndexByte(left, '/'); i >= 0 {
		segment, after, more = left[:i], left[i+1:], true
	}
	if x.nodes[n].inner {
		if c := x.segments.find(n, segment); c != 0 {
			x.leave(c, after, more, s, with)
		}
	}
	if one := x.nodes[n].one; one != 0 && segment != "" {
		x.leave(one, after, more, s, with)
	}
}

// leave tries the rules of a node, reached by a whole segment.
func (x *pathIndex) leave(number int32, after string, more bool, s *search, with *bearing) {
	n := &x.nodes[number]
	if !more {
		if n.here.count > 0 {
			s.try(x.of(n.here), with)
		}
		return
	}
	if n.rest.count > 0 {
		s.try(x.of(n.rest), with)
	}
	if n.inner || n.one != 0 {
		x.visitNode(number, after, s, with)
	}
}
