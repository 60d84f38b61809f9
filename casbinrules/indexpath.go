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
	here, rest []ref
}

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
	odd, cuts bool
	// builder makes the numbers of patterns that have to be tried, and segments
	// is room for those at hand; nil when the index is made.
	builder  *indexBuilder
	segments []segment
}

// add puts a rule where function and pattern say.
func (x *pathIndex) add(function, pattern string, r ref) {
	x.odd = x.odd || function != "==" && function != "keyMatch"
	x.cuts = x.cuts || function == "keyMatch5"
	if everything(function, pattern) {
		x.always = append(x.always, r)
		return
	}
	if function == "keyMatch" {
		x.addPrefix(pattern, r)
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
				n.one = &pathNode{}
			}
			n = n.one
		case segmentRest:
			n.rest = append(n.rest, r)
			return
		default:
			n = n.child(s.text)
		}
	}
	n.here = append(n.here, r)
}

// addPrefix puts a rule with a pattern of keyMatch where the last slash in
// front of its star leads.
func (x *pathIndex) addPrefix(pattern string, r ref) {
	prefix, _, star := strings.Cut(pattern, "*")
	segs := strings.Split(prefix, "/")
	n := &x.root
	for _, s := range segs[:len(segs)-1] {
		n = n.child(s)
	}
	last := segs[len(segs)-1]
	switch {
	case !star:
		n = n.child(last)
		n.here = append(n.here, r)
	case len(segs) == 1:
		r.match = x.builder.match("keyMatch", pattern)
		x.always = append(x.always, r)
	default:
		if last != "" {
			r.match = x.builder.match("keyMatch", pattern)
		}
		n.rest = append(n.rest, r)
	}
}

func (n *pathNode) child(segment string) *pathNode {
	if n.next == nil {
		n.next = map[string]*pathNode{}
	}
	c := n.next[segment]
	if c == nil {
		c = &pathNode{}
		n.next[segment] = c
	}
	return c
}

// finish puts every list into the order that a search looks through.
func (x *pathIndex) finish() {
	x.builder, x.segments = nil, nil
	sortRefs(x.always)
	x.root.sort()
	x.slash = x.root.next[""]
}

func (n *pathNode) sort() {
	sortRefs(n.here)
	sortRefs(n.rest)
	if n.one != nil {
		n.one.sort()
	}
	for _, c := range n.next {
		c.sort()
	}
}

func sortRefs(refs []ref) {
	if len(refs) < 2 {
		return
	}
	slices.SortFunc(refs, func(a, b ref) int {
		return cmp.Or(cmp.Compare(a.subject, b.subject), cmp.Compare(a.rule, b.rule))
	})
}

// visit shows the search every list that object leads to.
func (x *pathIndex) visit(object string, s *search) {
	s.try(x.always)
	if object == "" || object[0] != '/' || x.root.one != nil {
		x.root.visit(object, s)
	} else if x.slash != nil {
		x.slash.leave(object[1:], true, s)
	}
}

// visit goes on from n with what is left of the object.
func (n *pathNode) visit(left string, s *search) {
	segment, after, more := left, "", false
	if i := strings.IndexByte(left, '/'); i >= 0 {
		segment, after, more = left[:i], left[i+1:], true
	}
	if c := n.next[segment]; c != nil {
		c.leave(after, more, s)
	}
	if n.one != nil && segment != "" {
		n.one.leave(after, more, s)
	}
}

// leave tries the rules of n, reached by a whole segment.
func (n *pathNode) leave(after string, more bool, s *search) {
	if !more {
		s.try(n.here)
		return
	}
	s.try(n.rest)
	if n.next != nil || n.one != nil {
		n.visit(after, s)
	}
}
