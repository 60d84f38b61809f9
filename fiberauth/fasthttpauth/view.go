package fasthttpauth

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// View shows a request to gates, apart from what the router knows of it: its
// methods are those of [core.BodyReader]. All strings are copies: fasthttp writes
// over its own with the next request. A view is for one request and not for
// several goroutines.
type View struct {
	ctx  *fasthttp.RequestCtx
	last string // the header value that was copied last
	// The field that was lent last, while a gate decides: schemes ask for the same
	// one several times, and nobody changes the request meanwhile.
	lentName, lent string
	lines          int32
	deciding       bool

	rawNames bool
	shared   *Shared   // of a gate that the request has passed before; nil for none
	contexts []Watched // unused ones; others may keep one, so none is used twice
}

// contextsAtOnce is how many contexts are allocated at a time, 480 bytes in all. They
// stay in memory as long as one of them is in use.
const contextsAtOnce = 10

// Decide is to be called when a gate begins to decide about the request, whose context
// is ctx. It returns the context to decide with, which [View.Decided] ends.
func (v *View) Decide(ctx context.Context) *Watched {
	if v.shared, _ = ctx.Value(sharedKey{}).(*Shared); v.shared != nil && v.shared.of != v.ctx {
		v.shared = nil
	}
	if len(v.contexts) == 0 {
		v.contexts = make([]Watched, contextsAtOnce)
	}
	w := &v.contexts[0]
	v.contexts = v.contexts[1:]
	w.Begin(ctx, v.ctx.Conn())
	v.deciding = true
	return w
}

// Decided is to be called when the gate has decided, with the context of [View.Decide].
func (v *View) Decided(w *Watched) {
	v.lentName, v.lent, v.lines, v.deciding = "", "", 0, false
	w.End()
}

// Before is what the router matched for the first gate that let the request pass; the
// zero value for none.
func (v *View) Before() (m routing.Found) {
	if v.shared != nil {
		m = v.shared.matched
	}
	return m
}

// Leave makes room for what the gate leaves in the context of a request that passes
// ([core.Room]), and leaves what the router has matched there as well.
func (v *View) Leave(ctx context.Context, matched *routing.Found) (*core.Room, context.Context) {
	if v.shared != nil {
		return nil, nil
	}
	s := &Shared{Context: ctx, of: v.ctx, matched: *matched}
	return &s.room, s
}

// Lend is [View.Header] for who does not keep the value, which is fasthttp's own and
// good until the gate has decided. For a method LentHeader of an adapter's own view.
func (v *View) Lend(name string) (value string, count int) {
	if v.rawNames || !v.deciding {
		return v.Header(name)
	}
	if v.lentName != name {
		v.lentName, v.lent, v.lines = name, "", 0
		if lines := v.ctx.Request.Header.PeekAll(name); len(lines) > 0 {
			v.lent, v.lines = unsafe.String(unsafe.SliceData(lines[0]), len(lines[0])), int32(v.doubted(name, len(lines))) //nolint:gosec // lent: whoever asks keeps nothing
		}
	}
	return v.lent, int(v.lines)
}

// NewView shows the request of ctx. rawNames says that names of header fields are
// as sent, since the server does not normalize them.
func NewView(ctx *fasthttp.RequestCtx, rawNames bool) View { return View{ctx: ctx, rawNames: rawNames} }

// Show makes v, which is new or has been forgotten, show the request of ctx as [NewView]
// does.
func (v *View) Show(ctx *fasthttp.RequestCtx, rawNames bool) { v.ctx, v.rawNames = ctx, rawNames }

// Forget clears v for another request. Nobody else may be using it.
func (v *View) Forget() {
	contexts := v.contexts
	*v = View{}
	v.contexts = contexts
}

// CopyOfMethod copies a method, and gives known ones without copying.
func CopyOfMethod(method string) string {
	switch method {
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
		return strings.Clone(method)
	}
}

// Target is the request target as sent.
func (v *View) Target() string { return string(v.ctx.Request.Header.RequestURI()) }

// Host is the host that the request names.
func (v *View) Host() string { return string(v.ctx.Request.Host()) }

// Header is the first line of a field, and how many there are.
func (v *View) Header(name string) (value string, count int) {
	h := &v.ctx.Request.Header
	if v.rawNames {
		// Names are as sent, so each line is looked at.
		for key, val := range h.All() {
			if strings.EqualFold(string(key), name) {
				value, count = first(value, val, count)
			}
		}
		return value, v.doubted(name, count)
	}
	lines := h.PeekAll(name)
	if len(lines) == 0 {
		return "", 0
	}
	if string(lines[0]) != v.last { // credentials are looked at twice
		v.last = string(lines[0])
	}
	return v.last, v.doubted(name, len(lines))
}

// IDs returns the first X-Request-Id and Traceparent, for events.
func (v *View) IDs() (requestID, traceparent string) {
	if v.rawNames {
		requestID, _ = v.Header(requestIDField)
		traceparent, _ = v.Header(traceField)
		return requestID, traceparent
	}
	h := &v.ctx.Request.Header // Header would normalize the names and count the lines
	return string(h.PeekCanonical([]byte(requestIDField))), string(h.PeekCanonical([]byte(traceField)))
}

const requestIDField, traceField = "X-Request-Id", "Traceparent"

// doubted is how many lines a field has of which count were found. fasthttp puts fields
// behind a chunked body, which proxies may pass on unseen, among those of the header
// (RFC 9110 §6.5.1 says why not). One that is not in the header as it was sent counts
// twice, so that no scheme takes it: whether a middleware has set it cannot be known.
func (v *View) doubted(name string, count int) int {
	h := &v.ctx.Request.Header
	if length := h.ContentLength(); count != 1 || length != -1 && length != 0 || name == "Authorization" { // which is refused there
		return count
	}
	if raw := h.RawHeaders(); hasLine(raw, "Transfer-Encoding") && !hasLine(raw, name) {
		return 2
	}
	return 1
}

// hasLine reports whether there is a field called name in a header as it was sent.
func hasLine(raw []byte, name string) bool {
	for line := range bytes.Lines(raw) {
		if key, _, ok := bytes.Cut(line, []byte(":")); ok && len(key) == len(name) && strings.EqualFold(string(key), name) {
			return true
		}
	}
	return false
}

// first counts one more value and keeps the first.
func first(value string, next []byte, count int) (string, int) {
	if count == 0 {
		value = string(next)
	}
	return value, count + 1
}

// Cookie is the first cookie of a name, and how many there are.
func (v *View) Cookie(name string) (value string, count int) {
	for key, val := range v.ctx.Request.Header.Cookies() {
		if string(key) == name {
			value, count = first(value, val, count)
		}
	}
	return value, count
}

// Query is the first value of a query parameter, and how many there are.
func (v *View) Query(name string) (value string, count int) {
	for _, val := range v.ctx.QueryArgs().PeekMulti(name) {
		value, count = first(value, val, count)
	}
	return value, count
}

// TLS is the state of the connection, nil for one without TLS.
func (v *View) TLS() *tls.ConnectionState { return v.ctx.TLSConnectionState() }

// RemoteAddrPort is RemoteAddr without a text, which every event would pay for.
func (v *View) RemoteAddrPort() netip.AddrPort {
	if a, ok := v.ctx.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// RemoteAddr is the address of the peer.
func (v *View) RemoteAddr() string { return v.ctx.RemoteAddr().String() }

// Body gives the bytes that fasthttp has read, as they were sent, or what it
// streams.
func (v *View) Body() io.Reader {
	if v.ctx.Request.IsBodyStream() {
		return v.ctx.Request.BodyStream()
	}
	return bytes.NewReader(v.ctx.Request.Body())
}
