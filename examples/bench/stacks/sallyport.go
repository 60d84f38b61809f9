package stacks

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/examples/bench/engines"
	"github.com/sallyport-go/sallyport/fiberauth"
	"github.com/sallyport-go/sallyport/ginauth"
)

// guard is ours as applications assemble it, with one change: events are
// counted and not logged, since the others log nothing.
func (w *World) guard() (*core.Guard, error) {
	key, err := jwtauth.HMACKey("", "HS256", w.secret)
	if err != nil {
		return nil, err
	}
	set, err := jwtauth.NewKeySet(key)
	if err != nil {
		return nil, err
	}
	var keys jwtauth.KeySource = set
	if w.keysDown {
		keys = keyServerDown{}
	}
	tokens, err := jwtauth.New(keys, jwtauth.WithIssuer(issuer), jwtauth.WithAudience(audience))
	if err != nil {
		return nil, err
	}
	scheme, err := bearer.New("things", tokens)
	if err != nil {
		return nil, err
	}
	policy, err := w.policy()
	if err != nil {
		return nil, err
	}
	observer := w.Observer
	if observer == nil {
		var count atomic.Uint64
		observer = core.CounterFunc(func(context.Context, core.Event) { count.Add(1) })
	}
	return core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(policy), core.WithObserver(observer))
}

// policy is in memory, or in files that Edit replaces.
func (w *World) policy() (*casbinrules.Authorizer, error) {
	if w.Folder == "" {
		return engines.OpenPolicy(w.source)
	}
	policy, edit, err := engines.WatchPolicy(w.source, w.Folder, casbinrules.WithReloadObserver(w.Reloaded))
	w.Edit = edit
	return policy, err
}

// keyServerDown is a source of keys that cannot be reached.
type keyServerDown struct{}

func (keyServerDown) Keys(context.Context, string) ([]*jwtauth.Key, error) { return nil, errKeysDown }

// guarded makes an app around our guard.
func guarded(w *World, app func(*core.Guard) Caller) (Caller, error) {
	g, err := w.guard()
	if err != nil {
		return nil, err
	}
	return app(g), nil
}

func ourGin(w *World) (Caller, error) {
	return guarded(w, func(g *core.Guard) Caller { return ginApp(ginauth.Authorize(g)) })
}

func ourEcho(w *World) (Caller, error) {
	return guarded(w, func(g *core.Guard) Caller { return echoApp(echoauth.Authorize(g)) })
}

func ourFiber(w *World) (Caller, error) {
	return guarded(w, func(g *core.Guard) Caller { return fiberApp(fiberauth.Authorize(g)) })
}

func ourMux(w *World) (Caller, error) {
	return guarded(w, func(g *core.Guard) Caller { return muxApp(httpauth.Authorize(g)) })
}

func ourChi(w *World) (Caller, error) {
	return guarded(w, func(g *core.Guard) Caller { return chiApp(httpauth.Authorize(g)) })
}

func bareGin(*World) (Caller, error)   { return ginApp(), nil }
func bareEcho(*World) (Caller, error)  { return echoApp(), nil }
func bareFiber(*World) (Caller, error) { return fiberApp(), nil }
func bareMux(*World) (Caller, error)   { return muxApp(), nil }
func bareChi(*World) (Caller, error)   { return chiApp(), nil }

// The apps have one route, whose handler answers 200 without a body.

func ginApp(gates ...gin.HandlerFunc) Caller {
	gin.SetMode(gin.ReleaseMode)
	app := gin.New()
	app.GET(route, append(gates, func(c *gin.Context) { c.Status(http.StatusOK) })...)
	return newHTTPCaller(app)
}

func echoApp(gates ...echo.MiddlewareFunc) Caller {
	app := echo.New()
	app.GET(route, func(c echo.Context) error { return c.NoContent(http.StatusOK) }, gates...)
	return newHTTPCaller(app)
}

func fiberApp(gates ...fiber.Handler) Caller {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get(route, append(gates, func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusOK) })...)
	return newFiberCaller(app.Handler())
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })

func muxApp(gates ...func(http.Handler) http.Handler) Caller {
	var h http.Handler = ok
	for _, gate := range gates {
		h = gate(h)
	}
	app := http.NewServeMux()
	app.Handle("GET /things497/{id}", h)
	return newHTTPCaller(app)
}

func chiApp(gates ...func(http.Handler) http.Handler) Caller {
	app := chi.NewRouter()
	app.With(gates...).Get("/things497/{id}", ok)
	return newHTTPCaller(app)
}
