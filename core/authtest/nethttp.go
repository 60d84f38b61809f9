package authtest

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// NetHTTP is net/http's ServeMux with core/httpauth.
func NetHTTP() Framework {
	return Framework{Name: "net/http", Serve: serveMux, Native: func(h Handler) any {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = h(muxExchange{w, r}) // the answer is written
		})
	}}
}

func serveMux(t testing.TB, l net.Listener, app App) {
	mounts := Mounts[httpauth.Middleware]{
		Authenticate: httpauth.Authenticate, Optional: httpauth.Optional,
		Authorize: httpauth.Authorize, Require: httpauth.Require,
	}
	mux := http.NewServeMux()
	for _, tree := range app.Trees {
		h := tree.Handler
		if tree.Dir != "" {
			h = http.StripPrefix(tree.Prefix, http.FileServer(http.Dir(tree.Dir)))
		}
		for _, m := range slices.Backward(mounts.All(tree.Gates)) {
			h = m(h)
		}
		mux.Handle(tree.Prefix+"/", h)
	}
	for _, rt := range app.Routes {
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = rt.Handle(muxExchange{w, r}) // the answer is written
		})
		gates := slices.Concat(rt.GroupGates, rt.Gates)
		for _, m := range slices.Backward(mounts.All(gates)) {
			h = m(h)
		}
		pattern := muxPattern(rt.Group + rt.Pattern)
		if rt.Methods == nil {
			mux.Handle(pattern, h)
		}
		for _, method := range rt.Methods {
			if method != http.MethodHead || !slices.Contains(rt.Methods, http.MethodGet) {
				mux.Handle(method+" "+pattern, h)
			}
		}
	}
	if h, ok := app.NotFound.(http.Handler); ok {
		mux.Handle("/", h)
	}
	var h http.Handler = mux
	for _, m := range slices.Backward(mounts.All(app.Use)) {
		h = m(h)
	}
	for _, before := range slices.Backward(app.Before) {
		next := h
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = before(muxExchange{w, r}) // what it wrote stands
			next.ServeHTTP(w, r)
		})
	}
	ServeHTTP(t, l, h)
}

// muxPattern is a neutral pattern in ServeMux's spelling.
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

func (x muxExchange) Context() context.Context     { return x.r.Context() }
func (x muxExchange) Principal() *core.Principal   { return httpauth.Principal(x.r) }
func (x muxExchange) SetHeader(name, value string) { x.w.Header().Set(name, value) }
func (x muxExchange) AddHeader(name, value string) { x.w.Header().Add(name, value) }

func (x muxExchange) Param(name string) string {
	if name == "*" {
		name = "rest"
	}
	return x.r.PathValue(name)
}

func (x muxExchange) Check(g *core.Guard, rules ...core.Authorizer) error {
	return httpauth.Check(x.w, x.r, g, rules...)
}

func (x muxExchange) Request() core.Request { return httpauth.Request(x.r) }

func (x muxExchange) AddFields(fields ...core.Field) { httpauth.AddFields(x.w.Header(), fields) }

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
