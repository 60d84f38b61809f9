package doccheck

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/fiberauth"
	"github.com/sallyport-go/sallyport/ginauth"
)

// ask sends a request to an app and returns the status.
type ask func(*http.Request) int

// TestTablesOfNotFoundAreTrue sends the requests of the tables "404 and 405"
// to apps with a gate where the row says.
func TestTablesOfNotFoundAreTrue(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	for name, build := range map[string]func(where string, g *core.Guard) ask{
		"docs/gin.md": ginApp, "docs/echo.md": echoApp, "docs/echo5.md": echo5App, "docs/fiber.md": fiberApp, "docs/fiber3.md": fiber3App, "docs/nethttp.md": muxApp,
	} {
		rows := 0
		for _, line := range pageNamed(t, name).Section("404 and 405") {
			cells := strings.Split(strings.Trim(line, "| "), " | ")
			if len(cells) != 5 || !slices.Contains([]string{"app", "group", "route"}, cells[0]) {
				continue
			}
			rows++
			send := build(cells[0], guard(t))
			for j, c := range []struct {
				method, path string
				known        bool
			}{{"GET", "/api/none", false}, {"GET", "/api/none", true}, {"POST", "/api/x", false}, {"POST", "/api/x", true}} {
				r := httptest.NewRequest(c.method, c.path, nil)
				if c.known {
					r.SetBasicAuth("erin", "secret")
				}
				if got := strconv.Itoa(send(r)); got != cells[j+1] {
					t.Errorf("%s: gate on %s, %s %s, known %v: %s, the page says %s", name, cells[0], c.method, c.path, c.known, got, cells[j+1])
				}
			}
			r := httptest.NewRequest("GET", "/api/x", nil)
			if got := send(r); got != http.StatusUnauthorized {
				t.Errorf("%s: gate on %s guards nothing: %d", name, cells[0], got)
			}
		}
		if rows != 3 {
			t.Errorf("%s: %d rows, want 3", name, rows)
		}
	}
}

// guard lets everybody in who has credentials.
func guard(t *testing.T) *core.Guard {
	t.Helper()
	scheme, err := basic.New("docs", basic.VerifierFunc(func(_ context.Context, user, _ string) (*core.Principal, error) {
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	silent := core.ObserverFunc(func(context.Context, core.Event) {})
	g, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(silent), core.WithAuthorizer(rule.Owner("erin")))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func handle(h http.Handler) ask {
	return func(r *http.Request) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
}

func ginApp(where string, g *core.Guard) ask {
	gate := ginauth.Authorize(g)
	app := gin.New()
	if where == "app" {
		app.Use(gate)
	}
	group := app.Group("/api")
	if where == "group" {
		group.Use(gate)
	}
	show := func(c *gin.Context) { c.Status(http.StatusOK) }
	if where == "route" {
		group.GET("/x", gate, show)
	} else {
		group.GET("/x", show)
	}
	return handle(app)
}

func echoApp(where string, g *core.Guard) ask {
	gate := echoauth.Authorize(g)
	app := echo.New()
	if where == "app" {
		app.Use(gate)
	}
	group := app.Group("/api")
	if where == "group" {
		group.Use(gate)
	}
	show := func(c echo.Context) error { return c.NoContent(http.StatusOK) }
	if where == "route" {
		group.GET("/x", show, gate)
	} else {
		group.GET("/x", show)
	}
	return handle(app)
}

func fiberApp(where string, g *core.Guard) ask {
	gate := fiberauth.Authorize(g)
	app := fiber.New()
	if where == "app" {
		app.Use(gate)
	}
	group := app.Group("/api")
	if where == "group" {
		group.Use(gate)
	}
	show := func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) }
	if where == "route" {
		group.Get("/x", gate, show)
	} else {
		group.Get("/x", show)
	}
	return func(r *http.Request) int {
		resp, err := app.Test(r, -1)
		if err != nil {
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
}

func muxApp(where string, g *core.Guard) ask {
	gate := httpauth.Authorize(g)
	var show http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	if where == "route" {
		show = gate(show)
	}
	group := http.NewServeMux()
	group.Handle("GET /api/x", show)
	app := http.NewServeMux()
	if where == "group" {
		app.Handle("/api/", gate(group))
	} else {
		app = group
	}
	if where == "app" {
		return handle(gate(app))
	}
	return handle(app)
}
