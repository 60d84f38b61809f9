// Package proxy says who the client is when trusted proxies stand in front of
// a service.
//
// A forwarding header is a claim by whoever sent it. Each proxy appends the
// address it was called from, so the list is proven from its right end only as
// far as its authors are trusted: the peer of the connection, then the address
// the peer appended if the peer is trusted, and so on. What stands left of the
// first address that is not trusted was written by the client, who can write
// anything.
package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// ErrUnproven says that a trusted proxy did not say, or not readably, whom it
// called for. The address that comes with it is that of the proxy.
var ErrUnproven = errors.New("client address not proven")

// maxHops is how many proxies in a row are followed; real chains have a few.
const maxHops = 32

// Trust knows which peers are proxies whose word counts. It is made by [New];
// a nil Trust trusts nobody, so that every peer is the client itself. It is
// immutable and safe for concurrent use.
type Trust struct {
	prefixes []netip.Prefix
	unix     bool
	header   string
	previous func(value string) (hop, rest string, err error)
}

// Option configures a [Trust].
type Option func(*Trust) error

// WithForwarded reads the Forwarded header of RFC 7239 in place of
// X-Forwarded-For. Only one of them is ever read: proxies that write one pass
// on what clients put into the other.
func WithForwarded() Option {
	return func(t *Trust) error {
		t.header, t.previous = "Forwarded", lastForwarded
		return nil
	}
}

// WithUnixSocket trusts peers on a Unix-domain socket, which have no address. Who
// may connect is then a matter of the socket's file permissions.
func WithUnixSocket() Option {
	return func(t *Trust) error {
		t.unix = true
		return nil
	}
}

// New makes a trust in the proxies whose addresses are within prefixes, with
// X-Forwarded-For as the header they write.
//
// List the proxies and nothing else: whoever has an address in a prefix can
// claim any address. A prefix that holds all addresses, has bits set beyond
// its length or is no prefix is an error, and so is a trust in nobody. IPv4
// prefixes also hold IPv4-mapped IPv6 addresses.
func New(prefixes []netip.Prefix, opts ...Option) (*Trust, error) {
	t := &Trust{header: "X-Forwarded-For", previous: lastXForwardedFor}
	for _, p := range prefixes {
		clean, err := cleanPrefix(p)
		if err != nil {
			return nil, fmt.Errorf("proxy: %w", err)
		}
		t.prefixes = append(t.prefixes, clean)
	}
	if err := option.Apply(t, opts); err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	if len(t.prefixes) == 0 && !t.unix {
		return nil, errors.New("proxy: no trusted proxy: name their prefixes, or use a nil Trust where there are none")
	}
	return t, nil
}

func cleanPrefix(p netip.Prefix) (netip.Prefix, error) {
	if !p.IsValid() {
		return p, fmt.Errorf("prefix %v is not valid", p)
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return p, fmt.Errorf("prefix %v: write it as an IPv4 or an IPv6 prefix", p)
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if p.Bits() == 0 {
		return p, fmt.Errorf("prefix %v trusts everyone: any client could choose its address", p)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("prefix %v: write %v for the network, or %v for the one address",
			p, p.Masked(), netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))
	}
	return p, nil
}

// PeerTrusted reports whether the peer of r's connection is a trusted proxy,
// so that what it says in header fields may be believed. Behind a chain of
// proxies the peer is the last one.
func (t *Trust) PeerTrusted(r core.Request) bool {
	if t == nil {
		return false
	}
	addr, unix := peer(r)
	return t.trusts(addr, unix)
}

// Client returns the address r comes from: the peer's if it is not trusted,
// and else the rightmost address in the forwarding header that is not; if all
// are, the leftmost. The address has no zone, and IPv4-mapped ones are IPv4.
//
// The error is [ErrUnproven] where the header is missing, there on several
// lines, or unreadable before such an address is found, and for more than 32
// trusted proxies. The address is then that of the proxy which was to name the client: fit for counting, since
// nobody but the proxy can cause it to be counted, and unfit for letting
// someone in. It is the zero Addr for a peer without an address.
func (t *Trust) Client(r core.Request) (netip.Addr, error) {
	at, unix := peer(r)
	if t == nil || !t.trusts(at, unix) {
		if !at.IsValid() {
			return at, fmt.Errorf("%w: peer %.64q has no address", ErrUnproven, r.RemoteAddr())
		}
		return at, nil
	}
	value, n := r.Header(t.header)
	if n != 1 {
		return at, fmt.Errorf("%w: %d lines of %s from a trusted proxy, want 1", ErrUnproven, n, t.header)
	}
	for rest, hops := value, 0; ; hops++ {
		if hops == maxHops {
			return at, fmt.Errorf("%w: %s: more than %d trusted proxies", ErrUnproven, t.header, maxHops)
		}
		hop, before, err := t.previous(rest)
		if err != nil {
			return at, fmt.Errorf("%w: %s: %w", ErrUnproven, t.header, err)
		}
		addr, ok := parseHop(hop)
		if !ok {
			return at, fmt.Errorf("%w: %s: %.64q is not an address", ErrUnproven, t.header, hop)
		}
		at, rest = addr, before
		if rest == "" || !t.trusts(at, false) {
			return at, nil
		}
	}
}

func (t *Trust) trusts(addr netip.Addr, unix bool) bool {
	if unix {
		return t.unix
	}
	for _, p := range t.prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// peer is the address of r's peer, or whether it is on a Unix-domain socket:
// such peers are "", "@" or, when they are bound, a path or "@name".
func peer(r core.Request) (addr netip.Addr, unix bool) {
	s := r.RemoteAddr()
	if s == "" || s[0] == '@' || s[0] == '/' {
		return netip.Addr{}, true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil { // without it first, each request would make an error
		return unmapped(ap.Addr()), false
	}
	addr, _ = parseHop(s)
	return addr, false
}

// parseHop reads an address with or without a port: "192.0.2.1",
// "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" and "[2001:db8::1]:80".
func parseHop(s string) (netip.Addr, bool) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			addr, err := netip.ParseAddr(inner)
			return unmapped(addr), err == nil && addr.Is6()
		}
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		return unmapped(addr), true
	}
	ap, err := netip.ParseAddrPort(s)
	return unmapped(ap.Addr()), err == nil
}

// unmapped is addr in the one form in which equal addresses compare equal.
func unmapped(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
