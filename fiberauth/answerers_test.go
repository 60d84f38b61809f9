package fiberauth_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/filesystem"
	"github.com/gofiber/fiber/v2/middleware/proxy"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// Bodies of the handlers under test, and of the route beside them.
const (
	secret = "SECRET"
	public = "PUBLIC"
	beside = "BESIDE"
)

// answerer is a way to serve /secret/x.txt and /public.txt below a prefix.
type answerer struct {
	name  string
	mount func(to fiber.Router, prefix string, s *site)
	// routed says that it is a route, for prefix + "/*".
	routed bool
	// static says that Static mounts it: it serves files and passes all other requests on.
	static bool
	// lowered says that Fiber keeps the prefix in lower case, as it does for
	// Static and Mount.
	lowered bool
}

// site is the content that answerers serve.
type site struct {
	dir     string
	cut     int // bytes of a path before what is asked for
	backend *fasthttp.Client
}

// content is what is below the prefix of path, as a handler finds it that cuts
// off as many bytes as the prefix has.
func (s *site) content(path string) string {
	rest := strings.TrimLeft(path[min(s.cut, len(path)):], "/")
	if first, _, _ := strings.Cut(rest, "/"); first == "secret" {
		return secret
	}
	return public
}

func (s *site) answer(c *fiber.Ctx) error { return c.SendString(s.content(string(c.Context().Path()))) }

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, s.content(r.URL.Path))
}

// sendFile serves a file whose name is the rest of the path.
func (s *site) sendFile(c *fiber.Ctx) error {
	path := string(c.Context().Path())
	file := filepath.Join(s.dir, path[min(s.cut, len(path)):])
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return c.SendStatus(http.StatusNotFound)
	}
	return c.SendFile(file)
}

// forward proxies to another server.
func (s *site) forward(c *fiber.Ctx) error {
	return proxy.Do(c, "http://backend/?"+s.content(string(c.Context().Path())), s.backend)
}

var answerers = []answerer{
	{name: "route", routed: true, mount: func(to fiber.Router, prefix string, s *site) { to.Get(prefix+"/*", s.answer) }},
	{name: "group", routed: true, mount: func(to fiber.Router, prefix string, s *site) { to.Group(prefix).Get("/*", s.answer) }},
	{name: "SendFile", routed: true, mount: func(to fiber.Router, prefix string, s *site) { to.Get(prefix+"/*", s.sendFile) }},
	{name: "adaptor on a route", routed: true, mount: func(to fiber.Router, prefix string, s *site) {
		to.All(prefix+"/*", adaptor.HTTPHandler(s))
	}},
	{name: "mounted sub-app", routed: true, lowered: true, mount: func(to fiber.Router, prefix string, s *site) {
		sub := fiber.New()
		sub.Get("/*", s.answer)
		to.Mount(prefix, sub)
	}},
	{name: "Use", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, s.answer) }},
	{name: "Use behind middleware", mount: func(to fiber.Router, prefix string, s *site) {
		to.Use(prefix, passOn, s.answer)
	}},
	{name: "adaptor", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, adaptor.HTTPHandler(s)) }},
	{name: "proxy", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, s.forward) }},
	{name: "SendFile by Use", mount: func(to fiber.Router, prefix string, s *site) { to.Use(prefix, s.sendFile) }},
	{name: "Use in a mounted sub-app", lowered: true, mount: func(to fiber.Router, prefix string, s *site) {
		sub := fiber.New()
		sub.Use(s.answer)
		to.Mount(prefix, sub)
	}},
	{name: "filesystem", mount: func(to fiber.Router, prefix string, s *site) {
		to.Use(prefix, filesystem.New(filesystem.Config{Root: http.Dir(s.dir)}))
	}},
	{name: "Static", static: true, lowered: true, mount: func(to fiber.Router, prefix string, s *site) { to.Static(prefix, s.dir) }},
	{name: "Static with a star", static: true, lowered: true, mount: func(to fiber.Router, prefix string, s *site) {
		to.Static(prefix+"*", s.dir)
	}},
	{name: "Static with options", static: true, lowered: true, mount: func(to fiber.Router, prefix string, s *site) {
		to.Static(prefix+"/", s.dir, fiber.Static{Browse: true, ByteRange: true, Next: func(*fiber.Ctx) bool { return false }})
	}},
	{name: "Static in a mounted sub-app", static: true, lowered: true, mount: func(to fiber.Router, prefix string, s *site) {
		sub := fiber.New()
		sub.Static("/", s.dir)
		to.Mount(prefix, sub)
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
