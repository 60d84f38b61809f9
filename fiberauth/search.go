package fiberauth

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// keys are names for parameters, which no route has twice.
var keys = func() (names []string) {
	for c := range 30 { // as many as Fiber takes
		names = append(names, string(rune('A'+c)))
	}
	return names
}()

// fewParams is how many parameters are looked at without allocation.
const fewParams = 8

// match is what Fiber's router makes of a request. All strings are copies or
// belong to the route.
type match struct {
	core.Route
	pattern *pattern // nil when no route matched
	// values are the parameters. nil where Fiber itself still has them: few
	// rules ask.
	values []string
}

// notesKey is the user value under which shadow handlers find the notes.
type notesKey struct{}

// question is what the shadow app is asked.
type question struct {
	path string // of the request, as the application's router has it
	from int    // the entry that asks; those before it have passed the request on
	all  bool   // which entry comes first is not known: each counts as if it did
	past bool   // entries behind the first route count whatever they are
	only bool   // nothing but the route that asks counts
	text bool   // path is the text of an entry: it is asked what matches that
}

// notes is what shadow handlers leave of one request.
type notes struct {
	question
	seen   []sighting
	first  int      // the first route in seen, or -1
	values []string // its parameters
	err    error
	ctx    fasthttp.RequestCtx // what the shadow app is given
}

// sighting is an entry that matches the request.
type sighting struct {
	*entry
	path string // in the letter case of the entry
	end  int    // where the text of the entry ends in path
	// folded is where the part of path ends whose letters the entry may have
	// been registered in otherwise.
	folded int
	// other is the path that a handler finds which cuts the prefix off, where
	// that is another: Fiber compares prefixes as texts, so that "/files" also
	// matches "/filesx", and Static gives out the file "x" for it. decoded says
	// that it is decoded.
	other   string
	decoded bool
}

func newNotes() any {
	n := new(notes)
	n.ctx.SetUserValue(notesKey{}, n)
	return n
}

// values appends what c's router has matched for names. The strings are valid
// as long as the request is.
func values(to []string, c *fiber.Ctx, names []string) []string {
	for _, name := range names {
		to = append(to, c.Params(name))
	}
	return to
}

// copied are copies of what c's router has matched for names.
func copied(c *fiber.Ctx, names []string) []string {
	all := values(make([]string, 0, len(names)), c, names)
	for i, v := range all {
		all[i] = strings.Clone(v)
	}
	return all
}

// ask puts a request line to the shadow app. Method and path are all that it
// looks at.
func (r *resolver) ask(method string, path []byte, n *notes) {
	n.first, n.err, n.seen, n.values = -1, nil, n.seen[:0], nil
	n.ctx.Request.Header.SetMethod(method) // as middleware may have changed it
	n.ctx.Request.URI().SetPathBytes(path)
	r.shadow(&n.ctx)
}

// visit is what the shadow app runs in place of the handlers of an entry.
func (r *resolver) visit(c *fiber.Ctx, e *entry) error {
	n, _ := c.Context().UserValue(notesKey{}).(*notes)
	switch {
	case e.index < n.from, e.idle, e.spent && e.index == n.from && !n.all:
		return c.Next()
	case c.Path() != n.path:
		n.err = core.ErrAmbiguousPath // somebody has changed the request alone
		return nil
	}
	var few [fewParams]string
	s := sighting{entry: e, path: n.path}
	if r.fold || e.use || e.pattern.folded > 0 {
		matched := values(few[:0], c, e.pattern.keys)
		spelled, end, ok := e.pattern.follow(n.path, matched)
		switch {
		case ok && (e.use || strings.Trim(n.path[end:], "/") == ""):
			s.path, s.end, s.folded = spelled, end, e.pattern.foldedIn(spelled, matched)
			if end < len(spelled) && spelled[end] != '/' && spelled[end-1] != '/' {
				s.other = spelled[:end] + "/" + spelled[end:]
			}
		case e.static: // mounted as "/files*", it matches any path and cuts off as many bytes
			s.other, s.decoded = e.cut(string(c.Context().Path())), true
			s.folded = e.pattern.foldedIn(s.other, nil)
		case !n.text:
			n.err = strays(e.pattern)
			return nil
		}
	}
	n.seen = append(n.seen, s)
	if e.use || n.text {
		return c.Next()
	}
	if n.first < 0 {
		n.first, n.values = len(n.seen)-1, copied(c, e.pattern.keys)
	}
	if n.only || !n.all && !n.past && !e.goOn {
		return nil
	}
	return c.Next()
}

// cut is the path of the file that Static gives out for path, below its prefix.
func (e *entry) cut(path string) string {
	prefix := e.pattern.text
	if len(path) >= len(prefix) {
		path = path[len(prefix):]
	}
	return prefix + "/" + strings.TrimLeft(path, "/")
}

// resolve says what the router matches for c, with the path in the letter case
// of the route's literal parts.
func (r *resolver) resolve(c *fiber.Ctx) (match, error) {
	path := c.Path() // Fiber's own, to be copied
	if r.unescape {
		// The path as sent must be clear too, and say the same.
		sent, err := adapter.CanonicalPath(core.Route{Path: string(c.Request().URI().PathOriginal()), Escaped: true})
		if err != nil {
			return match{}, err
		}
		if sent != strings.TrimSuffix(path, "/") && sent != path {
			return match{}, core.ErrAmbiguousPath
		}
	}
	e := r.entries[c.Route()]
	if e == nil || e.use || e.pattern.indirect {
		return r.search(c, path, e)
	}
	m := match{pattern: e.pattern}
	m.Pattern, m.Path, m.Escaped = e.pattern.text, path, !r.unescape
	if r.fold || e.pattern.folded > 0 {
		var few [fewParams]string
		matched := values(few[:0], c, e.pattern.params)
		spelled, end, ok := e.pattern.follow(path, matched)
		if !ok || strings.Trim(path[end:], "/") != "" {
			return match{}, strays(e.pattern)
		}
		m.Path, m.Folded = spelled, e.pattern.foldedIn(spelled, matched)
	}
	m.Path = strings.Clone(m.Path)
	return m, nil
}

// strays refuses a path that p has matched and cannot follow.
func strays(p *pattern) error {
	return fmt.Errorf("%w: it does not follow route %q", core.ErrAmbiguousPath, p.text)
}

// search finds what may answer a request that is still at middleware mounted
// with Use. at is the entry of that middleware, nil where it is not known.
func (r *resolver) search(c *fiber.Ctx, path string, at *entry) (match, error) {
	n, _ := r.pool.Get().(*notes)
	defer r.pool.Put(n)
	n.question = question{path: path}
	// A middleware may have overridden the method: the router has gone on in
	// the stack of another one.
	if at == nil || c.Route().Method != c.Method() {
		n.all = true
	} else {
		n.from, n.only = at.index, !at.use
	}
	n.past = r.fold && (r.mixed || strings.ToLower(path) != path)
	r.ask(c.Method(), c.Request().URI().PathOriginal(), n)
	if n.err != nil {
		return match{}, n.err
	}
	return r.readings(n), nil
}

// readings makes one answer of what was seen.
//
// The first route is what is asked for. Entries that come before it may answer
// in its stead, and those behind it may if it passes the request on. Nobody can
// know in advance; but an entry that matches whatever a later one matches passes
// requests on, or the later one could never run. Static alone does both.
func (r *resolver) readings(n *notes) match {
	m := match{values: n.values}
	m.Path, m.Escaped = n.path, !r.unescape
	if n.first >= 0 {
		first := &n.seen[n.first]
		m.pattern = first.pattern
		m.Pattern, m.Path, m.Folded = first.pattern.text, first.path, first.folded
	} else if len(n.seen) > 0 {
		last := &n.seen[len(n.seen)-1]
		m.Path, m.Folded = last.path, last.folded
	}
	m.Path = strings.Clone(m.Path)
	for i := range n.seen {
		s := &n.seen[i]
		switch {
		case i == n.first:
		case n.first < 0 || n.all:
			m.mayAnswer(s)
		case i < n.first:
			c, ok := n.seen[n.first].covered(s.entry)
			switch {
			case !ok || s.static:
				m.mayAnswer(s)
			case s.other == "":
				m.passesOn(s)
			case !c.whole:
				m.passesOn(s)
				m.cutOff(s, m.Pattern)
			}
		default:
			if _, ok := s.covered(n.seen[n.first].entry); ok {
				m.mayAnswer(s)
				continue
			}
			if c, _ := n.seen[n.first].covered(s.entry); s.other == "" || !c.whole || s.static {
				m.add(m.Pattern, s.path, m.Escaped, s.folded)
				m.cutOff(s, m.Pattern)
			}
		}
	}
	return m
}

// mayAnswer adds the readings of an entry that may answer by itself. One mounted
// with Use is no route, and may yet be known to rules as what it was mounted as.
func (m *match) mayAnswer(s *sighting) {
	for _, pattern := range []string{"", s.pattern.text} {
		if s.use || pattern != "" {
			m.add(pattern, s.path, m.Escaped, s.folded)
			m.cutOff(s, pattern)
		}
	}
}

// passesOn adds the reading of an entry that answers only where the first route
// would: its spelling of what it matches, and the route's of the rest.
func (m *match) passesOn(s *sighting) {
	if end := min(s.end, len(m.Path)); s.path[:end] != m.Path[:end] {
		m.add(m.Pattern, s.path[:end]+m.Path[end:], m.Escaped, max(s.folded, m.Folded))
	} else {
		m.Folded = max(s.folded, m.Folded)
	}
}

// cutOff adds the path that a handler finds which cuts the prefix off.
func (m *match) cutOff(s *sighting, pattern string) {
	if s.other != "" {
		m.add(pattern, s.other, m.Escaped && !s.decoded, s.folded)
	}
}

func (m *match) add(pattern, path string, escaped bool, folded int) {
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
