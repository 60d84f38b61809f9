// Package routing finds the handlers of a Fiber app that may answer a request, with
// the app's own router, and what rules must be asked about them. It is for the
// adapters of Fiber's major versions, which know its types.
//
// A handler of a route knows its route. Middleware mounted with Use does not know
// which handlers follow, so a private copy of the app is asked, whose handlers only
// take notes. The adapter makes the copy, entry by entry, and has its handlers call
// [Table.Visit].
package routing

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
)

// Ctx is what this package needs of Fiber's context.
type Ctx interface {
	Request() *fasthttp.Request
	Path(override ...string) string
	Params(name string, def ...string) string
	Next() error
}

// Table holds what is known about the routes of an app. It is safe for concurrent use
// once all entries are added.
type Table struct {
	config Config
	copied fasthttp.RequestHandler
	mixed  bool            // some route has capital letters in its literal parts
	listed map[string]bool // the methods with a route that is in only one of Fiber's lists
	pool   sync.Pool
	// leftOut is what LeftOut returns.
	leftOut error
}

// Config is the configuration of the app's router.
type Config struct {
	Fold     bool // letter case is ignored
	Strict   bool // a trailing slash matters
	Unescape bool // the router sees decoded paths
}

// New returns a table without entries.
func New(config Config) *Table {
	t := &Table{config: config, listed: make(map[string]bool)}
	t.pool.New = newNotes
	return t
}

// Entry is one entry of a method's stack.
type Entry struct {
	Method  string
	Pattern *Pattern
	Index   int  // in the stack
	Use     bool // it matches a prefix
	// Static reports that it serves files that exist, and passes other requests on.
	Static bool
	// Cuts are how many bytes it may strip from a decoded path to find a file.
	Cuts []int

	// idle reports that its prefix does not matter to who answers: its handlers are
	// gates, or middleware of the whole app. spent reports that only gates follow its
	// first gate.
	idle, spent bool
	gated       bool // one of its handlers is a gate
	// moves reports that Fiber may continue elsewhere in the stack if one of its
	// handlers changes the path: Fiber continues at the same index in another list of
	// routes, those with the same beginning, and some routes up to this one are in
	// only some of the lists.
	moves bool
	// over are the entries that match everything that this one matches.
	over []cover
	// goOn reports that entries behind this route may matter, whatever the path.
	goOn bool
}

// cover is an entry that matches everything that another one matches.
type cover struct {
	*Entry
	// whole reports that its prefix ends where a segment of the other's path does, or
	// inside of a segment without parameters.
	whole bool
}

// covered reports whether other matches everything that e matches. If it comes before
// e, it must pass requests on, or e could never run.
func (e *Entry) covered(other *Entry) (c cover, ok bool) {
	for _, c := range e.over {
		if c.Entry == other {
			return c, true
		}
	}
	return cover{}, false
}

// listedBy is the length of the beginning of a route for which Fiber has a list.
const listedBy = 3

// Add completes an entry and adds it. path is the path of the route, names are the
// parameters that Fiber's parser finds in it and params those of the route; gates are
// its handlers, nil for those that are no gates. Entries of a method are added in order.
func (t *Table) Add(e *Entry, path string, names, params []string, gates []*core.Gate, folding *Folding) {
	if e.Use && !t.config.Strict && len(path) > 1 {
		path = strings.TrimRight(path, "/")
	}
	e.Pattern = newPattern(path, names, params, folding.end(path, e.Static))
	first, answers := slices.IndexFunc(gates, func(g *core.Gate) bool { return g != nil }), 0
	e.spent, e.gated = true, first >= 0
	for i, gate := range gates {
		if gate == nil {
			answers++
			e.spent = e.spent && i < first
		}
	}
	e.idle = e.Use && (answers == 0 || path == "/" && !e.Static)
	if len(e.Pattern.literals[0]) >= listedBy {
		t.listed[e.Method] = true
	}
	e.moves = e.Use && answers > 0 && t.listed[e.Method]
	literals := strings.Join(e.Pattern.literals, "")
	t.mixed = t.mixed || !e.Use && literals != strings.ToLower(literals)
}

// Finish must be called when all entries are added: handler is that of the copy, and
// entries are those of each method.
func (t *Table) Finish(handler fasthttp.RequestHandler, entries map[string][]*Entry) {
	t.copied = handler
	for method, of := range entries {
		t.compare(method, of)
		t.findLeftOut(method, of)
		t.findLeftOutBelow(method, of)
	}
}

// LeftOut returns an error if the router answers some requests without a gate that stands
// in front of all.
func (t *Table) LeftOut() error { return t.leftOut }

// findLeftOut looks for gates mounted with Use for all paths which Fiber leaves out where
// a path does not begin with a slash, or has nothing but slashes, although a handler may
// answer there. A gate that is called refuses such a path.
func (t *Table) findLeftOut(method string, entries []*Entry) {
	n, _ := t.pool.Get().(*notes)
	defer t.pool.Put(n)
	for _, path := range [...]string{"*", "", "//"} {
		n.question = question{path: path, each: true}
		t.dispatch(method, []byte(path), n)
		for _, s := range n.seen {
			if s.gated {
				break
			}
			if s.idle { // such as a handler of 404 at the end
				continue
			}
			for _, e := range entries[:s.Index] {
				if e.Use && e.gated && e.Pattern.text == "/" {
					t.leftOut = fmt.Errorf("fiber calls no gate mounted with Use for %s %q, which a handler at %q may answer: mount the gate as Use(\"/*\", gate) on the app, or in front of that handler", method, path, s.Pattern.text)
				}
			}
		}
	}
}

// findLeftOutBelow looks for gates mounted with Use which Fiber leaves out for a handler below
// them: with strict routing, one at "/a/" where "/a/:x?" answers "/a"; and one at "/:x.txt" where
// "/:x.txt/b" answers "/.txt.txt/b", and on Fiber v3 "/1.txt.txt/b".
func (t *Table) findLeftOutBelow(method string, entries []*Entry) {
	for i, e := range entries {
		if !e.Use || !e.gated {
			continue
		}
		for _, r := range entries[i+1:] {
			if !r.idle && !r.gated && len(r.Pattern.literals) >= len(e.Pattern.literals) && strings.HasPrefix(r.Pattern.text, e.Pattern.text) {
				if err := t.leftOutFor(method, e, r); err != nil {
					t.leftOut = err
				}
			}
		}
	}
}

// leftOutFor returns an error if Fiber leaves out the gate e for some paths that r answers
// below it, or if that cannot be known.
func (t *Table) leftOutFor(method string, e, r *Entry) error {
	n, _ := t.pool.Get().(*notes)
	defer t.pool.Put(n)
	last := len(e.Pattern.literals) - 1
	end := strings.TrimRight(e.Pattern.literals[last], "/")
	behind := last > 0 && end != "" && !strings.Contains(end, "/") // a parameter
	slash := len(e.Pattern.text) > 1 && strings.HasSuffix(e.Pattern.text, "/")
	if !behind && !slash {
		return nil
	}
	known := !behind
	for values := range combinations(r.Pattern.constraints) {
		own := e.Pattern.with(values)
		paths := []string{own, strings.TrimRight(own, "/")}
		if behind {
			v := values[last-1]
			for _, v := range [...]string{v, v[:max(len(v)-len(end), 0)]} {
				for i := range len(v) + 1 { // the gate's parameter ends at the first end
					values[last-1] = v[:i] + end + v[i:]
					paths = append(paths, r.Pattern.with(values))
				}
			}
		}
		for _, path := range paths {
			n.question = question{path: path, each: true}
			t.dispatch(method, []byte(path), n)
			called, answers := false, false
			for _, s := range n.seen {
				called, answers = called || s.Entry == e, answers || s.Entry == r
			}
			if answers && !called {
				return fmt.Errorf("fiber does not call the gate mounted with Use at %q for %s %q, which %q answers: mount the gate in front of that handler", e.Pattern.text, method, path, r.Pattern.text)
			}
			known = known || called
		}
	}
	if !known {
		return fmt.Errorf("it is not known whether fiber calls the gate mounted with Use at %q for all that %q answers, since no parameters are known that fit: mount the gate in front of that handler", e.Pattern.text, r.Pattern.text)
	}
	return nil
}

// compare finds out which entries of a stack match everything that another one
// matches: those that match its pattern.
func (t *Table) compare(method string, entries []*Entry) {
	n, _ := t.pool.Get().(*notes)
	defer t.pool.Put(n)
	more := false // an entry that may answer follows
	for _, e := range slices.Backward(entries) {
		e.goOn = e.goOn || more
		more = more || (e.Use || len(e.Cuts) > 0) && !e.idle
		text := unescaped(e.Pattern.text)
		n.question = question{path: text, text: true}
		t.dispatch(method, []byte(text), n)
		for j := range n.seen {
			s := &n.seen[j]
			rest, _, _ := strings.Cut(text[s.end:], "/")
			e.over = append(e.over, cover{s.Entry, s.other == "" || !strings.ContainsAny(rest, ":*+")})
			s.goOn = s.goOn || s.Index < e.Index
		}
	}
}

// MayPrecede reports whether a request for the route b may reach the route a first,
// as far as their literal prefixes tell.
func MayPrecede(a, b string) bool {
	a, b = literalStart(a), literalStart(b)
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// literalStart returns the beginning of a route's pattern up to the first part that
// is not literal, in lower case.
func literalStart(pattern string) string {
	if i := strings.IndexAny(pattern, ":*+?\\("); i >= 0 {
		pattern = pattern[:i]
	}
	return strings.TrimSuffix(strings.ToLower(pattern), "/")
}
