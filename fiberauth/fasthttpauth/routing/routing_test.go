package routing_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// The router here is a small one that matches as Fiber does: segments, ":x" for
// one of them, a star for the rest, and prefixes for what Use mounts.

// rt is an entry of the router's stack.
type rt struct {
	path   string
	use    bool
	gates  []bool
	static bool // as in Fiber v2
	cuts   []int
}

func (r rt) names() (names []string) {
	for segment := range strings.SplitSeq(r.path, "/") {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			names = append(names, name)
		} else if strings.HasSuffix(segment, "*") {
			names = append(names, "*1")
		}
	}
	return names
}

// match reports whether r matches, with the values of its parameters.
func (r rt) match(path string, fold bool) (values []string, ok bool) {
	rest := path
	for segment := range strings.SplitSeq(strings.TrimPrefix(r.path, "/"), "/") {
		if segment == "" {
			continue
		}
		if rest == "" {
			return nil, false
		}
		first, after, more := strings.Cut(rest[1:], "/")
		switch before, star := strings.CutSuffix(segment, "*"); {
		case star && strings.HasPrefix(rest[1:], before):
			return append(values, rest[1+len(before):]), true
		case strings.HasPrefix(segment, ":") && first != "":
			values = append(values, first)
		case segment == first, fold && strings.EqualFold(segment, first):
		default:
			return nil, false
		}
		if rest = ""; more {
			rest = "/" + after
		}
	}
	return values, r.use || strings.Trim(rest, "/") == ""
}

// app is a stack of entries for GET, and what is known about it.
type app struct {
	stack   []rt
	fold    bool
	table   *routing.Table
	entries []*routing.Entry
	asked   int // how often the copy was
}

func newApp(config routing.Config, folding *routing.Folding, stack ...rt) *app {
	a := &app{stack: stack, fold: config.Fold, table: routing.New(config)}
	for i, r := range stack {
		gates := make([]*core.Gate, max(len(r.gates), 1))
		for i, is := range r.gates {
			if is {
				gates[i] = new(core.Gate)
			}
		}
		e := &routing.Entry{Method: "GET", Index: i, Use: r.use, Static: r.static || len(r.cuts) > 0, Cuts: r.cuts}
		a.table.Add(e, r.path, r.names(), r.names(), gates, folding)
		a.entries = append(a.entries, e)
	}
	a.table.Finish(func(ctx *fasthttp.RequestCtx) {
		a.asked++
		_ = (&at{app: a, ctx: ctx, path: string(ctx.URI().PathOriginal()), index: -1, notes: true}).Next()
	}, map[string][]*routing.Entry{"GET": a.entries})
	return a
}

// at is the position of a request in the stack.
type at struct {
	app    *app
	ctx    *fasthttp.RequestCtx
	path   string
	index  int
	names  []string
	values []string
	notes  bool // the handlers take notes
}

func (c *at) Request() *fasthttp.Request { return &c.ctx.Request }

func (c *at) Path(...string) string { return c.path }

func (c *at) Params(name string, _ ...string) string {
	if i := slices.Index(c.names, name); i >= 0 {
		return c.values[i]
	}
	return ""
}

func (c *at) Next() error {
	for c.index++; c.index < len(c.app.stack); c.index++ {
		values, ok := c.app.stack[c.index].match(c.path, c.app.fold)
		if !ok {
			continue
		}
		e := c.app.entries[c.index]
		c.names, c.values = e.Pattern.Keys(), values
		if c.notes {
			return c.app.table.Visit(c, c.ctx, e)
		}
		c.names = c.app.stack[c.index].names()
		return nil
	}
	return nil
}

// resolve asks about a request that is at the first entry that matches.
func (a *app) resolve(path string) (routing.Match, *at, error) {
	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI(path)
	ctx.Request.Header.SetMethod("GET")
	c := &at{app: a, ctx: &ctx, path: string(ctx.Request.URI().PathOriginal()), index: -1}
	_ = c.Next()
	var e *routing.Entry
	if c.index < len(a.entries) {
		e = a.entries[c.index]
	}
	var m routing.Match
	err := a.table.Resolve(c, "GET", e, &m)
	again := routing.Match{Found: m.Found}
	if other := a.table.Resolve(c, "GET", e, &again); !reflect.DeepEqual(again.Route, m.Route) {
		return m, c, fmt.Errorf("the gate after is told %+v, %v", again.Route, other)
	}
	return m, c, err
}

var gate = []bool{true}

// TestReadings: the resources that rules are asked about.
func TestReadings(t *testing.T) {
	fold := routing.Config{Fold: true}
	for _, tt := range []struct {
		name   string
		config routing.Config
		stack  []rt
		path   string
		want   string // pattern and path of each reading
	}{
		{"a route", fold, []rt{{path: "/a/:x"}}, "/A/B", "/a/:x /a/B"},
		{"a last slash", fold, []rt{{path: "/a/:x"}}, "/a/b/", "/a/:x /a/b/"},
		{"a gate in front", fold, []rt{{path: "/", use: true, gates: gate}, {path: "/a/:x"}}, "/A/B", "/a/:x /a/B"},
		{"nothing behind", fold, []rt{{path: "/", use: true, gates: gate}}, "/A", " /A"},
		{"middleware of the route", fold, []rt{{path: "/", use: true, gates: gate}, {path: "/a", use: true}, {path: "/a/:x"}}, "/A/b", "/a/:x /a/b"},
		{"what may answer by itself", fold, []rt{{path: "/", use: true, gates: gate}, {path: "/a", use: true}, {path: "/*"}}, "/A/b", "/* /A/b;  /a/b; /a /a/b"},
		{"one that passes on", fold, []rt{{path: "/", use: true, gates: gate}, {path: "/*"}, {path: "/a"}}, "/A", "/* /A; /a /a"},
		{"files of Fiber v2", fold, []rt{{path: "/", use: true, gates: gate}, {path: "/f", use: true, static: true}, {path: "/*"}}, "/F/x", "/* /F/x;  /f/x; /f /f/x"},
		{"files behind a star", routing.Config{}, []rt{{path: "/", use: true, gates: gate}, {path: "/f*", cuts: []int{2}}}, "/fx/y", "/f* /fx/y; /f* /f/x/y"},
		{"files on the route", routing.Config{}, []rt{{path: "/f*", cuts: []int{2}, gates: []bool{true, false}}}, "/fx/y", "/f* /fx/y; /f* /f/x/y"},
		{"files at a prefix", routing.Config{}, []rt{{path: "/", use: true, gates: gate}, {path: "/f", use: true, cuts: []int{2}}}, "/f/x", " /f/x; /f /f/x"},
		{"files that are elsewhere too", routing.Config{}, []rt{{path: "/", use: true, gates: gate}, {path: "/f", use: true, cuts: []int{2, 4}}}, "/f/abc", " /f/abc;  /f/bc; /f /f/abc; /f /f/bc"},
		{"decoded", routing.Config{Unescape: true}, []rt{{path: "/a/:x"}}, "/a/b", "/a/:x /a/b"},
	} {
		m, _, err := newApp(tt.config, routing.NewFolding(false), tt.stack...).resolve(tt.path)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := []string{m.Pattern + " " + m.Path}
		for _, other := range m.Alternatives {
			got = append(got, other.Pattern+" "+other.Path)
		}
		slices.Sort(got[1:])
		want := strings.Split(tt.want, "; ")
		slices.Sort(want[1:])
		if !slices.Equal(got, want) {
			t.Errorf("%s, %s: %q, want %q", tt.name, tt.path, got, want)
		}
	}
}

// TestAmbiguousTargets: targets that can be read in two ways have no route.
func TestAmbiguousTargets(t *testing.T) {
	for path, config := range map[string]routing.Config{"/a#b": {}, "//host/a": {}, "/a/%2fb": {Unescape: true}, "/a%20b": {Unescape: true}} {
		a := newApp(config, routing.NewFolding(false), rt{path: "/*"})
		if _, _, err := a.resolve(path); !errors.Is(err, core.ErrAmbiguousPath) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestFollowingGates: a gate with the same question as the one before it uses its answer,
// and no other gate does.
func TestFollowingGates(t *testing.T) {
	stack := []rt{{path: "/", use: true, gates: []bool{true, true}}, {path: "/a", use: true, gates: gate}, {path: "/a/:x"}}
	for name, tt := range map[string]struct {
		before             string // what the first gate is asked
		method, path, sent string
		entry, asked       int
		want               string // "" for a refusal
	}{
		"the same":        {"/a/b", "GET", "/a/b", "/a/b", 0, 0, "/a/:x /a/b"},
		"no route":        {"/c", "GET", "/c", "/c", 0, 0, " /c"},
		"another path":    {"/a/b", "GET", "/a/c", "/a/c", 0, 1, "/a/:x /a/c"},
		"the path alone":  {"/a/b", "GET", "/a/c", "/a/b", 0, 1, ""},
		"the target":      {"/a/b", "GET", "/a/b", "/a/c", 0, 1, ""},
		"another method":  {"/a/b", "PUT", "/a/b", "/a/b", 0, 1, "/a/:x /a/b"},
		"another handler": {"/a/b", "GET", "/a/b", "/a/b", 1, 1, "/a/:x /a/b"},
		"other letters":   {"/A/b", "GET", "/A/b", "/A/b", 0, 1, "/a/:x /a/b"},
		"as spelled":      {"/A/b", "GET", "/a/b", "/a/b", 0, 1, "/a/:x /a/b"},
		"another place":   {"/a/b", "GET", "/a/b", "/a/b#c", 0, 0, ""},
	} {
		a := newApp(routing.Config{Fold: true}, routing.NewFolding(false), stack...)
		first, c, err := a.resolve(tt.before)
		if err != nil {
			t.Fatal(err)
		}
		a.asked = 0
		c.path, c.index = tt.path, tt.entry
		c.ctx.Request.SetRequestURI(tt.sent)
		m := routing.Match{Found: first.Found}
		err = a.table.Resolve(c, tt.method, a.entries[tt.entry], &m)
		if a.asked != tt.asked || (tt.want == "") != errors.Is(err, core.ErrAmbiguousPath) {
			t.Errorf("%s: asked %d times, want %d: %v", name, a.asked, tt.asked, err)
		}
		if got := m.Pattern + " " + m.Path; err == nil && (got != tt.want || !m.Escaped || m.Alternatives != nil) {
			t.Errorf("%s: %+v, want %q", name, m.Route, tt.want)
		}
		if got := a.table.Param(&m, c, a.entries[tt.entry], "x"); err == nil && got != strings.TrimPrefix(strings.ToLower(tt.path), "/a/") && m.Pattern != "" {
			t.Errorf("%s: x is %q", name, got)
		}
	}
}

// TestFollowingGateOfAnotherApp: an answer for unknown handlers is not used by another app.
func TestFollowingGateOfAnotherApp(t *testing.T) {
	use := rt{path: "/", use: true, gates: gate}
	one, other := newApp(routing.Config{}, routing.NewFolding(false), use, rt{path: "/a/:x"}), newApp(routing.Config{}, routing.NewFolding(false), use, rt{path: "/:x/b"})
	_, c, err := one.resolve("/a/b")
	if err != nil {
		t.Fatal(err)
	}
	var m routing.Match
	if err := one.table.Resolve(c, "GET", nil, &m); err != nil || m.Pattern != "/a/:x" {
		t.Fatalf("%+v, %v", m.Route, err)
	}
	if err := other.table.Resolve(c, "GET", nil, &m); err != nil || m.Pattern != "/:x/b" {
		t.Errorf("%+v, %v", m.Route, err)
	}
}

// TestParams: parameters are those of the route that was found, decoded once.
func TestParams(t *testing.T) {
	for _, stack := range [][]rt{{{path: "/a/:x/*"}}, {{path: "/", use: true, gates: gate}, {path: "/a/:x/*"}}} {
		a := newApp(routing.Config{Fold: true}, routing.NewFolding(false), stack...)
		m, c, err := a.resolve("/a/b%2Fc/d")
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"x": "b/c", "X": "b/c", "*": "d", "none": ""} {
			if got := a.table.Param(&m, c, a.entries[c.index], name); got != want {
				t.Errorf("%d entries, %s: %q, want %q", len(stack), name, got, want)
			}
		}
		if m.InnerSlashes != 1 {
			t.Errorf("%d encoded slashes inside of parameters", m.InnerSlashes)
		}
	}
}

// TestFolding: how much of a path may have been registered in another letter case.
func TestFolding(t *testing.T) {
	mounted := routing.NewFolding(false)
	mounted.Mount("/Api/", false)
	tenants := routing.NewFolding(false)
	tenants.Mount("/:t/Api", false)
	unknown := routing.NewFolding(false)
	unknown.Unknown()
	for name, tt := range map[string]struct {
		folding *routing.Folding
		entry   rt
		want    int
	}{
		"a sub-app":        {mounted, rt{path: "/api/*"}, 5},
		"beside a sub-app": {mounted, rt{path: "/apis/*"}, 0},
		"a parameter":      {tenants, rt{path: "/:t/api/*"}, 8},
		"one behind it":    {tenants, rt{path: "/:t/api/:id"}, 8},
		"Static":           {routing.NewFolding(true), rt{path: "/api", use: true, static: true}, 4},
		"nobody knows":     {unknown, rt{path: "/api/*"}, 5},
	} {
		path := strings.ReplaceAll(tt.entry.path, "*", "x")
		m, _, err := newApp(routing.Config{Fold: true}, tt.folding, tt.entry).resolve(path)
		if err != nil || m.Folded != tt.want {
			t.Errorf("%s: %d bytes, want %d, %v", name, m.Folded, tt.want, err)
		}
	}
}

// TestMayPrecede: what two literal beginnings exclude.
func TestMayPrecede(t *testing.T) {
	for pair, want := range map[string]bool{"/a /b": false, "/A /a/b": true, "/:x /b": true, "/a/ /a": true, "/a* /ab": true} {
		a, b, _ := strings.Cut(pair, " ")
		if got := routing.MayPrecede(a, b); got != want {
			t.Errorf("%s: %v", pair, got)
		}
	}
}
