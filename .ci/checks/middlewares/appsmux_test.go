package middlewares

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/httpauth"
)

// muxMiddlewares are of net/http, or what applications write themselves.
var muxMiddlewares = map[string]func(d dice, w *world) httpauth.Middleware{
	"timeout": func(dice, *world) httpauth.Middleware {
		return func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "too late") }
	},
	"size": func(dice, *world) httpauth.Middleware {
		return func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 1<<20) }
	},
	"allow query semicolons": func(dice, *world) httpauth.Middleware { return http.AllowQuerySemicolons },
	"cross-origin":           func(dice, *world) httpauth.Middleware { return http.NewCrossOriginProtection().Handler },
	"override": func(dice, *world) httpauth.Middleware {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if m := r.Header.Get("X-HTTP-Method-Override"); m != "" {
					r.Method = m
				}
				h.ServeHTTP(rw, r)
			})
		}
	},
	"strip": func(d dice, _ *world) httpauth.Middleware {
		prefix := pick(d, "/a", "/v1", "/secret")
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, prefix+"/") {
					http.StripPrefix(prefix, h).ServeHTTP(rw, r)
					return
				}
				h.ServeHTTP(rw, r)
			})
		}
	},
	"rewrite": func(d dice, _ *world) httpauth.Middleware {
		from, to := pick(d, "/a", "/v1", "/b"), pick(d, "/secret", "/a", "")
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if rest, ok := strings.CutPrefix(r.URL.Path, from+"/"); ok {
					r.URL.Path, r.URL.RawPath = to+"/"+rest, ""
				}
				h.ServeHTTP(rw, r)
			})
		}
	},
}

var muxChanging = []string{"override", "strip", "rewrite"}

func buildMux(d dice, w *world) app {
	top := http.NewServeMux()
	p := newPlan(d, kinds{upper: true, unicode: true, methods: []string{"LOAD"}}, append(gatePlaces, "around")...)
	w.plan = p
	ways := make([]string, len(p.groups))
	for i, g := range p.groups {
		ways[i] = pick(d, "plain", "inner", "inner", "stripped")
		if len(g.segments) == 0 || ways[i] == "stripped" && slices.ContainsFunc(g.segments, func(s segment) bool { return s.param != "" }) {
			ways[i] = "plain"
		}
	}
	inside := strings.Contains(p.gates, "routes") || p.gates == "check" // of what strips a prefix
	segments := func(rt *route) []segment {
		if ways[rt.group] == "stripped" && inside {
			return rt.segments
		}
		return p.whole(rt)
	}
	for _, rt := range p.routes {
		rt.pattern = cmp.Or(braces(segments(rt), true), "/{$}")
	}
	w.policy(d)
	gate := netHTTPGate(d, w)
	optional := httpauth.Middleware(passes)
	if !w.open {
		optional = httpauth.Optional(w.guard)
	}
	use := func(h http.Handler, most int, without ...string) http.Handler {
		for _, name := range pickOf(d, most, muxMiddlewares) {
			if m := muxMiddlewares[name](d, w); !slices.Contains(without, name) {
				w.note("%s", name)
				h = m(h)
			}
		}
		return h
	}
	tried := func(register func()) (ok bool) {
		defer func() { ok = recover() == nil }() // patterns that conflict
		register()
		return true
	}
	inner := make([]*http.ServeMux, len(p.groups))
	for i, g := range p.groups {
		prefix := braces(g.segments, true)
		w.note("group %d %s: %s", i, prefix, ways[i])
		if inner[i] = top; ways[i] == "plain" {
			continue
		}
		inner[i] = http.NewServeMux()
		h := use(inner[i], 1, muxChanging...)
		if ways[i] == "stripped" {
			h = http.StripPrefix(prefix, h)
		}
		if p.gates == "groups" || p.gates == "some groups" && i > 0 {
			h = use(gate(h), 1, muxChanging...)
		}
		if !tried(func() { top.Handle(pick(d, "", "", "app.example")+prefix+"/", h) }) {
			return nil
		}
	}
	routes := 0
	for _, rt := range p.routes {
		w.note("%s", rt.name)
		h := http.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !w.open && p.gates == "check" && httpauth.Check(rw, r, w.guard, w) != nil {
				return
			}
			made := ""
			for _, s := range segments(rt) {
				made += "/" + s.text + r.PathValue(s.param)
			}
			_, _ = fmt.Fprint(rw, w.servedPath(rt.name, rt.pattern, made, who(r.Header.Get("Authorization")), w.plan.guarded(rt)))
		}))
		h = use(h, 1, muxChanging...)
		grouped := (p.gates == "groups" || p.gates == "some groups" && rt.group > 0) && ways[rt.group] == "plain"
		if strings.Contains(p.gates, "routes") || grouped {
			h = gate(h)
		}
		h = use(h, 1, muxChanging...)
		pattern := cmp.Or(braces(p.whole(rt), true), "/{$}")
		if ways[rt.group] == "stripped" {
			pattern = cmp.Or(braces(rt.segments, true), "/{$}")
		}
		if len(rt.segments) > 0 && !rt.segments[len(rt.segments)-1].rest && d.chance(15) {
			pattern += "/{$}"
			rt.pattern += "/{$}"
		}
		host := pick(d, "", "", "", "app.example")
		methods := rt.methods
		if methods == nil {
			methods = []string{""}
		} else if slices.Contains(methods, "GET") {
			methods = slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return m == "HEAD" })
		}
		for _, m := range methods {
			if tried(func() { inner[rt.group].Handle(strings.TrimSpace(m+" "+host+pattern), h) }) {
				routes++
			}
		}
	}
	if routes == 0 {
		return nil
	}
	h := http.Handler(top)
	front := muxChanging
	switch p.gates {
	case "app", "app, routes", "named", "around":
		h = gate(use(h, 1, muxChanging...))
		if !w.byPath {
			w.byPath, w.deny = true, []string{"secret"}
		}
	case "optional, routes", "check":
		h = optional(h)
		front = nil
	case "groups", "routes":
		front = nil
	}
	w.note("front")
	return serveHTTP(use(h, 2, front...))
}

func TestAppsOnServeMux(t *testing.T) {
	runApps(t, "net/http", buildMux, 20, false, func(w *world, _ request, _, _ answer) bool {
		return slices.ContainsFunc(w.notes, func(s string) bool { return slices.Contains(muxChanging, s) })
	})
}
