package fiberauth

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// view shows a Fiber request to the gates. All strings are copied: Fiber
// writes over its own with the next request.
type view struct {
	c     *fiber.Ctx
	app   *resolver
	match match
	found bool   // match is filled in
	last  string // the header value that was copied last
	watch watched
}

var _ core.Request = (*view)(nil)

func newView(c *fiber.Ctx) *view { return &view{c: c, app: resolverFor(c.App())} }

// Method gives known methods without copying.
func (v *view) Method() string {
	switch m := v.c.Method(); m {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodHead:
		return http.MethodHead
	case http.MethodPost:
		return http.MethodPost
	case http.MethodPut:
		return http.MethodPut
	case http.MethodPatch:
		return http.MethodPatch
	case http.MethodDelete:
		return http.MethodDelete
	case http.MethodOptions:
		return http.MethodOptions
	default:
		return strings.Clone(m)
	}
}

func (v *view) Target() string { return string(v.c.Request().Header.RequestURI()) }

func (v *view) Host() string { return string(v.c.Request().Host()) }

// Route resolves the route once and keeps it for Param.
func (v *view) Route() (core.Route, error) {
	target := v.c.OriginalURL()
	if strings.IndexByte(target, '#') >= 0 || strings.HasPrefix(target, "//") {
		// fasthttp drops what follows the first, and takes what follows the
		// second for a host where the request names none.
		return core.Route{}, core.ErrAmbiguousPath
	}
	m, err := v.app.resolve(v.c)
	if err != nil {
		return core.Route{}, err
	}
	v.match, v.found = m, true
	if m.pattern != nil && m.Escaped && adapter.EncodedSlashes(m.Path) > 0 {
		v.match.InnerSlashes = v.innerSlashes()
	}
	return v.match.Route, nil
}

// innerSlashes counts the encoded slashes in parameters of one segment.
func (v *view) innerSlashes() int {
	m := &v.match
	if m.values == nil {
		m.values = copied(v.c, m.pattern.params)
	}
	if m.pattern.indirect || len(m.values) != len(m.pattern.params) {
		return 0 // which value is whose is not known
	}
	n := 0
	for i, name := range m.pattern.params {
		if name[0] != '*' && name[0] != '+' {
			n += adapter.EncodedSlashes(m.values[i])
		}
	}
	return n
}

func (v *view) Param(name string) string {
	if !v.found {
		if _, err := v.Route(); err != nil {
			return ""
		}
	}
	m := &v.match
	if m.pattern == nil {
		return ""
	}
	if m.values == nil {
		if e := v.app.entries[v.c.Route()]; e == nil || e.pattern != m.pattern {
			return "" // Fiber has gone on to another route
		}
		m.values = copied(v.c, m.pattern.params)
	}
	p := m.pattern.param(name, m.values, v.app.fold)
	if m.Escaped {
		return adapter.Param(p)
	}
	return p
}

func (v *view) Header(name string) (value string, count int) {
	h := &v.c.Request().Header
	if v.app.rawNames {
		// Names are as sent, so each line is looked at.
		for key, val := range h.All() {
			if strings.EqualFold(string(key), name) {
				value, count = first(value, val, count)
			}
		}
		return value, count
	}
	lines := h.PeekAll(name)
	if len(lines) == 0 {
		return "", 0
	}
	if string(lines[0]) != v.last { // credentials are looked at twice
		v.last = string(lines[0])
	}
	return v.last, len(lines)
}

// first counts one more value and keeps the first.
func first(value string, next []byte, count int) (string, int) {
	if count == 0 {
		value = string(next)
	}
	return value, count + 1
}

func (v *view) Cookie(name string) (value string, count int) {
	for key, val := range v.c.Request().Header.Cookies() {
		if string(key) == name {
			value, count = first(value, val, count)
		}
	}
	return value, count
}

func (v *view) Query(name string) (value string, count int) {
	for _, val := range v.c.Context().QueryArgs().PeekMulti(name) {
		value, count = first(value, val, count)
	}
	return value, count
}

func (v *view) TLS() *tls.ConnectionState { return v.c.Context().TLSConnectionState() }

// RemoteAddrPort is RemoteAddr without a text, which every event would pay for.
func (v *view) RemoteAddrPort() netip.AddrPort {
	if a, ok := v.c.Context().RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

func (v *view) RemoteAddr() string { return v.c.Context().RemoteAddr().String() }
