package ginauth

import (
	"crypto/tls"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// view shows Gin's request to the gates: net/http's with a second look at odd
// paths. It is one pointer, so that it becomes a [core.Request] without
// allocation.
type view struct{ c *gin.Context }

var _ core.Request = view{}

func newView(c *gin.Context) view { return view{c} }

// Route implements [core.Request]. With Engine.UseRawPath, Gin decodes a plus
// in a parameter to a blank, which a path does not mean (RFC 3986 §2.2): what
// the handler would be given must stand in the path that policies judge.
func (v view) Route() (core.Route, error) {
	u := v.c.Request.URL
	if u.RawPath != "" {
		for _, p := range v.c.Params {
			if !strings.Contains(u.Path, p.Value) && !strings.Contains(u.RawPath, p.Value) {
				return core.Route{}, core.ErrAmbiguousPath
			}
		}
	}
	return v.http().Matched(v.c.FullPath())
}

func (v view) Param(name string) string { return v.c.Param(name) }

// http shows what is the same in every net/http request.
func (v view) http() httpauth.View { return httpauth.View{Request: v.c.Request} }

func (v view) Method() string { return v.c.Request.Method }

func (v view) Target() string { return v.http().Target() }

func (v view) Host() string { return v.http().Host() }

func (v view) Header(name string) (string, int) { return v.http().Header(name) }

func (v view) Cookie(name string) (string, int) { return v.http().Cookie(name) }

func (v view) Query(name string) (string, int) { return v.http().Query(name) }

func (v view) TLS() *tls.ConnectionState { return v.http().TLS() }

func (v view) RemoteAddr() string { return v.http().RemoteAddr() }
