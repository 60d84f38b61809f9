package core

import (
	"context"
	"net/netip"
	"strings"

	"github.com/sallyport-go/sallyport/core/option"
)

// ClientAddr returns the address of the peer, or the one that [WithClientAddress]
// finds in the request; "" if there is none, as on a Unix domain socket.
func (e *Event) ClientAddr() string {
	client := e.client
	if !client.IsValid() {
		peer, err := netip.ParseAddrPort(e.peer)
		if err != nil {
			return "" // on a Unix-domain socket
		}
		client = peer.Addr()
	}
	return e.shown(client.Unmap().WithZone("").String())
}

// described is a [Request] that can say what each event holds of it at less cost: its
// peer's address without formatting it, and two fields without counting their lines.
type described interface {
	RemoteAddrPort() netip.AddrPort
	IDs() (requestID, traceparent string)
}

// maxRequestID is the maximum length in bytes of a request ID in an event.
const maxRequestID = 1 << 10

// from records where r comes from, and by which IDs others know it. Its RemoteAddr is
// parsed only when an observer asks.
func (e *Event) from(ctx context.Context, g *Guard, r Request) {
	var traceparent string
	d, ok := r.(described)
	if ok {
		e.RequestID, traceparent = d.IDs()
	} else {
		e.RequestID, _ = r.Header("X-Request-Id")
		traceparent, _ = r.Header("Traceparent")
	}
	if len(e.RequestID) > maxRequestID {
		e.RequestID = strings.Clone(e.RequestID[:maxRequestID])
	}
	switch {
	case g.clientAddr != nil:
		e.client, _ = g.clientAddr(r)
	case ok:
		e.client = d.RemoteAddrPort().Addr()
	default:
		e.peer = r.RemoteAddr()
	}
	if g.traceID != nil {
		e.TraceID = g.traceID(ctx)
	}
	if e.TraceID == "" {
		e.TraceID = traceID(traceparent)
	}
}

// WithClientAddress sets the function that finds the client address for events,
// usually the Client method of a trust in proxies (package proxy). Its address is
// used even if it also returns an error: it is then the address of a proxy. Without
// this option the address is the peer's.
func WithClientAddress(of func(Request) (netip.Addr, error)) Option {
	return func(g *Guard) error { return option.Set(&g.clientAddr, of, "client address is nil") }
}
