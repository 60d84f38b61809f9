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

// View shows a request to gates, except for what the router knows about it: its
// methods are those of [core.BodyReader]. All strings are copies, since fasthttp
// overwrites its own with the next request. A view is for one request and must not be
// used concurrently.
type View struct {
	ctx  *fasthttp.RequestCtx
	last string // the last header value copied
	// Authorization as it is lent while a gate decides, once lines is not negative:
	// schemes ask for it several times, and nobody changes the request meanwhile.
	lent     string
	lines    int32
	deciding bool

	rawNames bool
	shared   *Shared   // of a gate that the request has already passed, or nil
	contexts []Watched // unused; others may keep one, so none is reused
}

// contextsAtOnce is how many contexts are allocated at a time, in 480 bytes. They stay
// in memory as long as one of them is in use.
const contextsAtOnce = 10

// Decide must be called when a gate begins to decide about the request, whose context
// is ctx. It returns the context for the decision, which [View.Decided] ends.
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
	v.lines, v.deciding = -1, true
	return w
}

// Decided must be called when the gate has decided, with the context that
// [View.Decide] returned.
func (v *View) Decided(w *Watched) {
	v.lent, v.deciding = "", false
	w.End()
}

// Before returns what the router matched for the first gate that let the request
// pass; the zero value if there was none.
func (v *View) Before() (m routing.Found) {
	if v.shared != nil {
		m = v.shared.matched
	}
	return m
}

// Leave makes room for what the gate stores in the context of a request that passes
// ([core.Room]), and stores what the router has matched there as well.
func (v *View) Leave(ctx context.Context, matched *routing.Found) (*core.Room, context.Context) {
	if v.shared != nil {
		return nil, nil
	}
	s := &Shared{of: v.ctx, matched: *matched}
	return &s.Room, s
}

// Lend is [View.Header] for callers that do not keep the value: that of Authorization
// is fasthttp's own and valid until the gate has decided. It is for the LentHeader
// method of an adapter's own view.
func (v *View) Lend(name string) (value string, count int) {
	if v.rawNames || !v.deciding || name != fasthttp.HeaderAuthorization {
		return v.Header(name)
	}
	if v.lines < 0 {
		h := &v.ctx.Request.Header
		raw := h.DisableNormalizing() // the name is normalized already
		lines := h.PeekAll(name)
		if !raw {
			h.EnableNormalizing()
		}
		if v.lines = int32(len(lines)); v.lines > 0 { //nolint:gosec // a header has fewer lines
			v.lent = unsafe.String(unsafe.SliceData(lines[0]), len(lines[0])) //nolint:gosec // lent: whoever asks keeps nothing
		}
	}
	return v.lent, int(v.lines)
}

// Show makes v, which is new or was cleared by Forget, show the request of ctx.
// rawNames reports that names of header fields are as sent, because the server does
// not normalize them.
func (v *View) Show(ctx *fasthttp.RequestCtx, rawNames bool) { v.ctx, v.rawNames = ctx, rawNames }

// Forget clears v for another request. Nobody else may be using it.
func (v *View) Forget() {
	contexts := v.contexts
	*v = View{}
	v.contexts = contexts
}

// CopyOfMethod returns a copy of a method; known ones are not copied.
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

// Target returns the request target as sent.
func (v *View) Target() string { return string(v.ctx.Request.Header.RequestURI()) }

// Host returns the host that the request names.
func (v *View) Host() string { return string(v.ctx.Request.Host()) }

// Header returns the first line of a field, and the number of lines.
func (v *View) Header(name string) (value string, count int) {
	h := &v.ctx.Request.Header
	if v.rawNames {
		// Names are as sent, so each line must be compared.
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

// doubted returns how many lines a field has of which count were found. fasthttp puts
// the fields of a trailer, which proxies may pass on unseen, among those of the header
// (RFC 9110 §6.5.1 says why not to). A field that is not in the header as sent counts
// twice, so that no scheme accepts it: there is no telling whether a middleware set it.
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

// hasLine reports whether a header as sent has a field called name.
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

// Cookie returns the first cookie with a name, and how many there are, with those that
// fasthttp leaves out.
func (v *View) Cookie(name string) (value string, count int) {
	h := &v.ctx.Request.Header
	for key, val := range h.Cookies() {
		if string(bytes.Trim(key, "\t")) == name { // as net/http reads it, and fasthttp from 1.77 on
			value, count = first(value, val, count)
		}
	}
	for line := range bytes.Lines(h.RawHeaders()) {
		if field, list, _ := bytes.Cut(line, []byte(":")); len(field) == len("Cookie") && strings.EqualFold(string(field), "Cookie") {
			count += leftOut(list, name)
		}
	}
	return value, count
}

// leftOut returns how many cookies with a name fasthttp leaves out of a list, for a quote
// or a backslash in their value.
func leftOut(list []byte, name string) (count int) {
	for pair := range bytes.SplitSeq(bytes.Trim(list, " \t\r\n"), []byte(";")) {
		key, val, ok := bytes.Cut(bytes.TrimRight(pair, " "), []byte("="))
		if !ok || string(bytes.Trim(key, " \t")) != name {
			continue
		}
		val = bytes.TrimLeft(val, " ")
		if n := len(val); n > 1 && val[0] == '"' && val[n-1] == '"' {
			val = val[1 : n-1]
		}
		if bytes.ContainsAny(val, `"\`) {
			count++
		}
	}
	return count
}

// Query returns the first value of a query parameter, and how many there are.
func (v *View) Query(name string) (value string, count int) {
	for _, val := range v.ctx.QueryArgs().PeekMulti(name) {
		value, count = first(value, val, count)
	}
	return value, count
}

// TLS returns the state of the connection, or nil without TLS.
func (v *View) TLS() *tls.ConnectionState { return v.ctx.TLSConnectionState() }

// RemoteAddrPort is RemoteAddr without formatting it, which every event would pay for.
func (v *View) RemoteAddrPort() netip.AddrPort {
	if a, ok := v.ctx.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// RemoteAddr returns the address of the peer.
func (v *View) RemoteAddr() string { return v.ctx.RemoteAddr().String() }

// Body returns the bytes that fasthttp has read, as they were sent, or the stream of
// a body that is streamed.
func (v *View) Body() io.Reader {
	if v.ctx.Request.IsBodyStream() {
		return v.ctx.Request.BodyStream()
	}
	return bytes.NewReader(v.ctx.Request.Body())
}
