package fiberauth

import (
	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
)

// conceal answers as the app does for an unknown path.
func conceal(c fiber.Ctx, v *core.Verdict) error {
	native, undo, _ := v.Concealed()
	h, err := notFound(native)
	if err != nil { // only if no gate of the guard is mounted
		fasthttpauth.Write(c.RequestCtx(), v.Response)
		return nil
	}
	fasthttpauth.Undo(&c.Response().Header, undo)
	return h(c)
}

// notFound returns the handler for unknown paths given to [core.WithConcealment].
func notFound(native any) (fiber.Handler, error) {
	return adapter.NotFound[fiber.Handler](native, unknown, "a fiber.Handler")
}

// unknown returns what Fiber's router returns if no route is left.
func unknown(fiber.Ctx) error { return fiber.ErrNotFound }
