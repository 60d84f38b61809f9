package engine

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// ref is the entry of a rule in the list of a node.
type ref struct {
	subject int32 // number of the rule's subject
	rule    int32 // its place in evaluation order
	cond    int32 // number of a further condition; 0 for none
	// match is the number of the pattern that must be evaluated, 0 for none; denies
	// is added for a deny rule.
	match int32
}

const denies = math.MinInt32

func (r *ref) deny() bool { return r.match < 0 }

// pathNode is reached by objects that begin with the same segments.
type pathNode struct {
	wildcard             int32 // node after any one nonempty segment; 0 for none
	hasChildren, hasLast bool  // whether it has children, or nodes for last segments
	// here are the rules for objects that end here, rest those for objects that
	// continue after a slash.
	here, rest policy.Span
}

// pathIndex finds the rules whose object pattern an object may match. Rules whose
// pattern must be evaluated are in the lists of the nodes that their literal
// segments lead to.
type pathIndex struct {
	// nodes are keyed by parent and segment; the first is the root. The nodes for
	// last segments of objects have the inverted number of their parent.
	nodes texttable.Table[pathNode]
	// slash is the node of objects that begin with a slash, or 0, which is the root.
	slash int32
	// always are the rules that must be tried for every object.
	always []ref
	// regexps reports that some pattern is a regular expression, in which "." does
	// not match a line feed; cuts reports that some function cuts off queries.
	regexps, cuts bool
	refs          []ref // the lists of all nodes
	unused        int   // entries of refs that no list contains any more
	*pathBuilder        // nil once the index is complete
}

// pathBuilder is the state that is only needed to build an index. Until the index is
// finished, the span of a node refers to its newest entry, counted from 1, which is
// chained to the older ones.
type pathBuilder struct {
	builder  *indexBuilder     // numbers the patterns that must be evaluated
	segments []pattern.Segment // buffer for the segments of a pattern
	added    []addedRef
	mode     editMode
	edits    int // entries in lists that were edited
}

// editMode says what happens to the list that a rule belongs to. Editing leaves
// lists as they would be in a newly built index.
type editMode int

const (
	modeBuild editMode = iota
	modeRemove
	modeInsert
)

type addedRef struct {
	ref
	previous int32 // the previous entry of the same list, or 0
}

func newPathIndex(b *indexBuilder) pathIndex {
	n := b.index.rules.Len()
	return pathIndex{nodes: texttable.New[pathNode](n), pathBuilder: &pathBuilder{builder: b, added: make([]addedRef, 0, n)}}
}

// add adds a rule to the list of a node or, in mode remove, removes it.
func (x *pathIndex) add(to *policy.Span, r ref) {
	if x.mode != modeBuild {
		x.replace(to, x.edited(x.of(*to), r))
		return
	}
	x.added = append(x.added, addedRef{r, to.First})
	to.First = int32(len(x.added))
	to.Count++
}

// addAlways is add for the rules that must be tried for every object.
func (x *pathIndex) addAlways(r ref) {
	if x.mode != modeBuild {
		x.always = x.edited(x.always, r)
		return
	}
	x.always = append(x.always, r)
}

// matcher returns the number of a pattern that must be evaluated.
func (x *pathIndex) matcher(function, text string) int32 {
	if x.mode == modeRemove {
		return 0
	}
	return x.builder.matchNumber(function, text)
}

// here and rest return the lists of a node, to be changed.
func (x *pathIndex) here(n int32) *policy.Span { return &x.nodes.Change(n).here }
func (x *pathIndex) rest(n int32) *policy.Span { return &x.nodes.Change(n).rest }

// child returns the node after a segment.
func (x *pathIndex) child(n int32, segment string) int32 {
	c, isNew := x.nodes.Add(n, segment)
	if isNew {
		x.nodes.Change(n).hasChildren = true
	}
	return c
}

// anyChild returns the node after any one segment.
func (x *pathIndex) anyChild(n int32) int32 {
	one := x.nodes.Of(n).wildcard
	if one == 0 {
		one = x.nodes.Reserve()
		x.nodes.Change(n).wildcard = one
	}
	return one
}

// lastChild returns the node for objects whose last segment is this, with any others
// in between.
func (x *pathIndex) lastChild(n int32, segment string) int32 {
	c, isNew := x.nodes.Add(^n, segment)
	if isNew {
		x.nodes.Change(n).hasLast = true
	}
	return c
}

// put adds a rule to the lists that its function and pattern require.
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
		if segs = pattern.AppendSegments(x.segments, function, text); segs != nil {
			x.segments = segs
		}
	}
	if segs == nil || slices.ContainsFunc(segs, func(s pattern.Segment) bool { return s.Kind == pattern.Other }) {
		r.match += x.matcher(function, text)
		if !pattern.HasSegments(function) || !x.putMatched(function, text, r) {
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

// putMatched adds a rule whose pattern must be evaluated to the node of the literal
// segments before the first special one, and there by the last segment if that is
// literal, too. It returns false if matching objects need not begin with those
// segments.
func (x *pathIndex) putMatched(function, text string, r ref) bool {
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
	// An alternative need not begin with the same segments, and a quantifier may
	// make the slash before it optional.
	if n == 0 || left == "" || strings.ContainsAny(left, `|(\`) || strings.ContainsAny(left[:1], "?+{") {
		return false
	}
	if i := strings.LastIndexByte(left, '/'); i >= 0 {
		if last := pattern.SegmentOf(function, left[i+1:], false); last.Kind == pattern.Literal {
			x.add(x.here(x.lastChild(n, last.Text)), r)
			return true
		}
	}
	x.add(x.rest(n), r)
	return true
}

// putPrefix adds a rule with a keyMatch pattern to the node of the last slash before
// its star.
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
		r.match += x.matcher("keyMatch", pattern)
		x.addAlways(r)
	default:
		if last != "" {
			r.match += x.matcher("keyMatch", pattern)
		}
		x.add(x.rest(n), r)
	}
}

// putGlob adds a rule with a globMatch pattern to the node of its segments before
// the first special one: both for objects that end there, since "/**" also matches
// nothing, and for longer ones.
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
	r.match += x.matcher("globMatch", text)
	if n == 0 {
		x.addAlways(r)
		return
	}
	x.add(x.here(n), r)
	x.add(x.rest(n), r)
}

// finish sorts every list by subject and rule, as a search needs them.
func (x *pathIndex) finish(p *pace.Pace) {
	sortRefs(x.always)
	x.refs = make([]ref, 0, len(x.added))
	for i := range int32(x.nodes.Numbers()) {
		n := x.nodes.Change(i)
		x.finishList(&n.here)
		x.finishList(&n.rest)
		p.Step()
	}
	p.RestIfDue()
	x.slash = x.nodes.Find(0, "")
	x.nodes.Trim()
	x.pathBuilder = nil
}

func (x *pathIndex) finishList(l *policy.Span) {
	first := len(x.refs)
	for at := l.First; at > 0; at = x.added[at-1].previous {
		x.refs = append(x.refs, x.added[at-1].ref)
	}
	l.First = int32(first)
	sortRefs(x.of(*l))
}

// of returns the entries of a list.
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

// visit passes the lists of all nodes that an object reaches to the search, but not
// the rules that apply to every object.
func (x *pathIndex) visit(object string, s *search, with *TokenRoles) {
	if object == "" || object[0] != '/' || x.nodes.Of(0).wildcard != 0 {
		x.visitNode(0, object, s, with)
	} else if x.slash != 0 {
		x.enter(x.slash, object[1:], true, s, with)
	}
}

// visitNode continues from n with the rest of an object.
func (x *pathIndex) visitNode(n int32, left string, s *search, with *TokenRoles) {
	segment, after, more := left, "", false
	if i := strings.IndexByte(left, '/'); i >= 0 {
		segment, after, more = left[:i], left[i+1:], true
	}
	node := x.nodes.Of(n)
	if node.hasChildren {
		if c := x.nodes.Find(n, segment); c != 0 {
			x.enter(c, after, more, s, with)
		}
	}
	if node.wildcard != 0 && segment != "" {
		x.enter(node.wildcard, after, more, s, with)
	}
}

// enter searches the lists of a node that was reached by a whole segment, and
// continues below it.
func (x *pathIndex) enter(number int32, after string, more bool, s *search, with *TokenRoles) {
	n := x.nodes.Of(number)
	if !more {
		if n.here.Count > 0 {
			s.list(x, n.here, with)
		}
		return
	}
	if n.rest.Count > 0 {
		s.list(x, n.rest, with)
	}
	if n.hasLast {
		if c := x.nodes.Find(^number, after[strings.LastIndexByte(after, '/')+1:]); c != 0 {
			if last := x.nodes.Of(c); last.here.Count > 0 {
				s.list(x, last.here, with)
			}
		}
	}
	if n.hasChildren || n.wildcard != 0 {
		x.visitNode(number, after, s, with)
	}
}
