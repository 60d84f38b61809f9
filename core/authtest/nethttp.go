package authtest

import (
	"context"
	"errors"
	"io"
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

// NetHTTP is net/http's ServeMux with core/httpauth.
func NetHTTP() Framework {
	return Framework{Name: "net/http", Serve: serveMux, Writers: muxWriters, Native: func(h Handler) any {
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
	for _, after := range app.After {
		inner := h
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(w, r)
			_ = after(muxExchange{w, r}) // what it wrote stands
		})
	}
	ServeHTTP(t, l, h)
}

// muxWriters are ways to answer with net/http.
var muxWriters = map[string]Handler{
	"stream": func(x Exchange) error { return WriteStream(x.(muxExchange).w) },
	"file":   func(x Exchange) error { return WriteFile(x.(muxExchange).w, x.(muxExchange).r) },
	"hijack": func(x Exchange) error { return WriteHijacked(x.(muxExchange).w) },
	"redirect": func(x Exchange) error {
		http.Redirect(x.(muxExchange).w, x.(muxExchange).r, "/late", http.StatusFound)
		return nil
	},
}

// WriteStream answers in pieces, each of which is flushed, for frameworks on
// net/http.
func WriteStream(w http.ResponseWriter) error {
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
	_, err := io.Copy(w, strings.NewReader("")) // as ServeContent does with what it seeks in
	return err
}

// WriteHijacked takes the connection over and answers by itself, for frameworks
// on net/http.
func WriteHijacked(w http.ResponseWriter) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "+strconv.Itoa(len(later))+"\r\n\r\n"+later)
	return errors.Join(err, conn.Close())
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
