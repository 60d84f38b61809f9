package echoauth

import (
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// view shows Echo's request to the gates: net/http's with Echo's route.
type view struct {
	adapter.View
	c echo.Context
}

var (
	_ core.BodyReader = (*view)(nil)
	_ core.Detacher   = (*view)(nil)
)

var views adapter.Batch[view]

func newView(c echo.Context) *view {
	v := views.New()
	*v = view{adapter.View{Request: c.Request()}, c}
	return v
}

// Route implements [core.Request].
func (v *view) Route() (core.Route, error) {
	rt, err := v.Matched(v.c.Path())
	if err == nil && rt.Escaped && adapter.EncodedSlashes(rt.Path) > 0 {
		// Echo lets the last parameter of a route run over plain slashes, so
		// only encoded ones count.
		for i, name := range v.c.ParamNames() {
			if name != "*" {
				rt.InnerSlashes += adapter.EncodedSlashes(v.c.ParamValues()[i])
			}
		}
	}
	return rt, err
}

// Param implements [core.Request]. Where there is an escaped path, Echo has
// matched that and left its parameters as they are.
func (v *view) Param(name string) string {
	if v.Request.URL.RawPath == "" {
		return v.c.Param(name)
	}
	return adapter.Param(v.c.Param(name))
}

// Detach implements [core.Detacher].
func (v *view) Detach() core.Request {
	return adapter.Detach(v.Request, adapter.Matches(v, v.c.ParamNames(), false))
}
