package ginauth_test

import (
	"slices"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/ginauth"
)

// Routes lists the routes that the application registered, including those of groups.
func TestRoutes(t *testing.T) {
	gin.SetMode(gin.TestMode)
	app := gin.New()
	none := func(*gin.Context) {}
	app.GET("/a/:id", none)
	app.Group("/g").POST("/b/*rest", none)
	got := ginauth.Routes(app)
	for _, want := range []core.RouteInfo{{Method: "GET", Pattern: "/a/:id"}, {Method: "POST", Pattern: "/g/b/*rest"}} {
		if !slices.Contains(got, want) {
			t.Errorf("%v is not among %v", want, got)
		}
	}
	if len(got) != 2 {
		t.Errorf("routes %v", got)
	}
}
