package core

import (
	"net/netip"

	"github.com/sallyport-go/sallyport/core/option"
)

// ClientAddr is the address of the peer, or what [WithClientAddress] makes of the
// request; "" where there is none, as on a Unix-domain socket.
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

// addressed is a [Request] that knows its peer's address without making a text of
// it for each event.
type addressed interface{ RemoteAddrPort() netip.AddrPort }

// from notes where r comes from. What its RemoteAddr says is not read before an
// observer asks.
func (e *Event) from(g *Guard, r Request) {
	if g.clientAddr != nil {
		e.client, _ = g.clientAddr(r)
	} else if a, ok := r.(addressed); ok {
		e.client = a.RemoteAddrPort().Addr()
	} else {
		e.peer = r.RemoteAddr()
	}
}

// WithClientAddress sets where the address in events comes from, commonly the
// Client method of a trust in proxies (package proxy). What it returns is used
// with an error too: it is then that of a proxy. Without this option it is the
// peer's.
func WithClientAddress(of func(Request) (netip.Addr, error)) Option {
	return func(g *Guard) error { return option.Set(&g.clientAddr, of, "client address is nil") }
}
