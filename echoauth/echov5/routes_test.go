package echoauth_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

// Routes lists the routes that the application registered, including those of groups, but
// not those that Echo adds for unknown paths.
func TestRoutes(t *testing.T) {
	app := echo.New()
	none := func(*echo.Context) error { return nil }
	app.GET("/a/:id", none)
	group := app.Group("/g", func(next echo.HandlerFunc) echo.HandlerFunc { return next })
	group.POST("/b/*", none)
	group.QUERY("/q", none)
	app.RouteNotFound("/*", none)
	got := echoauth.Routes(app)
	for _, want := range []core.RouteInfo{{Method: "GET", Pattern: "/a/:id"}, {Method: "POST", Pattern: "/g/b/*"}, {Method: "QUERY", Pattern: "/g/q"}} {
		if !slices.Contains(got, want) {
			t.Errorf("%v is not among %v", want, got)
		}
	}
	if len(got) != 3 {
		t.Errorf("routes %v", got)
	}
}

// A route for any method is listed with each method, and once with one that also has a
// route of its own.
func TestRoutesForAnyMethod(t *testing.T) {
	app := echo.New()
	none := func(*echo.Context) error { return nil }
	app.Any("/any", none)
	app.DELETE("/any", none)
	var methods []string
	for _, r := range echoauth.Routes(app) {
		if r.Pattern != "/any" {
			t.Errorf("route %v", r)
		}
		methods = append(methods, r.Method)
	}
	slices.Sort(methods)
	want := []string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PROPFIND", "PUT", "QUERY", "REPORT", "TRACE"}
	if !slices.Equal(methods, want) {
		t.Errorf("methods %v, want %v", methods, want)
	}
}

// changedMethods are ways to change the method of a request.
var changedMethods = map[string]echo.MiddlewareFunc{
	"not": func(next echo.HandlerFunc) echo.HandlerFunc { return next },
	"MethodOverride": middleware.MethodOverrideWithConfig(middleware.MethodOverrideConfig{
		Getter: middleware.MethodFromQuery("method"),
	}),
	"in place": func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			c.Request().Method = c.QueryParam("method")
			return next(c)
		}
	},
	"in a copy": func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			r := c.Request().Clone(c.Request().Context())
			r.Method = c.QueryParam("method")
			c.SetRequest(r)
			return next(c)
		}
	},
}

// TestChangedMethods: rules see the method of the route that runs, or of the request if the
// route is for any method.
func TestChangedMethods(t *testing.T) {
	methods := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE"}
	for how, change := range changedMethods {
		for _, place := range []string{"Pre", "Use"} {
			for _, autoHEAD := range []bool{false, true} {
				e, judged, ran := methodApp(t, autoHEAD)
				if place == "Pre" {
					e.Pre(change)
				} else {
					e.Use(change)
				}
				for _, path := range []string{"/any", "/each", "/match"} {
					for _, sent := range methods {
						for _, becomes := range methods {
							*judged, *ran = nil, ""
							r := httptest.NewRequest(sent, path+"?method="+becomes, nil)
							r.Header.Set("Authorization", "Name alice")
							e.ServeHTTP(httptest.NewRecorder(), r)
							if *ran != "" && !slices.Contains(*judged, *ran) {
								t.Errorf("%s %s that becomes %s (%s, in %s): the handler of %s ran, judged was %v", sent, path, becomes, how, place, *ran, *judged)
							}
						}
					}
				}
			}
		}
	}
}

// methodApp has routes for any method, for each of some, and for several at once. It
// records what the policy was asked and which handler ran.
func methodApp(t *testing.T, autoHEAD bool) (e *echo.Echo, judged *[]string, ran *string) {
	judged, ran = new([]string), new(string)
	policy := authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
		*judged = append(*judged, a.Action)
		return core.Decision{Allowed: true}, nil
	})
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithAuthorizer(policy), core.WithObserver(core.LogObserver(quiet)))
	if err != nil {
		t.Fatal(err)
	}
	e = echo.NewWithConfig(echo.Config{Router: echo.NewRouter(echo.RouterConfig{AutoHandleHEAD: autoHEAD})})
	handler := func(method string) echo.HandlerFunc {
		return func(c *echo.Context) error {
			if *ran = method; method == "" || method == "GET" && c.Request().Method == http.MethodHead {
				*ran = c.Request().Method
			}
			return c.NoContent(http.StatusNoContent)
		}
	}
	gate := echoauth.Authorize(g)
	e.Any("/any", handler(""), gate)
	for _, method := range []string{"GET", "POST", "PUT"} {
		e.Add(method, "/each", handler(method), gate)
		e.Match([]string{method}, "/match", handler(method), gate)
	}
	return e, judged, ran
}
