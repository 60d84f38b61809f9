package authtest

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// NetHTTP returns net/http's ServeMux with core/httpauth.
func NetHTTP() Framework {
	f := HTTPRouter("net/http", serveMux)
	f.Spellings = map[string]int{
		"/files/x/../secret":       307,
		"/files/./secret":          307,
		"/files/..":                307,
		"/files//secret":           307,
		"//files/secret":           307,
		"/files/secret//":          307,
		"/admin/7/":                404,
		"/files/public#/../secret": 307,
	}
	return f
}

// HTTPRoute is a route for a router on net/http. Pattern is as in [Route] and includes the
// group; no Methods means all. Handler includes the gates.
type HTTPRoute struct {
	Methods []string
	Pattern string
	Handler http.Handler
}

// HTTPRouter returns the framework for a router of net/http handlers with core/httpauth.
// build makes the router from routes and from a handler for other paths, which may be nil.
// In front of each Handler the request needs its Pattern and path values: build sets them
// if the router does not. What a final "/*" has matched is the value "rest" or "*".
func HTTPRouter(name string, build func(routes []HTTPRoute, notFound http.Handler) http.Handler) Framework {
	return Framework{
		Name: name, Package: "httpauth", Writers: muxWriters, LongLived: muxLongLived, Pattern: muxPattern, RoutesBehindUse: true, HTTP2: true,
		Serve: func(t testing.TB, l net.Listener, app App) {
			ServeHTTP(t, l, routed(app, build))
		},
		Form: func(x Exchange) (*multipart.Form, error) { return ParseForm(x.(muxExchange).r) },
		Native: func(h Handler) any {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = h(muxExchange{w, r}) // the handler has written the answer
			})
		},
	}
}

func routed(app App, build func([]HTTPRoute, http.Handler) http.Handler) http.Handler {
	mounts := Mounts[httpauth.Middleware]{
		Authenticate: httpauth.Authenticate, Optional: httpauth.Optional,
		Authorize: httpauth.Authorize, Require: httpauth.Require,
	}
	around := func(h http.Handler, gates []Gate) http.Handler {
		for _, m := range slices.Backward(mounts.All(gates)) {
			h = m(h)
		}
		return h
	}
	var routes []HTTPRoute
	for _, tree := range app.Trees {
		h := tree.Handler
		if tree.Dir != "" {
			h = http.StripPrefix(tree.Prefix, http.FileServer(http.Dir(tree.Dir)))
		}
		routes = append(routes, HTTPRoute{nil, tree.Prefix + "/*", around(h, tree.Gates)})
	}
	for _, rt := range app.Routes {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = rt.Handle(muxExchange{w, r}) // the handler has written the answer
		})
		routes = append(routes, HTTPRoute{rt.Methods, rt.Group + rt.Pattern, around(h, slices.Concat(rt.GroupGates, rt.Gates))})
	}
	notFound, _ := app.NotFound.(http.Handler)
	h := around(build(routes, notFound), app.Use)
	for _, before := range slices.Backward(app.Before) {
		next := h
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = before(muxExchange{w, r}) // an error changes nothing that was written
			next.ServeHTTP(w, r)
		})
	}
	for _, after := range app.After {
		inner := h
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(w, r)
			_ = after(muxExchange{w, r}) // an error changes nothing that was written
		})
	}
	return h
}

func serveMux(routes []HTTPRoute, notFound http.Handler) http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		pattern := muxPattern(rt.Pattern)
		if rt.Methods == nil {
			mux.Handle(pattern, rt.Handler)
		}
		for _, method := range rt.Methods {
			if method != http.MethodHead || !slices.Contains(rt.Methods, http.MethodGet) {
				mux.Handle(method+" "+pattern, rt.Handler)
			}
		}
	}
	if notFound != nil {
		mux.Handle("/", notFound)
	}
	return mux
}

// muxWriters are the ways to write a response with net/http.
var muxWriters = map[string]Handler{
	"stream": func(x Exchange) error { return WriteStream(x.(muxExchange).w) },
	"file":   func(x Exchange) error { return WriteFile(x.(muxExchange).w, x.(muxExchange).r) },
	"hijack": func(x Exchange) error { return WriteHijacked(x.(muxExchange).w) },
	"redirect": func(x Exchange) error {
		http.Redirect(x.(muxExchange).w, x.(muxExchange).r, "/late", http.StatusFound)
		return nil
	},
}

// muxLongLived are the ways to keep writing with net/http.
var muxLongLived = map[string]func(Exchange, func(io.Writer)) error{
	"stream": func(x Exchange, serve func(io.Writer)) error { return KeepStreaming(x.(muxExchange).w, serve) },
	"hijack": func(x Exchange, serve func(io.Writer)) error { return KeepHijacked(x.(muxExchange).w, serve) },
}

// WriteStream answers in several flushed parts, for frameworks on net/http.
func WriteStream(w http.ResponseWriter) error {
	if err := http.NewResponseController(w).Flush(); err != nil { // which sends the header
		return err
	}
	for range 3 {
		if _, err := io.WriteString(w, later); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
	return nil
}

// WriteFile answers with a file, for frameworks on net/http.
func WriteFile(w http.ResponseWriter, r *http.Request) error {
	http.ServeContent(w, r, "late.txt", time.Unix(1, 0), strings.NewReader(later))
	_, err := io.Copy(w, strings.NewReader("")) // like ServeContent while it seeks
	return err
}

// WriteHijacked hijacks the connection and answers on it, for frameworks on net/http.
func WriteHijacked(w http.ResponseWriter) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "+strconv.Itoa(len(later))+"\r\n\r\n"+later)
	return errors.Join(err, conn.Close())
}

// ParseForm parses the form of r and stores its files on disk, for frameworks on net/http.
func ParseForm(r *http.Request) (*multipart.Form, error) {
	err := r.ParseMultipartForm(1)
	return r.MultipartForm, err
}

// muxPattern converts a neutral pattern to ServeMux's syntax.
func muxPattern(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		switch {
		case s == "*":
			segments[i] = "{rest...}"
		case strings.HasPrefix(s, ":"):
			segments[i] = "{" + s[1:] + "}"
		}
	}
	p := strings.Join(segments, "/")
	if strings.HasSuffix(p, "/") {
		p += "{$}"
	}
	return p
}

type muxExchange struct {
	w http.ResponseWriter
	r *http.Request
}

func (x muxExchange) Context() context.Context       { return x.r.Context() }
func (x muxExchange) SetContext(ctx context.Context) { *x.r = *x.r.WithContext(ctx) }
func (x muxExchange) Principal() *core.Principal     { return httpauth.Principal(x.r) }
func (x muxExchange) SetHeader(name, value string)   { x.w.Header().Set(name, value) }
func (x muxExchange) AddHeader(name, value string)   { x.w.Header().Add(name, value) }

func (x muxExchange) Param(name string) string {
	if rest := x.r.PathValue("rest"); name == "*" && rest != "" {
		return rest // other routers name it "*"
	}
	return x.r.PathValue(name)
}

func (x muxExchange) Check(g *core.Guard, rules ...core.Authorizer) error {
	return httpauth.Check(x.w, x.r, g, rules...)
}

func (x muxExchange) Request() core.Request { return httpauth.Request(x.r) }

func (x muxExchange) AddFields(fields ...core.Field) { httpauth.AddFields(x.w.Header(), fields...) }

func (x muxExchange) Serve(e core.Endpoint) error {
	httpauth.Serve(e).ServeHTTP(x.w, x.r)
	return nil
}

func (x muxExchange) Text(status int, body string) error {
	x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	x.w.WriteHeader(status)
	_, err := x.w.Write([]byte(body))
	return err
}
