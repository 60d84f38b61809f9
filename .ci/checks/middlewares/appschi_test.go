package middlewares

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// chiChanging are middlewares that have chi match another path than the one that was
// sent, or answer by themselves.
var chiChanging = []string{"url format", "path rewrite", "strip prefix", "page route", "heartbeat", "route headers"}

// chiRewriting are those that change what chi matches, perhaps not the path of the URL.
var chiRewriting = []string{"url format", "path rewrite", "route headers", "strip prefix"}

var chiMiddlewares = map[string]func(d dice, w *world) httpauth.Middleware{
	"clean path":       func(dice, *world) httpauth.Middleware { return middleware.CleanPath },
	"strip slashes":    func(dice, *world) httpauth.Middleware { return middleware.StripSlashes },
	"redirect slashes": func(dice, *world) httpauth.Middleware { return middleware.RedirectSlashes },
	"strip prefix":     func(d dice, _ *world) httpauth.Middleware { return middleware.StripPrefix(pick(d, "", "/v1", "/a")) },
	"url format":       func(dice, *world) httpauth.Middleware { return middleware.URLFormat },
	"get head":         func(dice, *world) httpauth.Middleware { return middleware.GetHead },
	"path rewrite": func(d dice, _ *world) httpauth.Middleware {
		return middleware.PathRewrite(pick(d, "/a", "/secret", "b"), pick(d, "/secret", "/b", "", "/a/"))
	},
	"route headers": func(d dice, w *world) httpauth.Middleware {
		return middleware.RouteHeaders().Route("X-Version", "2", middleware.PathRewrite("/a", "/secret")).RouteDefault(func(h http.Handler) http.Handler { return h }).Handler
	},
	"page route": func(_ dice, w *world) httpauth.Middleware {
		return middleware.PageRoute("/b", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(rw, "page") }))
	},
	"heartbeat": func(dice, *world) httpauth.Middleware { return middleware.Heartbeat("/a") },
	"maybe": func(dice, *world) httpauth.Middleware {
		return middleware.Maybe(middleware.StripSlashes, func(r *http.Request) bool { return r.Method == "GET" })
	},
	"timeout":   func(dice, *world) httpauth.Middleware { return middleware.Timeout(time.Minute) },
	"compress":  func(dice, *world) httpauth.Middleware { return middleware.Compress(5, "text/*") },
	"throttle":  func(dice, *world) httpauth.Middleware { return middleware.Throttle(100) },
	"recoverer": func(dice, *world) httpauth.Middleware { return middleware.Recoverer },
	"no cache":  func(dice, *world) httpauth.Middleware { return middleware.NoCache },
	"size":      func(dice, *world) httpauth.Middleware { return middleware.RequestSize(1 << 20) },
	"value":     func(dice, *world) httpauth.Middleware { return middleware.WithValue(dice{}, 1) },
	"id":        func(dice, *world) httpauth.Middleware { return middleware.RequestID },
	"real ip":   func(dice, *world) httpauth.Middleware { return middleware.ClientIPFromRemoteAddr },
	"not found": func(_ dice, w *world) httpauth.Middleware { return middleware.SupressNotFound(w.router.(*chi.Mux)) },
	"mux timeout": func(dice, *world) httpauth.Middleware {
		return func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "too late") }
	},
}

// braces returns a pattern of chi, or of ServeMux.
func braces(segments []segment, mux bool) string {
	s := ""
	for _, g := range segments {
		switch {
		case g.rest && mux:
			s += "/{" + g.param + "...}"
		case g.rest:
			s += "/*"
		case g.digits && !mux:
			s += "/" + g.text + "{" + g.param + ":[0-9]+}"
		case g.param != "":
			s += "/" + g.text + "{" + g.param + "}" + g.suffix
		default:
			s += "/" + g.text
		}
	}
	return s
}

func passes(h http.Handler) http.Handler { return h }

// netHTTPGate returns the gate of a plan.
func netHTTPGate(d dice, w *world) httpauth.Middleware {
	rules := d.chance(20)
	switch {
	case w.open:
		return passes
	case w.plan.gates == "named":
		return httpauth.Authorize(w.guard, core.WithResourceName("named"))
	case rules:
		return httpauth.Require(w.guard, w)
	}
	return httpauth.Authorize(w.guard)
}

func (w *world) netHTTPHandler(rt *route, value func(r *http.Request, name string) string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.open && w.plan.gates == "check" && httpauth.Check(rw, r, w.guard, w) != nil {
			return
		}
		_, _ = io.WriteString(rw, w.served(rt, who(r.Header.Get("Authorization")), func(name string) string { return value(r, name) }))
	})
}

func buildChi(d dice, w *world) app {
	top := chi.NewRouter()
	w.router = top
	p := newPlan(d, kinds{prefixed: true, suffixed: true, digits: true, upper: true}, append(gatePlaces, "around")...)
	w.plan = p
	for _, rt := range p.routes {
		rt.pattern = cmp.Or(braces(p.whole(rt), false), "/")
	}
	files := ""
	if d.chance(30) {
		files = pick(d, "/files", "/a", "/secret")
	}
	w.policy(d)
	gate := netHTTPGate(d, w)
	optional := httpauth.Middleware(passes)
	if !w.open {
		optional = httpauth.Optional(w.guard)
	}
	use := func(most int, without ...string) []func(http.Handler) http.Handler {
		var chain []func(http.Handler) http.Handler
		for _, name := range pickOf(d, most, chiMiddlewares) {
			m := chiMiddlewares[name](d, w)
			if !slices.Contains(without, name) {
				chain = append(chain, m)
				w.note("%s", name)
			}
		}
		return chain
	}
	w.note("front")
	front := use(3)
	if strings.HasPrefix(p.gates, "app") && slices.ContainsFunc(w.notes, func(s string) bool { return slices.Contains(chiRewriting, s) }) {
		return nil // docs/nethttp.md: nobody can know there what chi will match
	}
	if slices.Contains(w.notes, "url format") && slices.ContainsFunc(p.routes, func(rt *route) bool { return strings.HasSuffix(rt.pattern, "/") }) {
		return nil // which it gives out for "/.json", as for all paths below it
	}
	if p.gates == "around" {
		front = nil
		front = append(front, gate)
		front = append(front, use(2, chiChanging...)...)
	}
	top.Use(front...)
	switch p.gates {
	case "app", "app, routes":
		top.Use(gate)
		top.Use(use(2, chiChanging...)...)
		if !w.byPath { // patterns are not known there
			w.byPath, w.deny = true, []string{"secret"}
		}
	case "optional, routes", "check":
		top.Use(optional)
	case "named":
		top.Use(gate)
	}
	var groups []chi.Router
	for i, g := range p.groups {
		prefix := braces(g.segments, false)
		var gates []func(http.Handler) http.Handler
		if p.gates == "groups" || p.gates == "some groups" && i > 0 {
			gates = append(gates, gate)
		}
		way := pick(d, "group", "route", "mount", "mount behind a gate")
		w.note("group %d %s: %s", i, prefix, way)
		r := chi.Router(top)
		switch {
		case prefix == "":
			r = top.Group(func(r chi.Router) { r.Use(append(use(1, chiChanging...), gates...)...) })
		case way == "group":
			r = top.Group(func(r chi.Router) { r.Use(append(use(1, chiChanging...), gates...)...) })
			groups = append(groups, prefixed{r, prefix})
			continue
		case way == "route":
			func() {
				defer func() { _ = recover() }() // mounted twice
				r = top.Route(prefix, func(r chi.Router) { r.Use(append(use(1, chiChanging...), gates...)...) })
			}()
			if r == chi.Router(top) {
				return nil
			}
		default:
			inner := chi.NewRouter()
			inner.Use(use(1, chiChanging...)...)
			to := chi.Router(top)
			if way == "mount" {
				inner.Use(gates...)
			} else {
				to = top.With(gates...)
			}
			failed := false
			func() {
				defer func() { failed = recover() != nil }()
				to.Mount(prefix, inner)
			}()
			if failed {
				return nil
			}
			r = inner
		}
		groups = append(groups, r)
	}
	for _, rt := range p.routes {
		w.note("%s", rt.name)
		chain := use(1, chiChanging...)
		if strings.Contains(p.gates, "routes") {
			chain = append(chain, gate)
		}
		chain = append(chain, use(1, chiChanging...)...)
		h := w.netHTTPHandler(rt, func(r *http.Request, name string) string {
			if name == "rest" {
				name = "*"
			}
			return chi.URLParam(r, name)
		})
		r, relative := groups[rt.group], braces(rt.segments, false)
		if pr, ok := r.(prefixed); ok {
			r, relative = pr.Router, pr.prefix+relative
		}
		relative = cmp.Or(relative, "/")
		ok := func() (ok bool) {
			defer func() { ok = recover() == nil }()
			if rt.methods == nil {
				r.With(chain...).Handle(relative, h)
			}
			for _, m := range rt.methods {
				r.With(chain...).Method(m, relative, h)
			}
			return true
		}()
		if !ok {
			return nil
		}
	}
	if files != "" && p.gates != "check" && p.gates != "some groups" {
		w.note("files")
		var chain []func(http.Handler) http.Handler
		if p.gates == "groups" || strings.Contains(p.gates, "routes") {
			chain = append(chain, gate)
		}
		func() {
			defer func() { _ = recover() }()
			top.With(chain...).Handle(files+"/*", http.StripPrefix(files, http.FileServerFS(below(files))))
		}()
	}
	if strings.HasPrefix(p.gates, "app") && d.chance(50) && !slices.Contains(w.notes, "not found") { // which calls it in front of the gate
		w.note("NotFound")
		top.NotFound(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(rw, w.servedPath("no route", "", r.URL.EscapedPath(), who(r.Header.Get("Authorization")), true))
		})
	}
	return serveHTTP(top)
}

// prefixed is a router for routes of which all have a prefix.
type prefixed struct {
	chi.Router
	prefix string
}

func TestAppsOnChi(t *testing.T) {
	runApps(t, "chi", buildChi, 20, false, func(w *world, _ request, _, _ answer) bool {
		return slices.ContainsFunc(w.notes, func(s string) bool { return slices.Contains(chiChanging, s) })
	})
}
