package middlewares

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// The tests of this file and of those named after a framework make apps at random, of
// routes, options of the router, the framework's own middlewares and gates, and send
// requests in unusual spellings. Each app is built twice from the same seed, with gates
// and without.

// dice is a source of choices.
type dice struct{ *rand.Rand }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

// pickOf returns some entries of a map, by name, in an order of their own.
func pickOf[T any](d dice, most int, of map[string]T) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	d.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names[:min(len(names), d.IntN(most+1))]
}

// segment is a part of a pattern between slashes: text and a parameter, or either.
type segment struct {
	text, param string
	rest        bool // it matches any number of segments
	optional    bool
	digits      bool // the parameter has only digits
	suffix      string
	constraint  string // of Fiber, in the place of digits
}

// route is one of an app's routes.
type route struct {
	name     string // "route 3"
	group    int
	methods  []string // none for any method
	segments []segment
	pattern  string
}

// kinds are the segments that a router knows, apart from literals and parameters.
type kinds struct {
	prefixed, suffixed, optional, digits, restAnywhere, upper bool
	constraints                                               []string // of Fiber
	methods                                                   []string // besides the usual ones
	unicode                                                   bool
}

func (k kinds) segments(d dice, most int, last bool) []segment {
	var all []segment
	names := []string{"x", "y", "z", "w"}
	n := d.IntN(most + 1)
	for i := range n {
		s := segment{text: pick(d, "a", "b", "secret", "files", "a", "secret")}
		if k.upper && d.chance(10) {
			s.text = pick(d, "Ab", "SECRET", "Files")
		}
		if k.unicode && d.chance(8) {
			s.text = pick(d, "é", "É", "\u017fecret", "\u212a")
		}
		switch roll := d.IntN(100); {
		case roll < 40:
		case roll < 75:
			s = segment{param: names[i]}
		case roll < 80 && k.prefixed:
			s = segment{text: "v-", param: names[i]}
		case roll < 84 && k.suffixed:
			s = segment{param: names[i], suffix: ".txt"}
		case roll < 89 && k.optional && last && i == n-1:
			s = segment{param: names[i], optional: true}
		case roll < 93 && k.digits:
			s = segment{param: names[i], digits: true}
			if len(k.constraints) > 0 {
				s.constraint = pick(d, k.constraints...)
			}
		case last && (i == n-1 || k.restAnywhere && !slices.ContainsFunc(all, func(s segment) bool { return s.rest })):
			s = segment{param: "rest", rest: true}
			if slices.ContainsFunc(all, func(s segment) bool { return s.rest }) {
				s.param = "rest2"
			}
		}
		all = append(all, s)
	}
	return all
}

// plan is what all frameworks have in common in an app.
type plan struct {
	groups []group
	routes []*route
	gates  string
}

type group struct{ segments []segment }

var gatePlaces = []string{"app", "groups", "routes", "optional, routes", "check", "app, routes", "some groups", "named"}

func newPlan(d dice, k kinds, places ...string) *plan {
	p := &plan{gates: pick(d, places...), groups: []group{{}}}
	for range d.IntN(3) {
		segments := k.segments(d, 2, false)
		for i := range segments {
			if segments[i].param != "" {
				segments[i].param += "g"
			}
			segments[i].text = strings.ToLower(segments[i].text) // as Fiber keeps it
		}
		p.groups = append(p.groups, group{segments})
	}
	for i := range 2 + d.IntN(6) {
		rt := &route{name: fmt.Sprintf("route %d", i), group: d.IntN(len(p.groups)), segments: k.segments(d, 3, true)}
		switch d.IntN(4) {
		case 0:
		case 1:
			rt.methods = []string{"GET", "HEAD"}
		case 2:
			rt.methods = []string{"POST"}
		default:
			rt.methods = []string{"GET"}
		}
		if len(k.methods) > 0 && d.chance(15) {
			rt.methods = append([]string{pick(d, k.methods...)}, rt.methods...)
		}
		p.routes = append(p.routes, rt)
	}
	return p
}

// whole returns all segments of a route.
func (p *plan) whole(rt *route) []segment {
	return append(slices.Clone(p.groups[rt.group].segments), rt.segments...)
}

// guarded reports whether there is a gate in front of rt.
func (p *plan) guarded(rt *route) bool { return p.gates != "some groups" || rt.group > 0 }

// serving is a handler that ran, and what it was given.
type serving struct {
	route, pattern, path string
	guarded              bool
}

// world is one app and what happens in it.
type world struct {
	t      testing.TB
	open   bool // without gates
	guard  *core.Guard
	byPath bool // or by route
	deny   []string
	plan   *plan
	router any // the app, for middlewares that want it

	mu    sync.Mutex
	asked []core.Resource
	ran   []serving
	notes []string // of how the app was built
	// leftOut reports that the gates refuse to work, since Fiber does not always call them.
	leftOut bool
}

func (w *world) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// denied is the policy, of which handlers are asked again by what they were given.
func (w *world) denied(pattern, path string) bool {
	if !w.byPath {
		return pattern == "" || slices.ContainsFunc(w.deny, func(s string) bool { return strings.Trim(s, "/") == strings.Trim(pattern, "/") })
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	return slices.ContainsFunc(segments, func(s string) bool { return slices.Contains(w.deny, s) })
}

func (w *world) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, a.Resource)
	switch p.ID() {
	case "carol":
		return core.Decision{Allowed: true}, nil
	case "alice":
		return core.Decision{Allowed: a.Resource.Name == "named" || !w.denied(a.Resource.Route, a.Resource.Path)}, nil
	}
	return core.Decision{}, nil
}

// served is called by handlers, and returns what they answer. value returns a
// parameter as the handler got it.
func (w *world) served(rt *route, who string, value func(name string) string) string {
	made := ""
	for _, s := range w.plan.whole(rt) {
		v := ""
		if s.param != "" {
			v = value(s.param)
			if s.rest {
				v = strings.TrimPrefix(v, "/")
			}
		}
		if part := s.text + v + s.suffix; part != "" {
			made += "/" + part
		}
	}
	return w.servedPath(rt.name, rt.pattern, made, who, w.plan.guarded(rt))
}

func (w *world) servedPath(name, pattern, path, who string, guarded bool) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	w.ran = append(w.ran, serving{name, strings.Clone(pattern), strings.Clone(path), guarded})
	return marker + name + " for " + who + ";"
}

const marker = "[served] "

// fileOf is what a file behind gates says; nobody's name is in it.
const fileText = "[file] "

// below returns files for a file server at a prefix. Each says what its path is there.
func below(prefix string) fstest.MapFS {
	all := fstest.MapFS{}
	for _, name := range []string{"a.txt", "secret/a.txt", "secret.txt", "secret", "a/b", "b/secret/x", "a/secret", "index.html", "v-secret"} {
		if name == "secret" {
			name = "secret/index.html"
		}
		all[name] = &fstest.MapFile{Data: []byte(fileText + prefix + "/" + name + ";"), ModTime: time.Unix(1, 0)}
	}
	return all
}

// answer is a response, by whatever framework.
type answer struct {
	status int
	header http.Header
	body   string
}

// app sends one request as it is on the wire, and returns the answer.
type app func(raw string) answer

// serveHTTP is the app of an http.Handler.
func serveHTTP(h http.Handler) app {
	return func(raw string) answer {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			return answer{status: http.StatusBadRequest}
		}
		r.RemoteAddr = "192.0.2.1:1234"
		rec := httptest.NewRecorder()
		func() {
			defer func() { // as the server does: Gin's own router panics at some requests
				if p := recover(); p != nil {
					rec = httptest.NewRecorder()
					rec.WriteHeader(panicked)
					_, _ = fmt.Fprint(rec, p)
				}
			}()
			h.ServeHTTP(rec, r)
		}()
		return answer{rec.Code, rec.Header(), unzipped(rec.Header(), rec.Body.Bytes())}
	}
}

// panicked is the status of an answer of a handler that panicked.
const panicked = 599

// builder makes an app. With w.open it mounts no gate.
type builder func(d dice, w *world) app

func newWorld(t testing.TB, open bool) *world {
	w := &world{t: t, open: open}
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithAuthorizer(w),
		core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) {
			if e.Cause != nil && strings.HasPrefix(e.Cause.Error(), "fiber ") {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.leftOut = true
			}
		})), core.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	w.guard = g
	return w
}

// policy chooses what is denied, once the routes are known.
func (w *world) policy(d dice) {
	if w.byPath = d.chance(60); w.byPath {
		w.deny = []string{pick(d, "secret", "secret", "a", "7", "Ab")}
		return
	}
	for _, rt := range w.plan.routes {
		if d.chance(40) {
			w.deny = append(w.deny, rt.pattern)
		}
	}
}

// take returns what has happened, and forgets it.
func (w *world) take() (ran []serving, asked []core.Resource) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ran, asked = w.ran, w.asked
	w.ran, w.asked = nil, nil
	return ran, asked
}

// request is what is sent, apart from who sends it.
type request struct {
	method, target string
	host           string
	lines          []string
	body           string
	chunked, odd   bool
}

func (r request) as(who string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method, r.target, r.host)
	if who != "" {
		fmt.Fprintf(&b, "Authorization: Name %s\r\n", who)
	}
	for _, line := range r.lines {
		b.WriteString(line + "\r\n")
	}
	switch {
	case r.chunked:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(r.body), r.body)
	case r.body != "":
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
	default:
		b.WriteString("\r\n")
	}
	return b.String()
}

var values = []string{"a", "b", "secret", "secret", "a.txt", "7", "12", "Ab", "x-y", "secret.txt", "secret.json"}
var oddValues = []string{"a%2Fsecret", "%73ecret", "a+b", "SECRET", "secret;x", "..", ".", "", "a%20b", "secret%00", "%2e%2e", "secret%2F", `x\secret`, "%25", "secret.", "*", ":x", "é"}

func (p *plan) request(d dice) request {
	rt := pick(d, p.routes...)
	r := request{method: "GET", host: "app.example"}
	if d.chance(15) {
		r.host = pick(d, "APP.example", "app.example:80", "app.example.", "other.example", "[::1]", "www.app.example", "")
	}
	if len(rt.methods) > 0 {
		r.method = rt.methods[0]
	}
	for _, s := range p.whole(rt) {
		v := ""
		if s.param != "" {
			switch {
			case s.digits:
				v = pick(d, "7", "12")
				if s.constraint != "" {
					v = pick(d, "7", "12", "a", "secret", "Ab", "b")
				}
			case s.optional && d.chance(50):
			case d.chance(8):
				v = pick(d, oddValues...)
			default:
				v = pick(d, values...)
			}
			if s.rest {
				for range d.IntN(3) {
					v += "/" + pick(d, values...)
				}
			}
		}
		r.target += "/" + s.text + v + s.suffix
	}
	if r.target == "" {
		r.target = "/"
	}
	if d.chance(10) {
		r.method = pick(d, "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "QUERY", "LOAD", "load", "G:T")
	}
	for d.chance(35) {
		r.target = misspell(d, r.target)
	}
	for d.chance(25) {
		r.lines = append(r.lines, pick(d, "Accept-Encoding: gzip", "X-HTTP-Method-Override: DELETE", "X-HTTP-Method-Override: GET", "X-HTTP-Method-Override: POST",
			"X-Original-URL: /a", "X-Rewrite-URL: /secret", "Origin: https://other.example", "Access-Control-Request-Method: GET", "Range: bytes=0-3",
			"If-None-Match: *", "X-Idempotency-Key: 00000000-0000-0000-0000-000000000000", "Accept: text/html", "X-Version: 2", "Content-Type: application/x-www-form-urlencoded",
			"X-Forwarded-Prefix: /secret", "X-Forwarded-Host: app.example", "Connection: Upgrade", "Upgrade: websocket", "Cookie: csrf_=x; session=y", "Expect: 100-continue", "Cache-Control: no-cache", "Content-Encoding: gzip", "Early-Data: 1"))
	}
	if d.chance(15) {
		r.body, r.chunked = pick(d, "_method=DELETE", "_method=GET&x=1", `{"a":1}`, strings.Repeat("x", 300)), d.chance(40)
	}
	r.odd = !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}, r.method) || strings.ContainsAny(r.target, "%\\#+;:*") || strings.Contains(r.target, "//") || strings.Contains(r.target, "/.") || strings.Contains(r.target, "./") || strings.HasSuffix(r.target, ".") || strings.ContainsFunc(r.target, func(c rune) bool { return c > 126 || c < 33 }) || !strings.HasPrefix(r.target, "/")
	return r
}

func misspell(d dice, s string) string {
	at := strings.IndexByte(s, '?')
	if at >= 0 {
		return s
	}
	if s == "" {
		return "/"
	}
	i := d.IntN(len(s))
	switch d.IntN(8) {
	case 0:
		if n := strings.Count(s, "/"); n > 0 {
			k := d.IntN(n)
			for at := range len(s) {
				if s[at] == '/' {
					if k--; k < 0 {
						return s[:at] + pick(d, "//", "%2F", "/./", "/x/../", `\`, "%5C", "/;/", "/%2e/", "/..;/", "%252F", "", "/%2e%2e/", "/ /"[:1]) + s[at+1:]
					}
				}
			}
		}
	case 1:
		return s[:i] + strings.ToUpper(s[i:min(len(s), i+3)]) + s[min(len(s), i+3):]
	case 2:
		return strings.ToUpper(s)
	case 3:
		return s[:i] + fmt.Sprintf("%%%02x", s[i]) + s[i+1:]
	case 4:
		return s + pick(d, "/", "/", "/", "//", "/.", "%00", "%20", ";x=1", "?", "?/secret", "#x", ".json", ".", "%2F", "/..", "/../", "?_method=DELETE", "%zz", "/x", "x", ".txt", "?x=/../a")
	case 5:
		return pick(d, "http://app.example", "http://other.example", "/", "/x/..", "HTTP://u@h", "/%2e%2e", "/a/..", "/v1", "/.") + s
	case 6:
		return s[:i] + pick(d, "\xff", "\u017f", "%c0%af", "+", "%2B", ";", ":", "*", "{", "~", "@", "-", "_") + s[i:]
	default:
		return strings.TrimSuffix(s, "/") + "/"
	}
	return s
}

// counts are how much a test has done.
type counts struct{ apps, requests, ran, refused, leaks, unjudged, falsely, files, leftOut int }

// runApps builds apps and sends requests to them.
func runApps(t *testing.T, framework string, build builder, requests int, fold bool, excuse func(w *world, r request, gated, open answer) bool) {
	t.Helper()
	t.Parallel()
	apps := 100
	if os.Getenv("SALLYPORT_LONG") != "" {
		apps = 3000
	}
	var n counts
	people := []string{"", "bob", "alice", "carol"}
	for i := range apps {
		seed := uint64(i)
		make := func(open bool) (*world, app) {
			w := newWorld(t, open)
			return w, build(dice{rand.New(rand.NewPCG(seed, 7))}, w)
		}
		gated, send := make(false)
		open, sendOpen := make(true)
		if send == nil {
			continue
		}
		n.apps++
		d, before := dice{rand.New(rand.NewPCG(seed, 8))}, n.leaks+n.unjudged+n.falsely
		// A gate tells what Fiber leaves out when it is called, not where it is left out.
		for early := (dice{rand.New(rand.NewPCG(seed, 9))}); fold && !gated.leftOut && early.chance(97); {
			send(gated.plan.request(early).as("carol"))
		}
		for range requests {
			r := gated.plan.request(d)
			d.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
			for _, who := range append(slices.Clone(people), people[0], people[1]) {
				n.requests++
				gated.take()
				a := send(r.as(who))
				ran, asked := gated.take()
				describe := func() string {
					return fmt.Sprintf("%s app %d: %s\n  gates %s, denied %v by path %v, routes %s\n  %q as %q: %d %.80q, ran %+v, asked %+v", framework, i, strings.Join(gated.notes, "; "),
						gated.plan.gates, gated.deny, gated.byPath, gated.plan, strings.ReplaceAll(r.as(""), strings.Repeat("x", 300), "xxx"), who, a.status, a.body, ran, asked)
				}
				// Nobody but carol and alice may have anything done, and nobody sees
				// what was served to another.
				for rest := a.body; ; {
					_, after, ok := strings.Cut(rest, marker)
					if !ok {
						break
					}
					of, behind, _ := strings.Cut(after, ";")
					if name, whose, _ := strings.Cut(of, " for "); whose != who && gated.guardedNamed(name) {
						n.leaks++
						t.Errorf("%s\n  ANOTHER'S: %s", describe(), of)
					}
					rest = behind
				}
				allowed := who == "alice" || who == "carol"
				if !allowed && strings.Contains(a.body, fileText) {
					n.leaks++
					t.Errorf("%s\n  FILE FOR NOBODY", describe())
				}
				if _, file, ok := strings.Cut(a.body, fileText); ok {
					n.files++
					file, _, _ = strings.Cut(file, ";")
					if who == "alice" && gated.byPath && gated.plan.gates != "named" && gated.denied("", file) {
						n.leaks++
						t.Errorf("%s\n  FILE %s", describe(), file)
					}
				}
				for _, s := range ran {
					if !s.guarded {
						continue
					}
					n.ran++
					clean := path.Clean("/" + strings.ReplaceAll(s.path, `\`, "/"))
					named := slices.ContainsFunc(asked, func(r core.Resource) bool { return r.Name == "named" })
					switch {
					case !allowed:
						n.leaks++
						t.Errorf("%s\n  RAN UNALLOWED %v", describe(), s)
					case who == "alice" && !named && (gated.denied(s.pattern, s.path) || gated.denied(s.pattern, clean)):
						n.leaks++
						t.Errorf("%s\n  RAN DENIED %v", describe(), s)
					case !named && !slices.ContainsFunc(asked, func(r core.Resource) bool { return gated.fits(r, s, fold) }):
						n.unjudged++
						t.Errorf("%s\n  RAN UNJUDGED %v", describe(), s)
					}
				}
				if a.status == 401 || a.status == 403 {
					n.refused++
				}
				if who != "carol" {
					continue
				}
				open.take()
				b := sendOpen(r.as(who))
				free, _ := open.take()
				if a.status == panicked && b.status != panicked {
					t.Errorf("%s\n  PANICS", describe())
				}
				gated.mu.Lock()
				refuses := gated.leftOut
				gated.mu.Unlock()
				if refuses {
					break
				}
				// A middleware may answer a repeated request as before.
				replayed := len(free) == 1 && strings.Contains(a.body, marker+free[0].route+" for "+who+";")
				if len(free) > 0 && len(ran) < len(free) && !replayed && plainly(r.target, free[0].path) && !(r.odd && (a.status == 400 || a.status == 403)) && (excuse == nil || !excuse(gated, r, a, b)) {
					n.falsely++
					t.Errorf("%s\n  FALSELY REFUSED: without gates %d, runs %+v", describe(), b.status, free)
				}
			}
			if gated.leftOut {
				n.leftOut++
				break
			}
			if faults := n.leaks + n.unjudged + n.falsely; faults > before {
				break
			} else if faults > 12 {
				t.Fatalf("%s: %+v", framework, n)
			}
		}
	}
	if t.Logf("%s: %+v", framework, n); n.ran < 10*apps {
		t.Error("hardly any handler ran")
	} else if n.leftOut > apps/10 {
		t.Error("too many apps are refused")
	}
}

// plainly reports whether a handler got the path that was sent. With RouteNotFound, Echo
// v5 loses parameters where a route for another method has the same pattern.
func plainly(target, path string) bool {
	target, _, _ = strings.Cut(target, "?")
	return strings.EqualFold(strings.Trim(target, "/"), strings.Trim(path, "/"))
}

func (w *world) guardedNamed(name string) bool {
	for _, rt := range w.plan.routes {
		if rt.name == name {
			return w.plan.guarded(rt)
		}
	}
	return true
}

// fits reports whether the policy was asked about what a handler was given.
func (w *world) fits(r core.Resource, s serving, fold bool) bool {
	a, b := strings.Trim(r.Path, "/"), strings.Trim(s.path, "/")
	if a != b && (!fold || !strings.EqualFold(a, b)) {
		return false
	}
	return r.Route == "" || s.pattern == "" || trimmed(r.Route, fold) == trimmed(s.pattern, fold)
}

func trimmed(pattern string, fold bool) string {
	if fold {
		pattern = strings.ToLower(pattern)
	}
	return strings.Trim(pattern, "/")
}

func (p *plan) String() string {
	var all []string
	for _, rt := range p.routes {
		all = append(all, fmt.Sprintf("%s: %v %s (group %d)", rt.name, rt.methods, rt.pattern, rt.group))
	}
	return strings.Join(all, ", ")
}

func unzipped(h http.Header, body []byte) string {
	if h.Get("Content-Encoding") == "gzip" {
		if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			plain, _ := io.ReadAll(z)
			return string(plain)
		}
	}
	return string(body)
}
