package casbinrules

import (
	"cmp"
	"slices"
	"strings"
)

// ref is a rule where its object leads to.
type ref struct {
	subject int32 // whom it is for
	rule    int32 // its place in the order that effects go by
	cond    int32 // what else must hold; 0 for nothing
	match   int32 // the pattern the object is held against; 0 for none
	deny    bool
}

// pathNode is where objects that begin with the same segments go on.
type pathNode struct {
	next map[string]*pathNode
	one  *pathNode // any one segment, not empty
	// here are the rules for objects that end here, rest those for whatever
	// follows after a slash.
	here, rest refList
}

// refList is some of the refs of an index: from the first on, when it is made.
// Before that first is the newest, counted from 1, and the others are chained
// to it.
type refList struct{ first, count int32 }

// pathIndex finds the rules whose object pattern an object may match. Rules
// with a match of their own stand where they have to be tried.
type pathIndex struct {
	root pathNode
	// slash is where objects that begin with a slash go on, or nil.
	slash *pathNode
	// always are the rules to be tried for every object.
	always []ref
	// odd says that some pattern is a regular expression, for which a line
	// feed is no character, and cuts that some function cuts queries off.
	odd, cuts  bool
	refs       []ref // of all nodes
	*pathMaker       // nil when the index is made
}

// pathMaker is what only the making of an index needs.
type pathMaker struct {
	builder  *indexBuilder // makes the numbers of patterns that have to be tried
	segments []segment     // room for those at hand
	nodes    []pathNode    // nodes are cut from larger pieces
	added    []addedRef
}

type addedRef struct {
	ref
	before int32 // the one added before it to the same list, or 0
}

func (m *pathMaker) add(to *refList, r ref) {
	m.added = append(m.added, addedRef{r, to.first})
	to.first = int32(len(m.added))
	to.count++
}

func (m *pathMaker) node() *pathNode {
	if len(m.nodes) == 0 {
		m.nodes = make([]pathNode, piece)
	}
	n := &m.nodes[0]
	m.nodes = m.nodes[1:]
	return n
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
		if segs = appendSegments(x.segments, function, pattern); segs != nil {
			x.segments = segs
		}
	}
	if segs == nil || slices.ContainsFunc(segs, func(s segment) bool { return s.kind == segmentOther }) {
		r.match = x.builder.match(function, pattern)
		x.always = append(x.always, r)
		return
	}
	n := &x.root
	for _, s := range segs {
		switch s.kind {
		case segmentOne:
			if n.one == nil {
				n.one = x.node()
			}
			n = n.one
		case segmentRest:
			x.add(&n.rest, r)
			return
		default:
			n = x.child(n, s.text)
		}
	}
	x.add(&n.here, r)
}

// putPrefix puts a rule with a pattern of keyMatch where the last slash in
// front of its star leads.
func (x *pathIndex) putPrefix(pattern string, r ref) {
	prefix, _, star := strings.Cut(pattern, "*")
	segs := strings.Split(prefix, "/")
	n := &x.root
	for _, s := range segs[:len(segs)-1] {
		n = x.child(n, s)
	}
	last := segs[len(segs)-1]
	switch {
	case !star:
		n = x.child(n, last)
		x.add(&n.here, r)
	case len(segs) == 1:
		r.match = x.builder.match("keyMatch", pattern)
		x.always = append(x.always, r)
	default:
		if last != "" {
			r.match = x.builder.match("keyMatch", pattern)
		}
		x.add(&n.rest, r)
	}
}

// globBytes are what may mean something in a glob pattern.
const globBytes = `*?[]{}\`

// putGlob puts a rule with a pattern of globMatch where its segments in front of
// the first special one lead: there, since "/**" stands for nothing too, and
// below.
func (x *pathIndex) putGlob(pattern string, r ref) {
	n := &x.root
	left := pattern
	for {
		segment, after, more := strings.Cut(left, "/")
		if strings.ContainsAny(segment, globBytes) {
			break
		}
		n, left = x.child(n, segment), after
		if !more {
			x.add(&n.here, r)
			return
		}
	}
	r.match = x.builder.match("globMatch", pattern)
	if n == &x.root {
		x.always = append(x.always, r)
		return
	}
	x.add(&n.here, r)
	x.add(&n.rest, r)
}

func (m *pathMaker) child(n *pathNode, segment string) *pathNode {
	if n.next == nil {
		n.next = map[string]*pathNode{}
	}
	c := n.next[segment]
	if c == nil {
		c = m.node()
		n.next[segment] = c
	}
	return c
}

// finish puts every list into the order that a search looks through.
func (x *pathIndex) finish() {
	sortRefs(x.always)
	x.refs = make([]ref, 0, len(x.added))
	x.finishNode(&x.root)
	x.slash = x.root.next[""]
	x.pathMaker = nil
}

func (x *pathIndex) finishNode(n *pathNode) {
	x.finishList(&n.here)
	x.finishList(&n.rest)
	if n.one != nil {
		x.finishNode(n.one)
	}
	for _, c := range n.next {
		x.finishNode(c)
	}
}

func (x *pathIndex) finishList(l *refList) {
	first := len(x.refs)
	for at := l.first; at > 0; at = x.added[at-1].before {
		x.refs = append(x.refs, x.added[at-1].ref)
	}
	l.first = int32(first)
	sortRefs(x.of(*l))
}

// of are the refs of a list.
func (x *pathIndex) of(l refList) []ref { return x.refs[l.first : l.first+l.count] }

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
	s.try(x.always, with)
	if object == "" || object[0] != '/' || x.root.one != nil {
		x.visitNode(&x.root, object, s, with)
	} else if x.slash != nil {
		x.leave(x.slash, object[1:], true, s, with)
	}
}

// visitNode goes on from n with what is left of the object.
func (x *pathIndex) visitNode(n *pathNode, left string, s *search, with *bearing) {
	segment, after, more := left, "", false
	if i := strings.IndexByte(left, '/'); i >= 0 {
		segment, after, more = left[:i], left[i+1:], true
	}
	if c := n.next[segment]; c != nil {
		x.leave(c, after, more, s, with)
	}
	if n.one != nil && segment != "" {
		x.leave(n.one, after, more, s, with)
	}
}

// leave tries the rules of n, reached by a whole segment.
func (x *pathIndex) leave(n *pathNode, after string, more bool, s *search, with *bearing) {
	if !more {
		s.try(x.of(n.here), with)
		return
	}
	s.try(x.of(n.rest), with)
	if n.next != nil || n.one != nil {
		x.visitNode(n, after, s, with)
	}
}
