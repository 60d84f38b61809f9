package httpauth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// mounts are the ways in which something may answer for paths below /files.
var mounts = map[string]func(mux *http.ServeMux, gate httpauth.Middleware){
	"subtree": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("/files/", gate(http.FileServerFS(authtest.MountFiles)))
	},
	"subtree of GET": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("GET /files/", gate(http.FileServerFS(authtest.MountFiles)))
	},
	"subtree of a host": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("app.example/files/", gate(http.FileServerFS(authtest.MountFiles)))
	},
	"everything": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("/", gate(http.FileServerFS(authtest.MountFiles)))
	},
	"rest": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("/files/{rest...}", gate(serveFile("rest")))
	},
	"segments": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("/files/{dir}/{name}", gate(serveFile("dir", "name")))
	},
	"segment, rest": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("/files/{dir}/{rest...}", gate(serveFile("dir", "rest")))
	},
	"host, segments": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("GET app.example/files/{dir}/{name}", gate(serveFile("dir", "name")))
	},
	"beside literals": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("/files/public/y.txt", serveFile())
		mux.Handle("/files/{dir}/{name}", gate(serveFile("dir", "name")))
	},
	"stripped inside": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("/files/", gate(http.StripPrefix("/files", http.FileServerFS(authtest.MountFiles))))
	},
	"mux in mux": func(mux *http.ServeMux, gate httpauth.Middleware) {
		inner := http.NewServeMux()
		inner.Handle("GET /files/{dir}/{name}", gate(serveFile("dir", "name")))
		mux.Handle("/files/", inner)
	},
	"mux in mux, gate between": func(mux *http.ServeMux, gate httpauth.Middleware) {
		inner := http.NewServeMux()
		inner.Handle("GET /files/{dir}/{name}", serveFile("dir", "name"))
		mux.Handle("/files/{dir}/{name}", gate(inner))
	},
	"TimeoutHandler": func(mux *http.ServeMux, gate httpauth.Middleware) {
		mux.Handle("/files/{rest...}", http.TimeoutHandler(gate(serveFile("rest")), authtest.TimeLimit(time.Minute), ""))
	},
}

func serveFile(names ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var values []string
		for _, name := range names {
			values = append(values, r.PathValue(name))
		}
		_, _ = io.WriteString(w, authtest.MountFile(values...))
	})
}

// TestMounts: whatever a handler is mounted with, inside the mux or with the gate
// around it, no spelling of a path gets round a rule.
func TestMounts(t *testing.T) {
	odd := 2
	if testing.Short() {
		odd = 1
	}
	for mounted, mount := range mounts {
		t.Run(mounted, func(t *testing.T) {
			t.Parallel()
			for _, relaxed := range []bool{false, true} {
				inside, around := http.NewServeMux(), http.NewServeMux()
				gate := httpauth.Authorize(authtest.MountGuard(t, relaxed))
				mount(inside, gate)
				authtest.CheckMount(t, "gate inside", inside, odd, "")
				mount(around, func(h http.Handler) http.Handler { return h })
				authtest.CheckMount(t, "gate around", gate(around), odd, "")
			}
		})
	}
}

// TestMethodsChangedInsideTheMux: the handler that runs is that of the method in
// the pattern.
func TestMethodsChangedInsideTheMux(t *testing.T) {
	override := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if m := r.Header.Get("X-HTTP-Method-Override"); m != "" {
				r.Method = m
			}
			h.ServeHTTP(w, r)
		})
	}
	for pattern, want := range map[string]int{
		"POST /files/{id}": 400, "POST example.com/files/{id}": 400, "POST\t/files/{id}": 400, "/files/{id}": 204,
		"POST /files/": 400, "POST /files/{path...}": 400, "/files/": 204,
	} {
		for becomes, status := range map[string]int{"": 204, "GET": want, "POST": 204} {
			mux := http.NewServeMux()
			mux.Handle(pattern, override(httpauth.Authorize(authtest.MountGuard(t, false))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
			}))))
			r := httptest.NewRequest("POST", "/files/7", nil)
			r.Header.Set("Authorization", "Name alice")
			r.Header.Set("X-HTTP-Method-Override", becomes)
			w := httptest.NewRecorder()
			if mux.ServeHTTP(w, r); w.Code != status {
				t.Errorf("%s as %q: %d, want %d", pattern, becomes, w.Code, status)
			}
		}
	}
}

// TestRewrittenInsideTheMux: a handler that the mux has found for one path is not
// judged by another one, or other values, that a middleware has put there; a prefix may
// be stripped.
func TestRewrittenInsideTheMux(t *testing.T) {
	to := func(path string) httpauth.Middleware {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL.Path = path
				h.ServeHTTP(w, r)
			})
		}
	}
	value := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.SetPathValue("name", "secret")
			r.SetPathValue("na", "files")
			h.ServeHTTP(w, r)
		})
	}
	end := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.SetPathValue("name", "secret/"+strings.TrimPrefix(r.URL.Path, "/"))
			h.ServeHTTP(w, r)
		})
	}
	replace := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL = &url.URL{Path: "/public"}
			h.ServeHTTP(w, r)
		})
	}
	strip := func(h http.Handler) http.Handler { return http.StripPrefix("/files", h) }
	nothing := func(h http.Handler) http.Handler { return h }
	for _, tt := range []struct {
		pattern, path string
		inside        httpauth.Middleware
		want          int
	}{
		{"/files/secret", "/files/secret", to("/public"), 403},
		{"/files/secret", "/files/secret", to("/files/:public"), 403},
		{"GET /files/{name}", "/files/secret", to("/public"), 403},
		{"GET /files/{name}", "/files/secret", to("/files/secret.json"), 403},
		{"example.com/{top}/{name}", "/files/secret", to("/files"), 403},
		{"/{top}/secret/{$}", "/files/secret/", to("/public/secret/"), 403},
		{"/files/{name}", "/files/s%65cret", to("/public"), 400},
		{"/files/{name}", "/files/public", to("/files/:secret"), 204},
		{"/files/{name}", "/files/public", value, 403},
		{"/files/{name}", "/files/public", to("/other"), 204},
		{"/files/{name}", "/files/%7Bname%7D", value, 403},
		{"/{na}/{name}", "/other/secret", value, 403},
		{"/{na}/{name}", "/other/public", value, 403},
		{"/files/{name}", "/files/public", end, 403},   // the path is its end all the same
		{"/files/{name}", "/files/secret", strip, 204}, // the path is /secret
		{"/files/{name}", "/files/secret", nothing, 403},
		{"/files/{name}/{$}", "/files/public/", nothing, 204},
		{"/f%69les/{name}", "/files/public", nothing, 204},
		{"/files/a%20b/{name}", "/files/a%20b/c%3Ad", nothing, 204},
		{"/files/a%20b/{name}", "/files/a b/c", nothing, 204},
		{"/files/:name", "/files/:name", nothing, 204},
		{"/files/{name...}", "/files/secret", to("/public"), 403},
		{"/files/{name...}", "/files/secret/x", to("/files/secret/x.json"), 403},
		{"GET example.com/files/{name...}", "/files/secret", to("/files"), 403},
		{"/{name...}", "/files/secret", to("/public"), 403},
		{"/{na}/{name...}", "/files/secret", to("/public"), 403},
		{"/{na}/{name...}", "/other/secret", value, 403},
		{"/files/{name...}", "/files/public", value, 403},
		{"/files/{name...}", "/files/public", end, 403},
		{"/files/{name...}", "/files/s%65cret", to("/public"), 400},
		{"/files/{name...}", "/files/public", to("/other"), 204},
		{"/files/{name...}", "/files/secret", strip, 204}, // the path is /secret
		{"/files/{name...}", "/files/secret", nothing, 403},
		{"/files/{name...}", "/files/", nothing, 204},
		{"/files/{name...}", "/files/public/x/", nothing, 204},
		{"/files/a%20b/{name...}", "/files/a%20b/c%3Ad/e", nothing, 204},
		{"/{name...}", "/", nothing, 204},
		{"/files/{na}/", "/files/secret/x", to("/public"), 403},
		{"/files/{na}/", "/files/secret/", to("/files/secret.json"), 403},
		{"/files/{na}/", "/files/secret", to("/public"), 307}, // by the mux
		{"/{na}/{name}/", "/files/secret/x", to("/public"), 403},
		{"GET example.com/{na}/", "/files/secret/x?y", to("/files"), 204}, // but for its slash, what was matched
		{"GET example.com/{na}/", "/files/secret/x?y", to("/public"), 403},
		{"/{na}/", "http://example.com/files/secret/x", to("/public"), 403},
		{"/{na}/", "/files/secret/x", to("/filessecret"), 403},
		{"/{na}/", "/files/s%65cret/x", to("/public"), 400},
		{"/{na}/", "/files/s%65cret/x", replace, 403},
		{"/{na}/", "/files/secret%2Fx", replace, 400}, // has an encoded slash
		{"/{na}/", "/files/public/x", to("/other"), 204},
		{"/{na}/", "/files/secret/x", to("/files/public"), 204}, // which the handler serves
		{"/{na}/", "/other/secret", value, 400},
		{"/{na}/", "/other/files/x", value, 400},
		{"/{na}/", "/files/secret", strip, 204}, // the path is /secret
		{"/{na}/", "/files/", strip, 204},
		{"/files/{na}/", "/files/secret/x", strip, 204},
		{"/files/{na}/", "/files/secret/x", nothing, 403},
		{"/{na}/", "/files/secret/x", nothing, 403},
		{"/{na}/", "/files/public/x/", nothing, 204},
		{"/{na}/", "/f%69les/public", nothing, 204},
		{"/{na}/", "/a%20b/c%3Ad/e", nothing, 204},
		{"/a%20b/{na}/", "/a%20b/c%3Ad/e", nothing, 204},
	} {
		mux := http.NewServeMux()
		mux.Handle(tt.pattern, tt.inside(httpauth.Authorize(authtest.MountGuard(t, false))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}))))
		r := httptest.NewRequest("GET", strings.ReplaceAll(tt.path, " ", "%20"), nil)
		r.Header.Set("Authorization", "Name alice")
		w := httptest.NewRecorder()
		if mux.ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("%s, %s: %d, want %d, %s", tt.pattern, tt.path, w.Code, tt.want, w.Body)
		}
	}
}

// TestRewrittenBehindAPrefix: what was sent begins with something that the mux does not
// know, and is not judged in place of what it has matched.
func TestRewrittenBehindAPrefix(t *testing.T) {
	gated := httpauth.Authorize(authtest.MountGuard(t, false))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	for _, tt := range []struct {
		sent, becomes string
		want          int
	}{
		{"/v1/files/secret/x", "/files/secret/x", 403},
		{"/v1/files/secret/x", "/files/secret/y", 403},
		{"/v1/files/secret/x", "/secret/x", 204}, // a prefix is stripped
		{"/v1/files/secret/x", "/x", 204},
		{"/v1/files/secret/x", "/y", 400},
		{"/v1/files/secret/x", "/files/public/x", 400},
		{"/v1/files/secret/x", "/v1/files/secret/x", 400},
		{"", "/files/secret/x", 403}, // of a request that was not sent
		{"", "/x", 400},
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("/{top}/{name}/", func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = tt.becomes
			gated.ServeHTTP(w, r)
		})
		r := httptest.NewRequest("GET", "/v1/files/secret/x", nil)
		r.RequestURI = tt.sent
		r.Header.Set("Authorization", "Name alice")
		w := httptest.NewRecorder()
		if http.StripPrefix("/v1", mux).ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("%q becomes %q: %d, want %d, %s", tt.sent, tt.becomes, w.Code, tt.want, w.Body)
		}
	}
}

// TestPatternsOfOtherRouters: what a router such as chi says it has matched, as pattern
// and path values, is judged beside the path, which a middleware may have changed for it.
func TestPatternsOfOtherRouters(t *testing.T) {
	gate := httpauth.Authorize(authtest.MountGuard(t, false))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	for _, tt := range []struct {
		pattern, path string
		values        []string
		want          int
	}{
		{"/files/*", "/files/public", []string{"*", "public"}, 204},
		{"/files/*", "/files/public/", []string{"*", "public"}, 204},
		{"/files/*", "/files/public", []string{"*", "public/"}, 204},
		{"/files/*", "/files/", []string{"*", ""}, 204},
		{"/files/*", "/files", []string{"*", ""}, 204},
		{"/*", "/", []string{"*", ""}, 204},
		{"/files/*", "/files/secret.secret", []string{"*", "secret"}, 403},
		{"/files/*", "/files/s%65cret.secret", []string{"*", "secret"}, 400},
		{"/files/*", "/v/files/secret", []string{"*", "secret"}, 403},
		{"/files/*", "/filessecret", []string{"*", "secret"}, 403},
		{"/files/*", "/secret", []string{"*", "secret"}, 204}, // the prefix is stripped
		{"/files*", "/filessecret", []string{"*", "secret"}, 403},
		{"/files*", "/filessecret.secret", []string{"*", "secret"}, 403},
		{"/files*", "/files/secret.json", []string{"*", "/secret"}, 403},
		{"/files*", "/secret", []string{"*", "/secret"}, 204},
		{"/{top}/*", "/files/secret.xsecret", []string{"top", "files", "*", "secret"}, 403},
		{"/{top:[a-z]*}/*", "/files/public", []string{"top", "files", "*", "public"}, 204},
		{"/{top:[a-z]*}/*", "/files/secret.", []string{"top", "files", "*", "secret"}, 403},
		{"/files/{name:....}", "/files/secret.json", []string{"name", "secret"}, 403},
		{"/files/{name:[^/:]+}", "/files/secret.json", []string{"name", "secret"}, 403},
		{"/files/{name:[a-z]{6}}", "/files/secret.json", []string{"name", "secret"}, 403},
		{"/files/{name:[a-z]{6}}", "/files/public", []string{"name", "public"}, 204},
		{"/{name:[^/]+}/{name}", "/files/secret", []string{"name", "secret"}, 403},
		{"/{name:[^/]+}/{name}", "/files/secret.json", []string{"name", "secret"}, 403},
		{"/{name:[^/]+}/{name}", "/files/public.json", []string{"name", "public"}, 204},
		{"/files/{name:[^/]+}", "/%5D+%7D", []string{"name", "secret"}, 403},
		{"/{name}/{name}", "/v/secret/secret", []string{"name", "secret"}, 400},
		{"/{name}/{name}", "/v/files/secret", []string{"name", "secret"}, 400},
		{"/{name}/{name}/*", "/files/secret/x.json", []string{"name", "secret", "*", "x"}, 403},
		{"/{name}/{name}/*", "/v/files/secret/x", []string{"name", "secret", "*", "x"}, 400},
		{"/{name}-{x}/{name}", "/files-a/public", []string{"name", "public", "x", "a"}, 400},
		// Those of a router inside another one, at /files.
		{"/{name}", "/files/public", []string{"name", "public"}, 204},
		{"/{name}", "/files/secret", []string{"name", "secret"}, 403},
		{"/{name}", "/files/public.json", []string{"name", "public"}, 204},
		{"/{name}", "/files/secret.json", []string{"name", "secret"}, 403},
		{"/{name}", "/files/secret.secret", []string{"name", "secret"}, 403},
		{"/{name}", "/v/files/secret.json", []string{"name", "secret"}, 403},
		{"/{name}", strings.Repeat("/v", 17) + "/public", []string{"name", "public"}, 400},
		{"/secret", "/files/secret.json", nil, 403},
		{"/secret", "/v/files/secret", nil, 403},
		{"/*", "/files/secret.json", []string{"*", "secret"}, 403},
		{"/*", "/v/files/secret/x/", []string{"*", "secret/x/"}, 403},
		{"/{x}/*", "/files/secret/x.json", []string{"x", "secret", "*", "x"}, 403},
		{"/*", "/files/public/x.json", []string{"*", "public/x"}, 204},
		{"/secret*", "/files/secretx", []string{"*", "x"}, 403},
		{"/secret*", "/v/files/secretx.json", []string{"*", "x"}, 403},
		{"/public*", "/files/publicx", []string{"*", "x"}, 204},
		{"/*", "/files/secret/.json", []string{"*", "secret/"}, 403},
		{"/*", "/files/public/.json", []string{"*", "public/"}, 204},
		{"/*", "/files/secret/.json", []string{"*", ""}, 403},
		{"/*", "/v/files/secret/.json/", []string{"*", ""}, 403},
		{"/*", "/files/secret/", []string{"*", ""}, 403},
		{"/*", "/files/public/.json", []string{"*", ""}, 204},
		{"/{name}", "/files/secret/.json", []string{"name", "secret"}, 403},
		{"/{x}/*", "/files/secret/x/.json", []string{"x", "secret", "*", "x/"}, 403},
		{"/secret*", "/v/files/secretx/.json", []string{"*", "x/"}, 403},
		{"/secret*", "/v/files/secretx/", []string{"*", "x/"}, 403},
		{"/*", "/v/files/secret.json/.json", []string{"*", "secret"}, 403},
		{"/*", "/v/files/secret/.json/.json", []string{"*", ""}, 403},
		{"/public*", "/v/files/publicx/", []string{"*", "x/"}, 204},
	} {
		r := httptest.NewRequest("GET", tt.path, nil)
		r.Pattern = tt.pattern
		for i := 0; i < len(tt.values); i += 2 {
			r.SetPathValue(tt.values[i], tt.values[i+1])
		}
		r.Header.Set("Authorization", "Name alice")
		w := httptest.NewRecorder()
		if gate.ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("%s, %q, %s: %d, want %d, %s", tt.pattern, tt.values, tt.path, w.Code, tt.want, w.Body)
		}
	}
}
