package routing

import (
	"bytes"
	"fmt"
	"math"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// keys are names for parameters that no route has twice.
var keys = func() (names []string) {
	for c := range 30 { // the most that Fiber accepts
		names = append(names, string(rune('A'+c)))
	}
	return names
}()

// fewParams is the number of parameters that can be read without allocation.
const fewParams = 8

// notesKey is the user value in which the handlers of a copy find the notes.
type notesKey struct{}

// question is what the copy of an app is asked.
type question struct {
	path string // of the request, as the application's router has it
	from int    // the index of the entry that asks; those before it have passed the request on
	all  bool   // it is not known which entry comes first: each counts as if it did
	past bool   // entries behind the first route always count
	only bool   // only the route that asks counts
	text bool   // path is the pattern of an entry, and the question is what matches it
	fill bool   // the parameters of the first route are wanted
	each bool   // each entry that matches counts, and is all that is wanted
}

// notes are what the handlers of a copy record about one request.
type notes struct {
	question
	seen   []sighting
	first  int       // the first route in seen, or -1
	values *[]string // its parameters, if they are wanted
	err    error
	ctx    fasthttp.RequestCtx // what the copy is given
}

// sighting is an entry that matches the request.
type sighting struct {
	*Entry
	path string // in the letter case of the entry
	end  int    // where the text of the entry ends in path
	// folded is the length of the prefix of path that may have been registered in
	// another letter case.
	folded int
	// other is the path as seen by a handler that strips the prefix, if it differs:
	// Fiber v2 compares prefixes byte by byte, so that "/files" also matches
	// "/filesx", for which Static serves the file "x". decoded reports that it is
	// decoded.
	other   string
	decoded bool
	// files are the decoded paths that it may serve after stripping bytes.
	files []string
}

func newNotes() any {
	n := new(notes)
	n.ctx.SetUserValue(notesKey{}, n)
	return n
}

// values appends what c's router has matched for names. The strings are valid as long
// as the request is.
func values(to []string, c Ctx, names []string) []string {
	for _, name := range names {
		to = append(to, c.Params(name))
	}
	return to
}

// copied returns copies of what c's router has matched for names.
func copied(c Ctx, names []string) *[]string {
	all := values(make([]string, 0, len(names)), c, names)
	for i, v := range all {
		all[i] = strings.Clone(v)
	}
	return &all
}

// dispatch sends a request line to the copy, which looks only at method and path.
func (t *Table) dispatch(method string, path []byte, n *notes) {
	n.first, n.err, n.seen, n.values = -1, nil, n.seen[:0], nil
	n.ctx.Request.Header.SetMethod(method) // as middleware may have changed it
	n.ctx.Request.URI().SetPathBytes(path)
	t.copied(&n.ctx)
}

// Visit is what the copy runs in place of the handlers of an entry; ctx is the
// request context of c.
func (t *Table) Visit(c Ctx, ctx *fasthttp.RequestCtx, e *Entry) error {
	n, _ := ctx.UserValue(notesKey{}).(*notes)
	switch {
	case n.each:
		n.seen = append(n.seen, sighting{Entry: e})
		return c.Next()
	case e.Index < n.from, e.idle, e.spent && e.Index == n.from && !n.all:
		return c.Next()
	case c.Path() != n.path:
		n.err = core.ErrAmbiguousPath // the request was changed, but not the context
		return nil
	}
	s, ok := t.see(c, ctx, n, e)
	if !ok {
		n.err = strays(e.Pattern)
		return nil
	}
	n.seen = append(n.seen, s)
	if e.Use || n.text {
		return c.Next()
	}
	if n.first < 0 {
		if n.first = len(n.seen) - 1; n.fill {
			n.values = copied(c, e.Pattern.keys)
		}
	}
	if n.only || !n.all && !n.past && !e.goOn {
		return nil
	}
	return c.Next()
}

// see records that e matches; ok is false if its pattern cannot follow the path.
func (t *Table) see(c Ctx, ctx *fasthttp.RequestCtx, n *notes, e *Entry) (s sighting, ok bool) {
	s = sighting{Entry: e, path: n.path}
	if !t.config.Fold && !e.Use && e.Pattern.folded == 0 && len(e.Cuts) == 0 {
		return s, true
	}
	var few [fewParams]string
	matched := values(few[:0], c, e.Pattern.keys)
	spelled, end, follows := e.Pattern.follow(n.path, matched)
	switch {
	case follows && (e.Use || strings.Trim(n.path[end:], "/") == ""):
		s.path, s.end, s.folded = spelled, end, e.Pattern.foldedIn(spelled, matched)
		if end < len(spelled) && spelled[end] != '/' && spelled[end-1] != '/' {
			s.other = spelled[:end] + "/" + spelled[end:]
		}
		if len(e.Cuts) > 0 && !n.text {
			s.files = e.files(&s, matched, string(ctx.Path()))
		}
	case e.Static && len(e.Cuts) == 0: // mounted as "/files*", it matches any path and strips that many bytes
		s.other, s.decoded = e.cut(string(ctx.Path())), true
		s.folded = e.Pattern.foldedIn(s.other, nil)
	default:
		return s, n.text
	}
	return s, true
}

// cut returns the path of the file that Static serves for path, below its prefix.
func (e *Entry) cut(path string) string {
	prefix := e.Pattern.text
	if len(path) >= len(prefix) {
		path = path[len(prefix):]
	}
	return prefix + "/" + strings.TrimLeft(path, "/")
}

// files returns the paths of the files that e may serve for a decoded path, below
// what it has matched in front of the file, if they differ from the path itself.
func (e *Entry) files(s *sighting, values []string, decoded string) (paths []string) {
	below := s.path[:e.Pattern.fileAt(s.path, s.end, values)]
	same := s.path
	if plain, err := url.PathUnescape(s.path); err == nil && adapter.EncodedSlashes(s.path) == 0 {
		same = plain
	}
	for _, cut := range e.Cuts {
		file := decoded
		if len(file) >= cut {
			file = file[cut:]
		}
		if file = strings.TrimSuffix(below, "/") + "/" + strings.TrimLeft(file, "/"); strings.TrimSuffix(file, "/") != strings.TrimSuffix(same, "/") {
			paths = append(paths, file)
		}
	}
	return paths
}

// Resolve finds what the router matches for c with method, which must be safe to
// keep, and stores it in m, with the path in the letter case of the route's literal
// parts. at is the entry of the handlers that run now, or nil if it is not known. If m
// holds the result of an earlier search for the same request, Resolve reuses it, or
// its path if only that is the same. After an error m is unchanged.
func (t *Table) Resolve(c Ctx, method string, at *Entry, m *Match) error {
	if t.leftOut != nil {
		return t.leftOut
	}
	req := c.Request()
	if target := req.Header.RequestURI(); bytes.IndexByte(target, '#') >= 0 || bytes.HasPrefix(target, []byte("//")) {
		// fasthttp drops what follows the first, and takes what follows the
		// second for a host where the request names none.
		return core.ErrAmbiguousPath
	}
	path := c.Path() // Fiber's own, to be copied
	if m.again && m.at == at && at.Method == method && m.path == path && t.asSent(req, path) {
		m.method = method
		m.Route = core.Route{Path: m.path, Escaped: true, Folded: int(m.folded)}
		if m.pattern != nil {
			m.Pattern = m.pattern.text
		}
		return nil
	}
	if t.config.Unescape {
		// The path as sent must be clear too, and say the same.
		sent, err := adapter.CanonicalPath(core.Route{Path: string(req.URI().PathOriginal()), Escaped: true})
		if err != nil {
			return err
		}
		if sent != strings.TrimSuffix(path, "/") && sent != path {
			return core.ErrAmbiguousPath
		}
	}
	if err := t.match(c, req, method, at, path, m); err != nil {
		return err
	}
	if m.pattern != nil && m.Escaped && adapter.EncodedSlashes(m.Path) > 0 {
		t.fill(m, c, at)
		m.InnerSlashes = m.innerSlashes()
	}
	m.path, m.folded = m.Path, int32(min(m.Folded, math.MaxInt32))
	m.again = m.searched && at != nil && at.Method == method && m.Path == path && m.Alternatives == nil && m.InnerSlashes == 0 && t.asSent(req, path)
	return nil
}

// asSent reports whether path is the one in the request target.
func (t *Table) asSent(req *fasthttp.Request, path string) bool {
	return !t.config.Unescape && string(req.URI().PathOriginal()) == path
}

func (t *Table) match(c Ctx, req *fasthttp.Request, method string, e *Entry, path string, m *Match) error {
	if e == nil || e.Use || e.Pattern.indirect || len(e.Cuts) > 0 {
		return t.search(req, method, e, path, m)
	}
	spelled, folded := path, 0
	if t.config.Fold || e.Pattern.folded > 0 || len(e.Pattern.params) > 0 { // a route that did not match may have changed their values
		var few [fewParams]string
		matched, end, ok := values(few[:0], c, e.Pattern.params), 0, false
		spelled, end, ok = e.Pattern.follow(path, matched)
		if !ok || strings.Trim(path[end:], "/") != "" {
			return strays(e.Pattern)
		}
		folded = e.Pattern.foldedIn(spelled, matched)
	}
	kept := m.path
	m.Route = core.Route{Pattern: e.Pattern.text, Path: spelled, Escaped: !t.config.Unescape, Folded: folded}
	m.Found, m.method = Found{pattern: e.Pattern, at: e}, method
	m.keepPath(kept)
	return nil
}

// strays returns the error for a path that p has matched but cannot follow.
func strays(p *Pattern) error {
	return fmt.Errorf("%w: it does not match route %q", core.ErrAmbiguousPath, p.text)
}

// search finds what may answer a request that is still at middleware mounted with
// Use. at is the entry of the middleware, or nil if it is not known.
func (t *Table) search(req *fasthttp.Request, method string, at *Entry, path string, m *Match) error {
	n, _ := t.pool.Get().(*notes)
	defer t.pool.Put(n)
	if t.ask(n, req, method, at, path, false); n.err != nil {
		return n.err
	}
	*m = t.readings(n, m.path)
	m.method, m.at, m.searched = method, at, true
	return nil
}

// ask makes the copy record in n what it matches for a request with a path that has come
// to the handlers of at.
func (t *Table) ask(n *notes, req *fasthttp.Request, method string, at *Entry, path string, fill bool) {
	n.question = question{path: path, fill: fill}
	// A middleware may have overridden the method or the path: the router has then
	// moved on to the stack of another method, or to another of its lists.
	if at == nil || at.Method != method || at.moves && rewritten(req) {
		n.all = true
	} else {
		n.from, n.only = at.Index, !at.Use
	}
	n.past = t.config.Fold && (t.mixed || strings.ToLower(path) != path)
	t.dispatch(method, req.URI().PathOriginal(), n)
}

// rewritten reports whether a request has a different path than was sent, as far as
// can be told: a target in absolute form always differs.
func rewritten(req *fasthttp.Request) bool {
	sent, _, _ := bytes.Cut(req.Header.RequestURI(), []byte("?"))
	return !bytes.Equal(sent, req.URI().PathOriginal())
}
