package fiberauth_test

import (
	"bytes"
	"log/slog"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/skip"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth"
)

const leak = "LEAK"

// adding is a handler that calls next, then adds to the response and overwrites the bytes
// of its body.
func adding(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := next(c)
		copy(c.Response().Body(), leak)
		c.Set("X-Leak", leak)
		_, _ = c.WriteString(leak)
		return err
	}
}

// TestHandlersAroundAGate: a handler that calls a gate, perhaps after changing path or
// method, cannot add to a refusal.
func TestHandlersAroundAGate(t *testing.T) {
	gate := fiberauth.Authorize(authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler))))
	open := fiberauth.Optional(authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler))))
	secret := func(c *fiber.Ctx) error { return c.SendString(authtest.MiddlewareSecret) }
	moved := func(path, method string) fiber.Handler {
		return adding(func(c *fiber.Ctx) error {
			c.Path(path)
			c.Method(method)
			return c.RestartRouting()
		})
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/closure", adding(gate), secret)
	app.Use("/prefix", adding(gate))
	app.Get("/prefix", secret)
	app.Get("/behind", open, adding(gate), secret)
	app.Get("/skip", adding(skip.New(gate, func(*fiber.Ctx) bool { return false })), secret)
	app.Get("/inside", func(c *fiber.Ctx) error { return adding(gate)(c) })
	app.Get("/once", func(c *fiber.Ctx) error {
		if err := gate(c); err != nil {
			return err
		}
		return c.SendString(leak)
	})
	app.Get("/here", gate, secret)
	app.Delete("/here", gate, secret)
	app.Get("/there", moved("/here", fiber.MethodGet))
	app.Post("/here", moved("/here", fiber.MethodDelete))
	addr := listen(t, app)
	for _, target := range []string{
		"GET /closure", "GET /prefix", "GET /behind", "GET /skip", "GET /inside", "GET /once", "GET /here", "DELETE /here",
		"GET /there", "POST /here",
	} {
		method, path, _ := strings.Cut(target, " ")
		for _, who := range []string{"", "Authorization: Name bob"} {
			a := authtest.Send(t, addr, authtest.Request(method, path, who))
			want := fiber.StatusUnauthorized
			if who != "" {
				want = fiber.StatusForbidden
			}
			if a.Status != want || strings.Contains(a.Body, leak) || strings.Contains(a.Body, authtest.MiddlewareSecret) || a.Header.Get("X-Leak") != "" {
				t.Errorf("%s, %q: %d %v %q", target, who, a.Status, a.Header, a.Body)
			}
		}
	}
}

// TestFormFilesOfRefusedRequests: files of a form that was parsed before a refusal are
// removed, as for other requests.
func TestFormFilesOfRefusedRequests(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	read := func(c *fiber.Ctx) error {
		if _, err := c.MultipartForm(); err != nil {
			return err
		}
		return c.Next()
	}
	check := func(c *fiber.Ctx) error { return fiberauth.Check(c, g, authtest.MiddlewareRule()) }
	app := fiber.New(fiber.Config{DisableStartupMessage: true, StreamRequestBody: true, BodyLimit: 4 << 10})
	app.Post("/gate", read, fiberauth.Authorize(g))
	app.Post("/check", fiberauth.Optional(g), read, check)
	app.Post("/ungated", read, check)
	addr := listen(t, app)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile("file", "file")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = file.Write(make([]byte, 1<<20)) // far more than a form keeps in memory
	_ = w.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/gate", "/check", "/ungated"} {
		resp, err := client.Post("http://"+addr+path, w.FormDataContentType(), bytes.NewReader(form.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		left, err := os.ReadDir(dir)
		if resp.StatusCode != fiber.StatusUnauthorized || err != nil || len(left) > 0 {
			t.Errorf("%s: %d, %d files are left, %v", path, resp.StatusCode, len(left), err)
		}
	}
}
