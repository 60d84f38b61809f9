package fiberauth

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
)

// view shows a Fiber request to the gates. All strings are copied: Fiber
// writes over its own with the next request.
type view struct {
	c     *fiber.Ctx
	app   *resolver
	match match
	found bool // match is filled in
}

var _ core.Request = (*view)(nil)

func newView(c *fiber.Ctx) *view { return &view{c: c, app: resolverFor(c.App())} }

// methods gives known methods without copying.
var methods = map[string]string{
	http.MethodGet: http.MethodGet, http.MethodHead: http.MethodHead,
	http.MethodPost: http.MethodPost, http.MethodPut: http.MethodPut,
	http.MethodPatch: http.MethodPatch, http.MethodDelete: http.MethodDelete,
	http.MethodOptions: http.MethodOptions,
}

func (v *view) Method() string {
	m := v.c.Method()
	if known, ok := methods[m]; ok {
		return known
	}
	return strings.Clone(m)
}

func (v *view) Target() string { return string(v.c.Request().Header.RequestURI()) }

func (v *view) Host() string { return string(v.c.Request().Host()) }

// Route resolves the route once and keeps it for Param.
func (v *view) Route() (core.Route, error) {
	if strings.IndexByte(v.c.OriginalURL(), '#') >= 0 {
		return core.Route{}, core.ErrAmbiguousPath // fasthttp drops what follows
	}
	m, err := v.app.resolve(v.c)
	if err != nil {
		return core.Route{}, err
	}
	v.match, v.found = m, true
	rt := core.Route{Path: m.path, Escaped: m.escaped}
	if m.pattern != nil {
		rt.Pattern = m.pattern.text
	}
	return rt, nil
}

func (v *view) Param(name string) string {
	if !v.found {
		if _, err := v.Route(); err != nil {
			return ""
		}
	}
	p := v.match.param(name, v.app.fold)
	if v.match.escaped {
		if decoded, err := url.PathUnescape(p); err == nil {
			return decoded
		}
	}
	return p
}

func (v *view) Header(name string) (value string, count int) {
	h := &v.c.Request().Header
	if v.app.rawNames {
		// Names are as sent, so each line is looked at.
		h.VisitAll(func(key, val []byte) {
			if strings.EqualFold(string(key), name) {
				value, count = first(value, val, count)
			}
		})
		return value, count
	}
	for _, val := range h.PeekAll(name) {
		value, count = first(value, val, count)
	}
	return value, count
}

// first counts one more value and keeps the first.
func first(value string, next []byte, count int) (string, int) {
	if count == 0 {
		value = string(next)
	}
	return value, count + 1
}

func (v *view) Cookie(name string) (value string, count int) {
	v.c.Request().Header.VisitAllCookie(func(key, val []byte) {
		if string(key) == name {
			value, count = first(value, val, count)
		}
	})
	return value, count
}

func (v *view) Query(name string) (value string, count int) {
	for _, val := range v.c.Context().QueryArgs().PeekMulti(name) {
		value, count = first(value, val, count)
	}
	return value, count
}

func (v *view) TLS() *tls.ConnectionState { return v.c.Context().TLSConnectionState() }

func (v *view) RemoteAddr() string { return v.c.Context().RemoteAddr().String() }
