package stacks

import (
	"context"
	"errors"
	"net/http"
	"time"

	ginjwt "github.com/appleboy/gin-jwt/v2"
	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	"github.com/casbin/casbin/v2"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/jwtauth/v5"
	fiberjwt "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"
	echocasbin "github.com/labstack/echo-contrib/casbin"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/examples/bench/engines"
)

// The stacks of others are put together as their own documentation does it, in
// their default configuration where there is one.

// ginJWT asks Casbin in the Authorizator.
func ginJWT(w *World) (Caller, error) {
	e, err := engines.NewEnforcer(w.source)
	if err != nil {
		return nil, err
	}
	return w.ginJWT(func(identity any, c *gin.Context) bool {
		user, _ := identity.(string)
		allowed, err := e.Enforce(user, c.Request.URL.Path, c.Request.Method)
		return err == nil && allowed
	})
}

func ginJWTAlone(w *World) (Caller, error) { return w.ginJWT(nil) }

func (w *World) ginJWT(authorizator func(any, *gin.Context) bool) (Caller, error) {
	config := &ginjwt.GinJWTMiddleware{
		Realm:        "things",
		Key:          w.secret,
		Timeout:      time.Hour,
		IdentityKey:  "sub",
		Authorizator: authorizator,
	}
	if w.keysDown {
		config.KeyFunc = noKey
	}
	m, err := ginjwt.New(config)
	if err != nil {
		return nil, err
	}
	return ginApp(m.MiddlewareFunc()), nil
}

func echoJWT(w *World) (Caller, error) {
	e, err := engines.NewEnforcer(w.source)
	if err != nil {
		return nil, err
	}
	policy := echocasbin.MiddlewareWithConfig(echocasbin.Config{
		Enforcer: e,
		UserGetter: func(c echo.Context) (string, error) {
			return c.Get("user").(*jwt.Token).Claims.GetSubject()
		},
	})
	return echoApp(w.echoJWT(), policy), nil
}

func echoJWTAlone(w *World) (Caller, error) { return echoApp(w.echoJWT()), nil }

func (w *World) echoJWT() echo.MiddlewareFunc {
	tokens := echojwt.Config{SigningKey: w.secret}
	if w.keysDown {
		tokens.KeyFunc = noKey
	}
	return echojwt.WithConfig(tokens)
}

func fiberJWT(w *World) (Caller, error) {
	e, err := engines.NewEnforcer(w.source)
	if err != nil {
		return nil, err
	}
	policy := func(c *fiber.Ctx) error {
		user, err := c.Locals("user").(*jwt.Token).Claims.GetSubject()
		if err != nil {
			return fiber.ErrUnauthorized
		}
		allowed, err := e.Enforce(user, c.Path(), c.Method())
		if err != nil {
			return fiber.ErrInternalServerError
		}
		if !allowed {
			return fiber.ErrForbidden
		}
		return c.Next()
	}
	return fiberApp(w.fiberJWT(), policy), nil
}

func fiberJWTAlone(w *World) (Caller, error) { return fiberApp(w.fiberJWT()), nil }

func (w *World) fiberJWT() fiber.Handler {
	tokens := fiberjwt.Config{SigningKey: fiberjwt.SigningKey{JWTAlg: "HS256", Key: w.secret}}
	if w.keysDown {
		tokens.KeyFunc = noKey
	}
	return fiberjwt.New(tokens)
}

func auth0(w *World) (Caller, error) {
	e, err := engines.NewEnforcer(w.source)
	if err != nil {
		return nil, err
	}
	tokens, err := w.auth0()
	if err != nil {
		return nil, err
	}
	policy := ByCasbin(e, func(r *http.Request) string {
		claims, _ := r.Context().Value(jwtmiddleware.ContextKey{}).(*validator.ValidatedClaims)
		if claims == nil {
			return ""
		}
		return claims.RegisteredClaims.Subject
	})
	return muxApp(policy, tokens), nil
}

func auth0Alone(w *World) (Caller, error) {
	tokens, err := w.auth0()
	if err != nil {
		return nil, err
	}
	return muxApp(tokens), nil
}

func (w *World) auth0() (func(http.Handler) http.Handler, error) {
	key := func(context.Context) (any, error) { return w.secret, nil }
	if w.keysDown {
		key = noKey
	}
	v, err := validator.New(key, validator.HS256, issuer, []string{audience})
	if err != nil {
		return nil, err
	}
	return jwtmiddleware.New(v.ValidateToken).CheckJWT, nil
}

func chiJWT(w *World) (Caller, error) {
	e, err := engines.NewEnforcer(w.source)
	if err != nil {
		return nil, err
	}
	tokens := jwtauth.New("HS256", w.secret, nil)
	policy := ByCasbin(e, func(r *http.Request) string {
		token, _, err := jwtauth.FromContext(r.Context())
		if err != nil || token == nil {
			return ""
		}
		return token.Subject()
	})
	return chiApp(jwtauth.Verifier(tokens), jwtauth.Authenticator(tokens), policy), nil
}

func chiJWTAlone(w *World) (Caller, error) {
	tokens := jwtauth.New("HS256", w.secret, nil)
	return chiApp(jwtauth.Verifier(tokens), jwtauth.Authenticator(tokens)), nil
}

var errKeysDown = errors.New("the key server cannot be reached")

// noKey is a function for keys, of whatever it is asked by, while their server
// is down.
func noKey[T any](T) (any, error) { return nil, errKeysDown }

// ByCasbin is the usual dozen lines for frameworks without a middleware for
// Casbin.
func ByCasbin(e *casbin.Enforcer, user func(*http.Request) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			allowed, err := e.Enforce(user(r), r.URL.Path, r.Method)
			switch {
			case err != nil:
				http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			case !allowed:
				http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}
