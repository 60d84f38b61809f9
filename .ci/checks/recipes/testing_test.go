package recipes

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	fiber3 "github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/echoauth"
	echo5auth "github.com/sallyport-go/sallyport/echoauth/echov5"
	"github.com/sallyport-go/sallyport/fiberauth"
	fiber3auth "github.com/sallyport-go/sallyport/fiberauth/fiberv3"
	"github.com/sallyport-go/sallyport/ginauth"
)

// newApp is one of the apps below.
var newApp = newGinApp

func newGinApp(guard *core.Guard) http.Handler {
	app := gin.New()
	app.PUT("/reports/:id", ginauth.Require(guard, rule.Role("editor")), func(c *gin.Context) {
		c.String(http.StatusOK, "%s has changed report %s", ginauth.Principal(c).ID(), c.Param("id"))
	})
	return app
}

func TestChangeReport(t *testing.T) {
	for name, tc := range map[string]struct {
		who  core.PrincipalInfo
		want int
	}{
		"an editor":    {core.PrincipalInfo{ID: "erin", Roles: []string{"editor"}}, 200},
		"another user": {core.PrincipalInfo{ID: "sam"}, 403},
		"anonymous":    {core.PrincipalInfo{}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApp(authtest.SignedIn(t, tc.who))
			w := httptest.NewRecorder()
			app.ServeHTTP(w, httptest.NewRequest("PUT", "/reports/7", nil))
			if w.Code != tc.want {
				t.Fatalf("%d, want %d: %s", w.Code, tc.want, w.Body)
			}
			if tc.want == 200 && w.Body.String() != "erin has changed report 7" {
				t.Errorf("%s", w.Body)
			}
		})
	}
}

func TestChangeReportOnFiber(t *testing.T) {
	app := newFiberApp(authtest.SignedIn(t, core.PrincipalInfo{ID: "erin", Roles: []string{"editor"}}))
	resp, err := app.Test(httptest.NewRequest("PUT", "/reports/7", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || string(body) != "erin has changed report 7" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func guardWithPolicy(t *testing.T, policy core.Authorizer) *core.Guard {
	return authtest.SignedIn(t, core.PrincipalInfo{ID: "erin", Tenant: "acme"}, core.WithAuthorizer(policy))
}

func TestGreeting(t *testing.T) {
	erin, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	if got := greeting(core.ContextWithPrincipal(t.Context(), erin)); got != "hello, erin" {
		t.Error(got)
	}
}

func newEchoApp(guard *core.Guard) http.Handler {
	app := echo.New()
	app.PUT("/reports/:id", func(c echo.Context) error {
		return c.String(http.StatusOK, changed(echoauth.Principal(c), c.Param("id")))
	}, echoauth.Require(guard, rule.Role("editor")))
	return app
}

func newEcho5App(guard *core.Guard) http.Handler {
	app := echo5.New()
	app.PUT("/reports/:id", func(c *echo5.Context) error {
		return c.String(http.StatusOK, changed(echo5auth.Principal(c), c.Param("id")))
	}, echo5auth.Require(guard, rule.Role("editor")))
	return app
}

func newHTTPApp(guard *core.Guard) http.Handler {
	app := http.NewServeMux()
	app.Handle("PUT /reports/{id}", httpauth.Require(guard, rule.Role("editor"))(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, changed(httpauth.Principal(r), r.PathValue("id")))
		})))
	return app
}

func newFiberApp(guard *core.Guard) *fiber.App {
	app := fiber.New()
	app.Put("/reports/:id", fiberauth.Require(guard, rule.Role("editor")), func(c *fiber.Ctx) error {
		return c.SendString(changed(fiberauth.Principal(c), c.Params("id")))
	})
	return app
}

func newFiber3App(guard *core.Guard) *fiber3.App {
	app := fiber3.New()
	app.Put("/reports/:id", fiber3auth.Require(guard, rule.Role("editor")), func(c fiber3.Ctx) error {
		return c.SendString(changed(fiber3auth.Principal(c), c.Params("id")))
	})
	return app
}

func changed(p *core.Principal, id string) string {
	return fmt.Sprintf("%s has changed report %s", p.ID(), id)
}

func greeting(ctx context.Context) string {
	p, ok := core.PrincipalFrom(ctx)
	if !ok {
		return "who is there?"
	}
	return "hello, " + p.ID()
}

// TestTestingPage runs the tests of docs/testing.md on all frameworks.
func TestTestingPage(t *testing.T) {
	checkSource(t, "testing.md", "testing_test.go")
	gin.SetMode(gin.ReleaseMode)
	for name, app := range map[string]func(*core.Guard) http.Handler{
		"gin": newGinApp, "echo": newEchoApp, "echo5": newEcho5App, "nethttp": newHTTPApp,
	} {
		newApp = app
		t.Run(name, TestChangeReport)
	}
	for who, want := range map[string]int{"erin": 200, "sam": 403, "": 401} {
		info := core.PrincipalInfo{ID: who}
		if who == "erin" {
			info.Roles = []string{"editor"}
		}
		for name, test := range map[string]func(*http.Request) (*http.Response, error){
			"fiber":  func(r *http.Request) (*http.Response, error) { return newFiberApp(authtest.SignedIn(t, info)).Test(r) },
			"fiber3": func(r *http.Request) (*http.Response, error) { return newFiber3App(authtest.SignedIn(t, info)).Test(r) },
		} {
			resp, err := test(httptest.NewRequest("PUT", "/reports/7", nil))
			if err != nil {
				t.Fatal(err)
			}
			if _ = resp.Body.Close(); resp.StatusCode != want {
				t.Errorf("%s: %q: %d, want %d", name, who, resp.StatusCode, want)
			}
		}
	}
	deny := guardWithPolicy(t, authtest.AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
		return core.Decision{Allowed: p.Tenant() != "acme"}, nil
	}))
	w := httptest.NewRecorder()
	httpauth.Authorize(deny)(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 403 {
		t.Errorf("a policy that denies: %d", w.Code)
	}
	if greeting(t.Context()) != "who is there?" {
		t.Error("somebody is there")
	}
}
