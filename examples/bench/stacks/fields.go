package stacks

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	fiber3 "github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"
)

// Fields is the guard of [FieldsAlone].
const Fields = "fields"

// FieldsAlone are bare apps with a middleware that puts the two fields into each answer
// which a gate of ours has to, and does nothing else. It is what these cost a server:
// net/http copies a header into which anybody has put a field.
func FieldsAlone() []Stack {
	return []Stack{
		{"gin", Fields, 200, func(*World) (Caller, error) {
			return ginApp(func(c *gin.Context) { addFields(c.Writer) }), nil
		}},
		{"echo", Fields, 200, func(*World) (Caller, error) {
			return echoApp(func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error {
					addFields(c.Response())
					return next(c)
				}
			}), nil
		}},
		{"echo5", Fields, 200, func(*World) (Caller, error) {
			return echo5App(func(next echo5.HandlerFunc) echo5.HandlerFunc {
				return func(c *echo5.Context) error {
					addFields(c.Response())
					return next(c)
				}
			}), nil
		}},
		{"fiber", Fields, 200, func(*World) (Caller, error) {
			return fiberApp(func(c *fiber.Ctx) error {
				c.Set("Cache-Control", "private")
				c.Set("Vary", "Authorization")
				return c.Next()
			}), nil
		}},
		{"fiber3", Fields, 200, func(*World) (Caller, error) {
			return fiber3App(func(c fiber3.Ctx) error {
				c.Set("Cache-Control", "private")
				c.Set("Vary", "Authorization")
				return c.Next()
			}), nil
		}},
		{"nethttp", Fields, 200, func(*World) (Caller, error) { return muxApp(fieldsAdded), nil }},
		{"chi", Fields, 200, func(*World) (Caller, error) { return chiApp(fieldsAdded), nil }},
	}
}

func fieldsAdded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addFields(w)
		next.ServeHTTP(w, r)
	})
}

func addFields(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "private")
	w.Header().Set("Vary", "Authorization")
}
