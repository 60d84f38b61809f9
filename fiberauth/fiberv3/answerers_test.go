package fiberauth_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gofiber/fiber/v3/middleware/proxy"
	"github.com/gofiber/fiber/v3/middleware/static"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// Bodies of the handlers under test, and of the route next to them.
const (
	secret = "SECRET"
	public = "PUBLIC"
	beside = "BESIDE"
)

// answerer is a way to serve /secret/x.txt and /public.txt below a prefix.
type answerer struct {
	name  string
	mount func(to fiber.Router, prefix string, s *site)
	// pattern is the part of a route behind the prefix; empty if mounted by Use.
	pattern string
	// static is set if it serves files and passes all other requests on.
	static bool
	// lowered is set if Fiber keeps the prefix in lower case, as for mounted sub-apps.
	lowered bool
	// shared is set if it is unknown how much of a path it cuts off.
	shared bool
}

// site is the content that answerers serve.
type site struct {
	dir     string
	cut     int // length of the path before the content
	backend *fasthttp.Client
}

// content is the content below the prefix of path, for a handler that cuts off as many
// bytes as the prefix has.
func (s *site) content(path string) string {
	rest := strings.TrimLeft(path[min(s.cut, len(path)):], "/")
	if first, _, _ := strings.Cut(rest, "/"); first == "secret" {
		return secret
	}
	return public
}

func (s *site) answer(c fiber.Ctx) error {
	return c.SendString(s.content(string(c.RequestCtx().Path())))
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, s.content(r.URL.Path))
}

// sendFile serves a file named by the rest of the path.
func (s *site) sendFile(c fiber.Ctx) error {
	path := string(c.RequestCtx().Path())
	file := filepath.Join(s.dir, path[min(s.cut, len(path)):])
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return c.SendStatus(http.StatusNotFound)
	}
	return c.SendFile(file)
}

// forward proxies to another server.
func (s *site) forward(c fiber.Ctx) error {
	return proxy.Do(c, "http://backend/?"+s.content(string(c.RequestCtx().Path())), s.backend)
}

// uncached keeps no files open: by default each app does so for ten seconds, and there
// are thousands.
var uncached = static.Config{CacheDuration: -1}

var answerers = []answerer{
	{name: "route", pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) { to.Get(prefix+"/*", s.answer) }},
	{name: "group", pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) { to.Group(prefix).Get("/*", s.answer) }},
	{name: "Route", pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) {
		to.Route(prefix, func(r fiber.Router) { r.Get("/*", s.answer) })
	}},
	{name: "RouteChain", pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) {
		to.RouteChain(prefix).RouteChain("/*").Get(s.answer)
	}},
	{name: "SendFile", pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) { to.Get(prefix+"/*", s.sendFile) }},
	{name: "net/http on a route", pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) {
		to.All(prefix+"/*", http.Handler(s))
	}},
	{name: "fasthttp on a route", pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) {
		to.Get(prefix+"/*", fasthttp.RequestHandler(func(ctx *fasthttp.RequestCtx) {
			ctx.SetBodyString(s.content(string(ctx.Path())))
		}))
	}},
	{name: "Express on a route", pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) {
		to.Get(prefix+"/*", passOn, func(_ fiber.Req, res fiber.Res, next func() error) error { return next() }, s.answer)
	}},
	{name: "mounted sub-app", pattern: "/*", lowered: true, mount: func(to fiber.Router, prefix string, s *site) {
		sub := fiber.New()
		sub.Get("/*", s.answer)
		to.Use(prefix, sub)
	}},
	{name: "Use", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, s.answer) }},
	{name: "Use with prefixes", mount: func(to fiber.Router, prefix string, s *site) {
		to.Use([]string{"/elsewhere", prefix}, s.answer)
	}},
	{name: "RouteChain for all methods", mount: func(to fiber.Router, prefix string, s *site) { to.RouteChain(prefix).All(s.answer) }},
	{name: "Use behind middleware", mount: func(to fiber.Router, prefix string, s *site) {
		to.Use(prefix, passOn, s.answer)
	}},
	{name: "net/http", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, http.Handler(s)) }},
	{name: "adaptor", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, adaptor.HTTPHandler(s)) }},
	{name: "proxy", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, s.forward) }},
	{name: "SendFile by Use", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, s.sendFile) }},
	{name: "Use in a mounted sub-app", lowered: true, mount: func(to fiber.Router, prefix string, s *site) {
		sub := fiber.New()
		sub.Use(s.answer)
		to.Use(prefix, sub)
	}},
	{name: "static", static: true, mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, static.New(s.dir, uncached)) }},
	{name: "static of a file system", static: true, mount: func(to fiber.Router, prefix string, s *site) {
		to.Use(prefix, static.New("", static.Config{FS: os.DirFS(s.dir), CacheDuration: -1}))
	}},
	{name: "static on a route", static: true, pattern: "/*", mount: func(to fiber.Router, prefix string, s *site) {
		to.Get(prefix+"/*", static.New(s.dir, uncached))
	}},
	{name: "static with a star", static: true, pattern: "*", mount: func(to fiber.Router, prefix string, s *site) {
		to.Get(prefix+"*", static.New(s.dir, uncached))
	}},
	{name: "static with a plus", static: true, pattern: "/+", mount: func(to fiber.Router, prefix string, s *site) {
		to.Get(prefix+"/+", static.New(s.dir, uncached))
	}},
	{name: "static by Use with a star", static: true, mount: func(to fiber.Router, prefix string, s *site) {
		to.Use(prefix+"*", static.New(s.dir, uncached))
	}},
	{name: "static by Use with prefixes", static: true, shared: true, mount: func(to fiber.Router, prefix string, s *site) {
		to.Use([]string{"/x", prefix}, static.New(s.dir, uncached))
	}},
	{name: "static with options", static: true, mount: func(to fiber.Router, prefix string, s *site) {
		to.Use(prefix+"/", static.New(s.dir, static.Config{Browse: true, ByteRange: true, CacheDuration: -1, Next: func(fiber.Ctx) bool { return false }}))
	}},
	{name: "static in a mounted sub-app", static: true, lowered: true, mount: func(to fiber.Router, prefix string, s *site) {
		sub := fiber.New()
		sub.Use(static.New(s.dir, uncached))
		to.Use(prefix, sub)
	}},
	{name: "static that is elsewhere as well", static: true, shared: true, mount: func(to fiber.Router, prefix string, s *site) {
		h := static.New(s.dir, uncached)
		to.Use("/elsewhere/far/away", h)
		to.Use(prefix, h)
	}},
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	for name, content := range map[string]string{"secret/x.txt": secret, "public.txt": public} {
		file := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := fasthttputil.NewInmemoryListener()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = fasthttp.Serve(l, func(ctx *fasthttp.RequestCtx) { ctx.SetBody(ctx.QueryArgs().QueryString()) })
	}()
	s.backend = &fasthttp.Client{Dial: func(string) (net.Conn, error) { return l.Dial() }}
	t.Cleanup(func() {
		s.backend.CloseIdleConnections()
		_ = l.Close()
		<-done
	})
	return s
}
