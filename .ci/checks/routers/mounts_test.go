package routers_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/mux"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// mount makes a router with something in it that answers for paths below /files.
type mount func(gate httpauth.Middleware) http.Handler

// chiMounts are ways to mount on chi, on a router which may have middleware in front
// of the gate.
var chiMounts = map[string]func(r chi.Router, gate httpauth.Middleware){
	"segments": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Get("/files/{dir}/{name}", serveFile("dir", "name"))
	},
	"expressions": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Get("/files/{dir:[^/]+}/{name:.+}", serveFile("dir", "name"))
	},
	"halves of a segment": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Get("/files/{dir}/{first:[a-z%0-9]}{name}", serveFile("dir", "name"))
	},
	"any method": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Handle("/files/{dir}/{name}", serveFile("dir", "name"))
	},
	"rest": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Get("/files/*", serveFile("*"))
	},
	"rest of a part of a segment": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Get("/files*", serveFile("*"))
	},
	"segment, rest": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Get("/files/{dir}/*", serveFile("dir", "*"))
	},
	"beside literals": func(r chi.Router, gate httpauth.Middleware) {
		r.Get("/files/public/y.txt", serveFile())
		r.With(gate).Get("/files/{dir}/{name}", serveFile("dir", "name"))
	},
	"group": func(r chi.Router, gate httpauth.Middleware) {
		r.Group(func(r chi.Router) {
			r.Use(gate)
			r.Get("/files/{dir}/{name}", serveFile("dir", "name"))
		})
	},
	"Route": func(r chi.Router, gate httpauth.Middleware) {
		r.Route("/files/{dir}", func(r chi.Router) {
			r.With(gate).Get("/{name}", serveFile("dir", "name"))
		})
	},
	"Use in Route": func(r chi.Router, gate httpauth.Middleware) {
		r.Route("/files", func(r chi.Router) {
			r.Use(gate)
			r.Get("/{dir}/{name}", serveFile("dir", "name"))
		})
	},
	"mounted router": func(r chi.Router, gate httpauth.Middleware) {
		inner := chi.NewRouter()
		inner.With(gate).Get("/{dir}/{name}", serveFile("dir", "name"))
		r.Mount("/files", inner)
	},
	"one name twice": func(r chi.Router, gate httpauth.Middleware) {
		inner := chi.NewRouter()
		inner.With(gate).Get("/{name}/{file}", serveFile("name", "file"))
		r.Mount("/{name:files}", inner)
	},
	"gate around a mounted router": func(r chi.Router, gate httpauth.Middleware) {
		inner := chi.NewRouter()
		inner.Get("/{dir}/{name}", serveFile("dir", "name"))
		r.With(gate).Mount("/files", inner)
	},
	"files": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Handle("/files/*", http.StripPrefix("/files", http.FileServerFS(authtest.MountFiles)))
	},
	"files behind a part of a segment": func(r chi.Router, gate httpauth.Middleware) {
		r.With(gate).Handle("/files*", http.StripPrefix("/files", http.FileServerFS(authtest.MountFiles)))
	},
	"ServeMux": func(r chi.Router, gate httpauth.Middleware) {
		inner := http.NewServeMux()
		inner.Handle("/files/{dir}/{name}", gate(serveFile("dir", "name")))
		r.Mount("/", inner)
	},
	"NotFound": func(r chi.Router, gate httpauth.Middleware) {
		r.Get("/other", serveFile())
		r.NotFound(gate(http.FileServerFS(authtest.MountFiles)).ServeHTTP)
	},
	"MethodNotAllowed": func(r chi.Router, gate httpauth.Middleware) {
		r.Post("/files/*", serveFile())
		r.MethodNotAllowed(gate(http.FileServerFS(authtest.MountFiles)).ServeHTTP)
	},
}

// chiInFront are middlewares in front of chi's routes that change what they match.
var chiInFront = map[string][]func(http.Handler) http.Handler{
	"nothing": nil, "CleanPath": {middleware.CleanPath}, "StripSlashes": {middleware.StripSlashes}, "GetHead": {middleware.GetHead},
	"StripPrefix of nothing": {middleware.StripPrefix("")}, "URLFormat": {middleware.URLFormat},
}

var gorillaMounts = map[string]func(r *mux.Router, gate httpauth.Middleware){
	"segments": func(r *mux.Router, gate httpauth.Middleware) {
		r.Handle("/files/{dir}/{name}", gate(serveVars("dir", "name")))
	},
	"expressions": func(r *mux.Router, gate httpauth.Middleware) {
		r.Handle("/files/{dir}/{name:.+}", gate(serveVars("dir", "name")))
	},
	"rest": func(r *mux.Router, gate httpauth.Middleware) {
		r.Handle("/files/{rest:.*}", gate(serveVars("rest")))
	},
	"prefix": func(r *mux.Router, gate httpauth.Middleware) {
		r.PathPrefix("/files/").Handler(gate(http.StripPrefix("/files", http.FileServerFS(authtest.MountFiles))))
	},
	"Subrouter": func(r *mux.Router, gate httpauth.Middleware) {
		sub := r.PathPrefix("/files").Subrouter()
		sub.Use(mux.MiddlewareFunc(gate))
		sub.Handle("/{dir}/{name}", serveVars("dir", "name"))
	},
	"Use": func(r *mux.Router, gate httpauth.Middleware) {
		r.Use(mux.MiddlewareFunc(gate))
		r.Handle("/{top:files}/{dir}/{name}", serveVars("dir", "name")).Methods("GET")
	},
	"Host": func(r *mux.Router, gate httpauth.Middleware) {
		r.Host("{app}.example").Path("/files/{dir}/{name}").Handler(gate(serveVars("dir", "name")))
	},
	"NotFoundHandler": func(r *mux.Router, gate httpauth.Middleware) {
		r.NotFoundHandler = gate(http.FileServerFS(authtest.MountFiles))
	},
}

// gorillaRouters have each of gorilla/mux's options that change paths.
var gorillaRouters = map[string]func() *mux.Router{
	"no option":      mux.NewRouter,
	"UseEncodedPath": func() *mux.Router { return mux.NewRouter().UseEncodedPath() },
	"SkipClean":      func() *mux.Router { return mux.NewRouter().SkipClean(true) },
	"StrictSlash":    func() *mux.Router { return mux.NewRouter().StrictSlash(true) },
	"both":           func() *mux.Router { return mux.NewRouter().SkipClean(true).UseEncodedPath() },
}

func serveFile(names ...string) http.HandlerFunc {
	return serveBy(names, func(r *http.Request, name string) string { return chiOrPath(r, name) })
}

func chiOrPath(r *http.Request, name string) string {
	if v := chi.URLParam(r, name); v != "" {
		return v
	}
	return r.PathValue(name)
}

func serveVars(names ...string) http.HandlerFunc {
	return serveBy(names, func(r *http.Request, name string) string { return mux.Vars(r)[name] })
}

func serveBy(names []string, value func(r *http.Request, name string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var values []string
		for _, name := range names {
			values = append(values, value(r, name))
		}
		_, _ = io.WriteString(w, authtest.MountFile(values...))
	}
}

// TestMounts: whatever a handler is mounted with on chi and gorilla/mux, with the
// gate there or around it all, no spelling of a path gets round a rule.
func TestMounts(t *testing.T) {
	odd := 2
	if testing.Short() {
		odd = 1
	}
	check := func(t *testing.T, where string, build mount) {
		t.Helper()
		for _, relaxed := range []bool{false, true} {
			gate := httpauth.Authorize(authtest.MountGuard(t, relaxed))
			authtest.CheckMount(t, "gate inside", build(gate), odd, "")
			if strings.Contains(where, "part of a segment") || strings.Contains(where, "URLFormat") {
				continue // docs/nethttp.md has it: in front of the router nobody can know
			}
			authtest.CheckMount(t, "gate around", gate(build(func(h http.Handler) http.Handler { return h })), odd, "")
		}
	}
	for mounted, m := range chiMounts {
		for front, with := range chiInFront {
			t.Run("chi, "+mounted+", "+front, func(t *testing.T) {
				t.Parallel()
				check(t, mounted+", "+front, func(gate httpauth.Middleware) http.Handler {
					r := chi.NewRouter()
					r.Use(with...)
					m(r, gate)
					return r
				})
			})
		}
	}
	for mounted, m := range gorillaMounts {
		for option, router := range gorillaRouters {
			t.Run("gorilla/mux, "+mounted+", "+option, func(t *testing.T) {
				t.Parallel()
				check(t, mounted, func(gate httpauth.Middleware) http.Handler {
					r := router()
					m(r, gate)
					return r
				})
			})
		}
	}
}

// TestFormats: where a middleware in front has chi match another path than the one that
// was sent, both are judged.
func TestFormats(t *testing.T) {
	ways := map[string]func(r chi.Router, pattern string, gate httpauth.Middleware, serve http.Handler){
		"With": func(r chi.Router, pattern string, gate httpauth.Middleware, serve http.Handler) {
			r.With(gate).Handle(pattern, serve)
		},
		"Use in a group": func(r chi.Router, pattern string, gate httpauth.Middleware, serve http.Handler) {
			r.Group(func(r chi.Router) {
				r.Use(gate)
				r.Handle(pattern, serve)
			})
		},
		"Mount": func(r chi.Router, pattern string, gate httpauth.Middleware, serve http.Handler) {
			inner := chi.NewRouter()
			inner.With(gate).Handle(strings.TrimPrefix(pattern, "/files"), serve)
			r.Mount("/files", inner)
		},
		"Mount, gate in front of its routes": func(r chi.Router, pattern string, gate httpauth.Middleware, serve http.Handler) {
			inner := chi.NewRouter()
			inner.Use(gate)
			inner.Handle(strings.TrimPrefix(pattern, "/files"), serve)
			r.Mount("/files", inner)
		},
		"Mount, gate around it": func(r chi.Router, pattern string, gate httpauth.Middleware, serve http.Handler) {
			inner := chi.NewRouter()
			inner.Handle(strings.TrimPrefix(pattern, "/files"), serve)
			r.With(gate).Mount("/files", inner)
		},
		"Mount, one name twice": func(r chi.Router, pattern string, gate httpauth.Middleware, serve http.Handler) {
			inner := chi.NewRouter()
			inner.With(gate).Handle(strings.TrimPrefix(pattern, "/files"), serve)
			r.Mount("/{name:files}", inner)
		},
	}
	version := func(h http.Handler) http.Handler { // as an application may have it
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rest, ok := strings.CutPrefix(r.URL.Path, "/v"); ok {
				chi.RouteContext(r.Context()).RoutePath = rest
			}
			h.ServeHTTP(w, r)
		})
	}
	for way, add := range ways {
		for _, pattern := range []string{"/files/secret", "/files/{name}", "/files/{name:[a-z]+}", "/files/{first:[a-z]}{rest}", "/files/*", "/{top}/*", "/files*",
			"/files/{name:[^/:]+}", "/files/{name:s.....|p.....}", "/{top:[a-z]*}/*", "/{top}/{name}", "/{t}/{top}"} {
			if strings.HasPrefix(way, "Mount") && !strings.HasPrefix(pattern, "/files/") {
				continue
			}
			served := false
			r := chi.NewRouter()
			r.Use(version, middleware.URLFormat)
			add(r, pattern, httpauth.Authorize(authtest.MountGuard(t, false)), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true }))
			for path, want := range map[string]bool{
				"/files/secret": false, "/files/secret.json": false, "/files/secret.": false,
				"/files/secret.secret": false, "/files/secret.xsecret": false, "/files/secret.files": false,
				"/files/public.json": pattern != "/files/secret", "/files/public": pattern != "/files/secret",
				"/v/files/secret": false, "/v/files/secret.secret": false, "/v/files/secret.json": false,
				"/files/public.public": pattern != "/files/secret",
			} {
				served = false
				req := httptest.NewRequest("GET", path, nil)
				req.Header.Set("Authorization", "Name alice")
				w := httptest.NewRecorder()
				if r.ServeHTTP(w, req); served != want {
					t.Errorf("%s, %s: GET %s is served: %v, %d %s", way, pattern, path, served, w.Code, w.Body)
				}
			}
		}
	}
}
