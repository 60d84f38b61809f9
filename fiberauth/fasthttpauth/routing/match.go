package routing

import (
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Match is what Fiber's router matches for a request. All strings are copies or
// belong to the route.
type Match struct {
	core.Route
	Found
	method string // of the request
}

// Found is what a request keeps of a match: what is needed to read the parameters, and
// to answer the next gate that asks the same. Each request that passes a gate pays for
// its size.
type Found struct {
	path     string    // of the route
	pattern  *Pattern  // nil when no route matched
	at       *Entry    // to whose handlers the request had come
	values   *[]string // the parameters, nil until they are asked for, which few rules do
	folded   int32
	searched bool // Fiber itself has not come to the route yet
	again    bool // searched is set, the method is at's, path, pattern and folded describe the whole route, and path is the one asked about
}

// Param returns the value of a parameter, as Fiber's own Params does. at is the entry
// of the handlers that run now.
func (t *Table) Param(m *Match, c Ctx, at *Entry, name string) string {
	if m.pattern == nil {
		return ""
	}
	if t.fill(m, c, at); m.values == nil {
		return ""
	}
	p := m.pattern.param(name, *m.values, t.config.Fold)
	if t.config.Unescape {
		return p
	}
	return adapter.Param(p)
}

// fill copies the parameters of m.
func (t *Table) fill(m *Match, c Ctx, at *Entry) {
	switch {
	case m.values != nil:
	case m.searched:
		n, _ := t.pool.Get().(*notes)
		defer t.pool.Put(n)
		if t.ask(n, c.Request(), m.method, m.at, c.Path(), true); n.err == nil && n.first >= 0 && n.seen[n.first].Pattern == m.pattern {
			m.values = n.values
		}
	case at != nil && at.Pattern == m.pattern: // Fiber has not moved on to another route
		m.values = copied(c, m.pattern.params)
	}
}

// Params returns the names of the parameters of the matched route.
func (t *Table) Params(m *Found) []string {
	if m.pattern == nil {
		return nil
	}
	return m.pattern.params
}

// FoldsCase reports whether the router ignores letter case.
func (t *Table) FoldsCase() bool { return t.config.Fold }

// innerSlashes counts the encoded slashes in parameters that match one segment.
func (m *Found) innerSlashes() int {
	if m.pattern.indirect || m.values == nil || len(*m.values) != len(m.pattern.params) {
		return 0 // it is not known which value belongs to which parameter
	}
	n := 0
	for i, name := range m.pattern.params {
		if name[0] != '*' && name[0] != '+' {
			n += adapter.EncodedSlashes((*m.values)[i])
		}
	}
	return n
}

// readings makes one match of the sightings.
//
// The first route is the one asked for. Entries before it may answer in its stead,
// and so may entries behind it if it passes the request on. That cannot be known in
// advance; but an entry that matches everything that a later one matches must pass
// requests on, or the later one could never run. Only Static does both.
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

// keepPath replaces the path by a string that may be kept: kept itself or the pattern
// if they are equal to it, otherwise a copy.
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

// mayAnswer adds the readings of an entry that may answer by itself. An entry mounted
// with Use is not a route, but rules may know it by the path it was mounted at.
func (m *Match) mayAnswer(s *sighting) {
	for _, pattern := range []string{"", s.Pattern.text} {
		if s.Use || pattern != "" {
			m.add(pattern, s.path, m.Escaped, s.folded)
			m.cutOff(s, pattern)
		}
	}
}

// passesOn adds the reading of an entry that answers only where the first route
// would: its own spelling of what it matches, and the route's of the rest.
func (m *Match) passesOn(s *sighting) {
	if end := min(s.end, len(m.Path)); s.path[:end] != m.Path[:end] {
		m.add(m.Pattern, s.path[:end]+m.Path[end:], m.Escaped, max(s.folded, m.Folded))
	} else {
		m.Folded = max(s.folded, m.Folded)
	}
}

// cutOff adds the path as seen by a handler that strips the prefix.
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
