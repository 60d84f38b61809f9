package cors

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	fibercors "github.com/gofiber/fiber/v2/middleware/cors"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
	"github.com/rs/cors"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/fiberauth"
	"github.com/sallyport-go/sallyport/ginauth"
)

const (
	front    = "https://front.example"
	stranger = "https://stranger.example"
)

// onlyAlice is the rule behind the gates.
var onlyAlice = authtest.AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
	return core.Decision{Allowed: p.ID() == "alice"}, nil
})

// servers serve GET /data for alice on l, with the framework's own CORS
// middleware outside of the gates or inside.
var servers = map[string]func(t *testing.T, l net.Listener, g *core.Guard, outside bool){
	"gin": func(t *testing.T, l net.Listener, g *core.Guard, outside bool) {
		gin.SetMode(gin.TestMode)
		app := gin.New()
		own := gincors.New(gincors.Config{AllowOrigins: []string{front}, AllowMethods: []string{"GET"}, AllowHeaders: []string{"Authorization"}, AllowCredentials: true})
		app.Use(ordered(outside, own, ginauth.Require(g, onlyAlice))...)
		app.GET("/data", func(c *gin.Context) { c.String(http.StatusOK, "data") })
		app.OPTIONS("/data", func(c *gin.Context) { c.String(http.StatusOK, "options") })
		authtest.ServeHTTP(t, l, app)
	},
	"echo": func(t *testing.T, l net.Listener, g *core.Guard, outside bool) {
		app := echo.New()
		app.HideBanner, app.HidePort = true, true
		own := echomiddleware.CORSWithConfig(echomiddleware.CORSConfig{AllowOrigins: []string{front}, AllowHeaders: []string{"Authorization"}, AllowCredentials: true})
		app.Use(ordered(outside, own, echoauth.Require(g, onlyAlice))...)
		app.GET("/data", func(c echo.Context) error { return c.String(http.StatusOK, "data") })
		authtest.ServeHTTP(t, l, app)
	},
	"echo5": serveEcho5,
	"fiber": func(t *testing.T, l net.Listener, g *core.Guard, outside bool) {
		app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadTimeout: authtest.TimeLimit(time.Minute)})
		own := fibercors.New(fibercors.Config{AllowOrigins: front, AllowHeaders: "Authorization", AllowCredentials: true})
		for _, m := range ordered(outside, own, fiberauth.Require(g, onlyAlice)) {
			app.Use(m)
		}
		app.Get("/data", func(c *fiber.Ctx) error { return c.SendString("data") })
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = app.Listener(l) // ends when the app is shut down
		}()
		t.Cleanup(func() {
			_ = app.ShutdownWithTimeout(authtest.TimeLimit(2 * time.Second))
			_ = l.Close()
			<-done
		})
	},
	"fiber3": serveFiber3,
	"net/http": func(t *testing.T, l net.Listener, g *core.Guard, outside bool) {
		own := cors.New(cors.Options{AllowedOrigins: []string{front}, AllowedHeaders: []string{"Authorization"}, AllowCredentials: true}).Handler
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("data")) })
		layers := ordered(outside, own, httpauth.Require(g, onlyAlice))
		mux := http.NewServeMux()
		mux.Handle("/data", layers[0](layers[1](h)))
		authtest.ServeHTTP(t, l, mux)
	},
}

// ordered are two layers, the outer one first.
func ordered[M any](outside bool, own, gate M) []M {
	if outside {
		return []M{own, gate}
	}
	return []M{gate, own}
}

// A17, A18: whichever stands first, a page of an allowed origin learns why it
// was refused, its preflight passes, and a page of any other learns nothing.
func TestBesideTheFrameworksOwn(t *testing.T) {
	for name, serve := range servers {
		for _, outside := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/outside=%v", name, outside), func(t *testing.T) {
				g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithCORS(front),
					core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
				if err != nil {
					t.Fatal(err)
				}
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				serve(t, l, g, outside)
				addr := l.Addr().String()
				answers(t, addr)
				preflights(t, addr)
			})
		}
	}
}

func answers(t *testing.T, addr string) {
	for _, tt := range []struct {
		credentials string
		status      int
	}{{"X-None: 1", 401}, {"Authorization: Name bad", 401}, {"Authorization: Name bob", 403}, {"Authorization: Name alice", 200}} {
		a := authtest.Send(t, addr, authtest.Request("GET", "/data", tt.credentials, "Origin: "+front))
		if a.Status != tt.status {
			t.Errorf("%s: %d %q, want %d", tt.credentials, a.Status, a.Body, tt.status)
		}
		if got := a.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != front {
			t.Errorf("%d: allowed origin %q", tt.status, got)
		}
		if got := a.Header.Values("Access-Control-Allow-Credentials"); len(got) != 1 || got[0] != "true" {
			t.Errorf("%d: allowed credentials %q", tt.status, got)
		}
		if exposed := strings.Join(a.Header.Values("Access-Control-Expose-Headers"), ","); tt.status != 200 && !strings.Contains(exposed, "WWW-Authenticate") {
			t.Errorf("%d: exposed %q", tt.status, exposed)
		}
		if vary := strings.Join(a.Header.Values("Vary"), ","); !strings.Contains(vary, "Origin") {
			t.Errorf("%d: Vary %q", tt.status, vary)
		}
		a = authtest.Send(t, addr, authtest.Request("GET", "/data", tt.credentials, "Origin: "+stranger))
		if got := a.Header.Get("Access-Control-Allow-Origin"); got == stranger || got == "*" {
			t.Errorf("%d: a stranger may read it: %q", a.Status, got)
		}
	}
}

func preflights(t *testing.T, addr string) {
	ask := func(origin string) authtest.Answer {
		return authtest.Send(t, addr, authtest.Request("OPTIONS", "/data", "Origin: "+origin,
			"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"))
	}
	a := ask(front)
	if a.Status < 200 || a.Status > 299 || a.Body != "" {
		t.Errorf("preflight: %d %q", a.Status, a.Body)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": front, "Access-Control-Allow-Methods": "GET", "Access-Control-Allow-Headers": "authorization",
	} {
		if got := strings.Join(a.Header.Values(name), ","); !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("preflight: %s %q, want %q", name, got, want)
		}
	}
	if a := ask(stranger); a.Header.Get("Access-Control-Allow-Origin") == stranger || a.Body != "" {
		t.Errorf("a stranger's preflight: %d %q %v", a.Status, a.Body, a.Header)
	}
}
