package fiberauth

import (
	"fmt"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
)

// conceal answers as the app does for a path it does not know.
func conceal(c fiber.Ctx, v *core.Verdict) error {
	native, undo, _ := v.Concealed()
	h, err := notFound(native)
	if err != nil { // only a guard no gate of which is mounted
		fasthttpauth.Write(c.Response(), v.Response)
		return nil
	}
	fasthttpauth.Undo(&c.Response().Header, undo)
	return h(c)
}

// notFound is the handler for unknown paths given to [core.WithConcealment].
func notFound(native any) (fiber.Handler, error) {
	switch h := native.(type) {
	case nil:
		return unknown, nil
	case fiber.Handler: // the same type as func(fiber.Ctx) error
		return h, nil
	}
	return nil, fmt.Errorf("concealment: %T is not a fiber.Handler", native)
}

// unknown is what Fiber's router returns where no route is left.
func unknown(fiber.Ctx) error { return fiber.ErrNotFound }
