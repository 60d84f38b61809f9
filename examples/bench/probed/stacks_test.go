package probed

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	ginjwt "github.com/appleboy/gin-jwt/v2"
	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	stringadapter "github.com/casbin/casbin/v2/persist/string-adapter"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/jwtauth/v5"
	fiberjwt "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"
	echocasbin "github.com/labstack/echo-contrib/casbin"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"
	"github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/sallyport-go/sallyport/core/authtest"
	peers "github.com/sallyport-go/sallyport/examples/bench/stacks"
)

const rbac = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act
`

// policy lets erin read and change reports, and victor read them.
const policy = `
p, viewer, /reports, GET
p, viewer, /reports/:id, GET
p, editor, /reports/:id, PUT
p, admin, /admin/users, GET
g, editor, viewer
g, erin, editor
g, victor, viewer
`

// guarded are the routes behind the gates; /healthz stands beside them.
var guarded = [][2]string{{"GET", "/reports"}, {"GET", "/reports/:id"}, {"PUT", "/reports/:id"}, {"GET", "/admin/users"}}

var secret = []byte("a secret of more than thirty-two bytes")

const (
	issuer   = "https://issuer.example/"
	audience = "reports"
)

// token is a token of a user that was issued an hour before it ends.
func token(t testing.TB, user string, ends time.Time, scopes ...string) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": user, "identity": user, "scopes": scopes,
		"iat": ends.Add(-time.Hour).Unix(), "exp": ends.Unix(),
	}).SignedString(secret)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func enforcer(t testing.TB) *casbin.Enforcer {
	t.Helper()
	m, err := model.NewModelFromString(rbac)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m, stringadapter.NewAdapter(policy))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stack is one of others, put together as its own documentation does it.
type stack struct {
	// name is the heading of the page.
	name string
	// modules are those whose versions the page states.
	modules []string
	serve   func(t testing.TB, l net.Listener)
}

var stacks = []stack{
	{"gin-jwt with Casbin", []string{"github.com/gin-gonic/gin", "github.com/appleboy/gin-jwt/v2", "github.com/casbin/casbin/v2"}, serveGin},
	{"echo-jwt with echo-contrib's Casbin", []string{"github.com/labstack/echo/v4", "github.com/labstack/echo-jwt/v4", "github.com/labstack/echo-contrib", "github.com/casbin/casbin/v2"}, serveEcho},
	{"Fiber's contrib jwt with Casbin", []string{"github.com/gofiber/fiber/v2", "github.com/gofiber/contrib/jwt", "github.com/casbin/casbin/v2"}, serveFiber},
	{"go-jwt-middleware with Casbin", []string{"github.com/auth0/go-jwt-middleware/v2", "github.com/casbin/casbin/v2"}, serveAuth0},
	{"chi's jwtauth with Casbin", []string{"github.com/go-chi/chi/v5", "github.com/go-chi/jwtauth/v5", "github.com/casbin/casbin/v2"}, serveChi},
	{"The MCP SDK's middleware", []string{"github.com/modelcontextprotocol/go-sdk"}, serveMCP},
}

// serveGin has Casbin in the Authorizator.
func serveGin(t testing.TB, l net.Listener) {
	e := enforcer(t)
	m, err := ginjwt.New(&ginjwt.GinJWTMiddleware{
		Realm: "reports", Key: secret, Timeout: time.Hour,
		Authorizator: func(identity any, c *gin.Context) bool {
			user, _ := identity.(string)
			allowed, err := e.Enforce(user, c.Request.URL.Path, c.Request.Method)
			return err == nil && allowed
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	app := gin.New()
	app.Use(gin.Recovery())
	app.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "fine") })
	api := app.Group("/", m.MiddlewareFunc())
	for _, r := range guarded {
		api.Handle(r[0], r[1], func(c *gin.Context) { c.String(http.StatusOK, c.FullPath()) })
	}
	authtest.ServeHTTP(t, l, app)
}

func serveEcho(t testing.TB, l net.Listener) {
	app := echo.New()
	app.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "fine") })
	api := app.Group("", echojwt.WithConfig(echojwt.Config{SigningKey: secret}), echocasbin.MiddlewareWithConfig(echocasbin.Config{
		Enforcer: enforcer(t),
		UserGetter: func(c echo.Context) (string, error) {
			return c.Get("user").(*jwt.Token).Claims.GetSubject()
		},
	}))
	for _, r := range guarded {
		api.Add(r[0], r[1], func(c echo.Context) error { return c.String(http.StatusOK, c.Path()) })
	}
	authtest.ServeHTTP(t, l, app)
}

func serveFiber(t testing.TB, l net.Listener) {
	e := enforcer(t)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("fine") })
	app.Use(fiberjwt.New(fiberjwt.Config{SigningKey: fiberjwt.SigningKey{JWTAlg: "HS256", Key: secret}}))
	app.Use(func(c *fiber.Ctx) error {
		user, err := c.Locals("user").(*jwt.Token).Claims.GetSubject()
		if err != nil {
			return fiber.ErrUnauthorized
		}
		allowed, err := e.Enforce(user, c.Path(), c.Method())
		switch {
		case err != nil:
			return fiber.ErrInternalServerError
		case !allowed:
			return fiber.ErrForbidden
		}
		return c.Next()
	})
	for _, r := range guarded {
		app.Add(r[0], r[1], func(c *fiber.Ctx) error { return c.SendString(c.Route().Path) })
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = app.Listener(l) // ends with Shutdown
	}()
	t.Cleanup(func() {
		_ = app.Shutdown()
		<-done
	})
}

func serveAuth0(t testing.TB, l net.Listener) {
	v, err := validator.New(func(context.Context) (any, error) { return secret, nil }, validator.HS256, issuer, []string{audience})
	if err != nil {
		t.Fatal(err)
	}
	tokens := jwtmiddleware.New(v.ValidateToken).CheckJWT
	policy := peers.ByCasbin(enforcer(t), func(r *http.Request) string {
		claims, _ := r.Context().Value(jwtmiddleware.ContextKey{}).(*validator.ValidatedClaims)
		if claims == nil {
			return ""
		}
		return claims.RegisteredClaims.Subject
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", fine)
	for _, r := range [][2]string{{"GET", "/reports"}, {"GET", "/reports/{id}"}, {"PUT", "/reports/{id}"}, {"GET", "/admin/users"}} {
		mux.Handle(r[0]+" "+r[1], tokens(policy(route(r[1]))))
	}
	authtest.ServeHTTP(t, l, mux)
}

func serveChi(t testing.TB, l net.Listener) {
	tokens := jwtauth.New("HS256", secret, nil)
	policy := peers.ByCasbin(enforcer(t), func(r *http.Request) string {
		token, _, err := jwtauth.FromContext(r.Context())
		if err != nil || token == nil {
			return ""
		}
		return token.Subject()
	})
	app := chi.NewRouter()
	app.Get("/healthz", fine)
	app.Group(func(api chi.Router) {
		api.Use(jwtauth.Verifier(tokens), jwtauth.Authenticator(tokens), policy)
		for _, r := range [][2]string{{"GET", "/reports"}, {"GET", "/reports/{id}"}, {"PUT", "/reports/{id}"}, {"GET", "/admin/users"}} {
			api.Method(r[0], r[1], route(r[1]))
		}
	})
	authtest.ServeHTTP(t, l, app)
}

// serveMCP has no policy but the scopes of the middleware: those of the page that
// describes it are required for each route.
func serveMCP(t testing.TB, l net.Listener) {
	verify := func(_ context.Context, text string, _ *http.Request) (*auth.TokenInfo, error) {
		claims := jwt.MapClaims{}
		if _, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return secret, nil },
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation()); err != nil { // the middleware looks at the time
			return nil, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
		}
		exp, err := claims.GetExpirationTime()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
		}
		info := &auth.TokenInfo{Expiration: exp.Time}
		scopes, _ := claims["scopes"].([]any)
		for _, s := range scopes {
			info.Scopes = append(info.Scopes, fmt.Sprint(s))
		}
		return info, nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", fine)
	for _, r := range []struct{ method, pattern, scope string }{
		{"GET", "/reports", "reports:read"}, {"GET", "/reports/{id}", "reports:read"}, {"PUT", "/reports/{id}", "reports:write"}, {"GET", "/admin/users", "admin"},
	} {
		gate := auth.RequireBearerToken(verify, &auth.RequireBearerTokenOptions{
			ResourceMetadataURL: "https://reports.example/.well-known/oauth-protected-resource", Scopes: []string{r.scope},
		})
		mux.Handle(r.method+" "+r.pattern, gate(route(r.pattern)))
	}
	authtest.ServeHTTP(t, l, mux)
}

func fine(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "fine") }

func route(pattern string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, pattern) })
}
