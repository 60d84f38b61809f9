package core

import (
	"net/netip"

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

// addressed is a [Request] that can return its peer's address without formatting it
// for each event.
type addressed interface{ RemoteAddrPort() netip.AddrPort }

// from records where r comes from. Its RemoteAddr is parsed only when an observer
// asks.
func (e *Event) from(g *Guard, r Request) {
	if g.clientAddr != nil {
		e.client, _ = g.clientAddr(r)
	} else if a, ok := r.(addressed); ok {
		e.client = a.RemoteAddrPort().Addr()
	} else {
		e.peer = r.RemoteAddr()
	}
}

// WithClientAddress sets the function that finds the client address for events,
// usually the Client method of a trust in proxies (package proxy). Its address is
// used even if it also returns an error: it is then the address of a proxy. Without
// this option the address is the peer's.
func WithClientAddress(of func(Request) (netip.Addr, error)) Option {
	return func(g *Guard) error { return option.Set(&g.clientAddr, of, "client address is nil") }
}
