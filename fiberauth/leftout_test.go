package fiberauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth"
)

// TestGatesLeftOut: in a sub-app mounted for all paths, Fiber answers some requests without
// a gate that is mounted there with Use. Then no request passes the gate, and the observer
// is told why.
func TestGatesLeftOut(t *testing.T) {
	rec := new(authtest.Recorder)
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(rec))
	if err != nil {
		t.Fatal(err)
	}
	gate, answer := fiberauth.Authenticate(g), func(c *fiber.Ctx) error { return c.SendString("here") }
	for name, m := range map[string]struct {
		sub  func(app *fiber.App)
		open bool // the app works
	}{
		"Use":                    {func(app *fiber.App) { app.Use(gate); app.Get("/*", answer) }, false},
		"handler of Use":         {func(app *fiber.App) { app.Use(gate); app.Use("/*", answer) }, false},
		"gate on the route":      {func(app *fiber.App) { app.Use(gate); app.Get("/*", gate, answer) }, true},
		"no route for all paths": {func(app *fiber.App) { app.Use(gate); app.Get("/:x", answer) }, true},
	} {
		for _, cfg := range configs {
			app, sub := fiber.New(cfg), fiber.New(cfg)
			m.sub(sub)
			app.Mount("/", sub)
			verified := fiberauth.Verify(app)
			if m.open != (verified == nil) || !m.open && !strings.Contains(verified.Error(), `Use("/*", gate)`) {
				t.Errorf("%s, %v: Verify says %v", name, options(cfg), verified)
			}
			if code, _ := ask(app.Handler(), "/x"); m.open != (code == http.StatusOK) || !m.open && code != http.StatusInternalServerError {
				t.Errorf("%s, %v: %d", name, options(cfg), code)
			}
			if cause := rec.Last(t).Cause; !m.open && (cause == nil || !strings.Contains(cause.Error(), `Use("/*", gate)`)) {
				t.Errorf("%s, %v: the observer is told %v", name, options(cfg), cause)
			}
			direct := fiber.New(cfg) // where Fiber runs it for each request
			m.sub(direct)
			if code, _ := ask(direct.Handler(), "/x"); code != http.StatusOK {
				t.Errorf("%s in the app itself, %v: %d", name, options(cfg), code)
			}
		}
	}
}

// TestGatesLeftOutBelow: where Fiber answers some requests for a handler below a gate that is
// mounted with Use without that gate, no request passes the gate.
func TestGatesLeftOutBelow(t *testing.T) {
	rec := new(authtest.Recorder)
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(rec))
	if err != nil {
		t.Fatal(err)
	}
	gate, answer := fiberauth.Authenticate(g), func(c *fiber.Ctx) error { return c.SendString("here") }
	strict := fiber.Config{StrictRouting: true}
	for name, m := range map[string]struct {
		cfg  fiber.Config
		add  func(app *fiber.App)
		path string
		open bool // the app works
	}{
		"slash, optional parameter": {strict, func(app *fiber.App) { r := app.Group("/docs"); r.Use("/", gate); r.Get("/:x?", answer) }, "/docs/x", false},
		"slash, star":               {strict, func(app *fiber.App) { r := app.Group("/docs/all"); r.Use("/", gate); r.Get("/*", answer) }, "/docs/all/x", false},
		"slash, parameter":          {strict, func(app *fiber.App) { r := app.Group("/docs"); r.Use("/", gate); r.Get("/:x", answer) }, "/docs/x", true},
		"slash, not strict":         {fiber.Config{}, func(app *fiber.App) { r := app.Group("/docs"); r.Use("/", gate); r.Get("/:x?", answer) }, "/docs/x", true},
		"slash, gate on the route":  {strict, func(app *fiber.App) { r := app.Group("/docs"); r.Use("/", gate); r.Get("/:x?", gate, answer) }, "/docs/x", true},
		"no slash":                  {strict, func(app *fiber.App) { app.Group("/docs", gate).Get("/:x?", answer) }, "/docs/x", true},
		"text behind a parameter":   {fiber.Config{}, func(app *fiber.App) { app.Group("/:x.txt", gate).Get("/b", answer) }, "/a.txt/b", false},
		"the same, with letters":    {fiber.Config{}, func(app *fiber.App) { app.Group("/:x<alpha>-:y.txt", gate).Get("/b", answer) }, "/a-b.txt/b", false},
		"the same, handler of Use":  {fiber.Config{}, func(app *fiber.App) { app.Group("/:x.txt", gate).Use("/b", answer) }, "/a.txt/b", false},
		"the same, and a slash":     {strict, func(app *fiber.App) { r := app.Group("/:x.txt"); r.Use("/", gate); r.Get("/b", answer) }, "/a.txt/b", false},
		"the same, with numbers":    {fiber.Config{}, func(app *fiber.App) { app.Group("/:x<int>.txt", gate).Get("/b", answer) }, "/1.txt/b", true},
		"the same, with a length":   {fiber.Config{}, func(app *fiber.App) { app.Group("/:x<len(9)>.txt", gate).Get("/b", answer) }, "/123456789.txt/b", false},
		"text behind a slash":       {fiber.Config{}, func(app *fiber.App) { app.Group("/:x/b", gate).Get("/c", answer) }, "/b/b/c", true},
	} {
		app := fiber.New(m.cfg)
		m.add(app)
		if err := fiberauth.Verify(app); m.open != (err == nil) {
			t.Errorf("%s: Verify says %v", name, err)
		}
		code, _ := ask(app.Handler(), m.path)
		if m.open != (code == http.StatusOK) || !m.open && code != http.StatusInternalServerError {
			t.Errorf("%s: %d", name, code)
		}
		if cause := rec.Last(t).Cause; !m.open && (cause == nil || !strings.Contains(cause.Error(), "mount the gate in front of that handler")) {
			t.Errorf("%s: the observer is told %v", name, cause)
		}
	}
}

// TestGatesLeftOutBelowConstraints: whether Fiber leaves a gate out is found for whatever a
// parameter in front of it must look like.
func TestGatesLeftOutBelowConstraints(t *testing.T) {
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}})
	if err != nil {
		t.Fatal(err)
	}
	gate, answer := fiberauth.Authenticate(g), func(c *fiber.Ctx) error { return c.SendString("here") }
	for constraint, open := range map[string]bool{
		"": false, "<minLen(18)>": false, "<maxLen(5)>": false, "<len(9)>": false, "<betweenLen(14,16)>": false,
		"<regex(^[a-z]{3}[^a-z].+$)>": true, "<regex(^a.*$)>": true, "<minLen(6);regex(^(en|de).*$)>": true,
		"<int>": true, "<bool>": true, "<float>": true, "<alpha>": true, "<guid>": true, "<min(18)>": true, "<max(-18)>": true, "<range(20,30)>": true,
		"<regex(^[0-9]{200}$)>": true, "<regex(^[0-9]{1000}$)>": false, // which would take too long to find out
		`<datetime(2006\-01\-02)>`: true, "<len(3)>": true, "<regex(^[a-z]{3}[^a-z]$)>": true, "<regex(^(en|de)$)>": true, "<min(18);max(20)>": true, "<alpha;minLen(14)>": true,
	} {
		app := fiber.New()
		app.Group("/:one<min(7)>/:x"+constraint+".txt", gate).Get("/b", answer)
		if err := fiberauth.Verify(app); open != (err == nil) {
			t.Errorf("%q: Verify says %v", constraint, err)
		}
	}
}
