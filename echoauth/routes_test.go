package echoauth_test

import (
	"slices"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/echoauth"
)

// Routes lists the routes that the application registered, including those of groups and
// hosts, but not those that Echo adds for unknown paths.
func TestRoutes(t *testing.T) {
	app := echo.New()
	none := func(echo.Context) error { return nil }
	app.GET("/a/:id", none)
	group := app.Group("/g", func(next echo.HandlerFunc) echo.HandlerFunc { return next })
	group.POST("/b/*", none)
	app.RouteNotFound("/*", none)
	for _, host := range []string{"admin.example", "shop.example"} {
		app.Host(host).DELETE("/h/:id", none)
	}
	got := echoauth.Routes(app)
	for _, want := range []core.RouteInfo{{Method: "GET", Pattern: "/a/:id"}, {Method: "POST", Pattern: "/g/b/*"}, {Method: "DELETE", Pattern: "/h/:id"}} {
		if !slices.Contains(got, want) {
			t.Errorf("%v is not among %v", want, got)
		}
	}
	if len(got) != 3 {
		t.Errorf("routes %v", got)
	}
}
