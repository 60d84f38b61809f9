package routing

import (
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Match is what Fiber's router makes of a request. All strings are copies or
// belong to the route.
type Match struct {
	core.Route
	Found
}

// Found is what a view of a request keeps of a match: what the parameters are read by,
// and what the next gate is answered by that asks the same.
type Found struct {
	path    string   // of the route
	pattern *Pattern // nil when no route matched
	// values are the parameters, nil as long as nobody asks: few rules do.
	values   []string
	asked    asked
	folded   int32
	searched bool // Fiber itself does not have the route yet
	again    bool // it was searched, path, pattern and folded say all of the route, and path is as asked
}

// asked is what is asked about a path: what may answer a request with a method that
// has come to the handlers of at.
type asked struct {
	method string
	at     *Entry
}

// Param is the value of a parameter, as Fiber's own Params finds it. at is the
// entry of the handlers that run now.
func (t *Table) Param(m *Found, c Ctx, at *Entry, name string) string {
	if m.pattern == nil {
		return ""
	}
	t.fill(m, c, at)
	p := m.pattern.param(name, m.values, t.config.Fold)
	if t.config.Unescape {
		return p
	}
	return adapter.Param(p)
}

// fill copies the parameters of m.
func (t *Table) fill(m *Found, c Ctx, at *Entry) {
	switch {
	case m.values != nil:
	case m.searched:
		n, _ := t.pool.Get().(*notes)
		defer t.pool.Put(n)
		if t.ask(n, c.Request(), &m.asked, c.Path(), true); n.err == nil && n.first >= 0 && n.seen[n.first].Pattern == m.pattern {
			m.values = n.values
		}
	case at != nil && at.Pattern == m.pattern: // Fiber has not gone on to another route
		m.values = copied(c, m.pattern.params)
	}
}

// Params are the names of the parameters of the route that was matched.
func (t *Table) Params(m *Found) []string {
	if m.pattern == nil {
		return nil
	}
	return m.pattern.params
}

// FoldsCase reports whether the router compares letters in any case.
func (t *Table) FoldsCase() bool { return t.config.Fold }

// innerSlashes counts the encoded slashes in parameters of one segment.
func (m *Found) innerSlashes() int {
	if m.pattern.indirect || len(m.values) != len(m.pattern.params) {
		return 0 // which value is whose is not known
	}
	n := 0
	for i, name := range m.pattern.params {
		if name[0] != '*' && name[0] != '+' {
			n += adapter.EncodedSlashes(m.values[i])
		}
	}
	return n
}

// readings makes one answer of what was seen.
//
// The first route is what is asked for. Entries that come before it may answer
// in its stead, and those behind it may if it passes the request on. Nobody can
// know in advance; but an entry that matches whatever a later one matches passes
// requests on, or the later one could never run. Static alone does both.
func (t *Table) readings(n *notes, kept string) (m Match) {
	m.Path, m.Escaped = n.path, !t.config.Unescape
	if n.first >= 0 {
		first := &n.seen[n.first]
		m.pattern = first.Pattern
		m.Pattern, m.Path, m.Folded = first.Pattern.text, first.path, first.folded
	} else if len(n.seen) > 0 {
		last := &n.seen[len(n.seen)-1]
		m.Path, m.Folded = last.path, last.folded
	}
	m.keepPath(kept)
	for i := range n.seen {
		s := &n.seen[i]
		switch {
		case i == n.first:
			m.cutOff(s, m.Pattern)
		case n.first < 0 || n.all:
			m.mayAnswer(s)
		case i < n.first:
			c, ok := n.seen[n.first].covered(s.Entry)
			switch {
			case !ok || s.Static:
				m.mayAnswer(s)
			case s.other == "":
				m.passesOn(s)
			case !c.whole:
				m.passesOn(s)
				m.cutOff(s, m.Pattern)
			}
		default:
			if _, ok := s.covered(n.seen[n.first].Entry); ok {
				m.mayAnswer(s)
				continue
			}
			if c, _ := n.seen[n.first].covered(s.Entry); s.other == "" || !c.whole || s.Static {
				m.add(m.Pattern, s.path, m.Escaped, s.folded)
				m.cutOff(s, m.Pattern)
			}
		}
	}
	return m
}

// keepPath makes the path one to keep: kept itself or the pattern if that says the same.
func (m *Match) keepPath(kept string) {
	switch m.Path {
	case kept:
		m.Path = kept
	case m.Pattern:
		m.Path = m.Pattern
	default:
		m.Path = strings.Clone(m.Path)
	}
}

// mayAnswer adds the readings of an entry that may answer by itself. One mounted
// with Use is no route, and may yet be known to rules as what it was mounted as.
func (m *Match) mayAnswer(s *sighting) {
	for _, pattern := range []string{"", s.Pattern.text} {
		if s.Use || pattern != "" {
			m.add(pattern, s.path, m.Escaped, s.folded)
			m.cutOff(s, pattern)
		}
	}
}

// passesOn adds the reading of an entry that answers only where the first route
// would: its spelling of what it matches, and the route's of the rest.
func (m *Match) passesOn(s *sighting) {
	if end := min(s.end, len(m.Path)); s.path[:end] != m.Path[:end] {
		m.add(m.Pattern, s.path[:end]+m.Path[end:], m.Escaped, max(s.folded, m.Folded))
	} else {
		m.Folded = max(s.folded, m.Folded)
	}
}

// cutOff adds the path that a handler finds which cuts the prefix off.
func (m *Match) cutOff(s *sighting, pattern string) {
	if s.other != "" {
		m.add(pattern, s.other, m.Escaped && !s.decoded, s.folded)
	}
	for _, file := range s.files {
		m.add(pattern, file, false, s.folded)
	}
}

func (m *Match) add(pattern, path string, escaped bool, folded int) {
	same := func(rt *core.Route) bool {
		found := rt.Pattern == pattern && rt.Path == path && rt.Escaped == escaped
		if found {
			rt.Folded = max(rt.Folded, folded)
		}
		return found
	}
	if same(&m.Route) {
		return
	}
	for i := range m.Alternatives {
		if same(&m.Alternatives[i]) {
			return
		}
	}
	m.Alternatives = append(m.Alternatives, core.Route{Pattern: pattern, Path: strings.Clone(path), Escaped: escaped, Folded: folded})
}
