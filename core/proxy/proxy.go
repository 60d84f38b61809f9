// Package proxy finds the address of the client when there are trusted proxies in
// front of a service.
//
// A forwarding header is a claim by its sender. Each proxy appends the address it
// was called from, so the list is proven from its right end only as far as its
// authors are trusted: the peer of the connection, then the address that the peer
// appended if the peer is trusted, and so on. Everything to the left of the first
// untrusted address was written by the client, which can write anything.
package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// ErrUnproven means that a trusted proxy did not say, or not in a valid form, for
// whom it made the request. The address returned with it is that of the proxy.
var ErrUnproven = errors.New("client address not proven")

// maxHops is the maximum number of proxies in a row that are followed; real chains
// have a few.
const maxHops = 32

// Trust knows which peers are trusted proxies. It is created by [New]; a nil Trust
// trusts nobody, so that every peer is the client itself. It is immutable and safe
// for concurrent use.
type Trust struct {
	prefixes []netip.Prefix
	unix     bool
	header   string
	previous func(value string) (hop, rest string, err error)
}

// Option configures a [Trust].
type Option func(*Trust) error

// WithForwarded reads the Forwarded header of RFC 7239 in place of X-Forwarded-For.
// Only one of them is ever read: proxies that write one pass the other on unchanged
// from clients.
func WithForwarded() Option {
	return func(t *Trust) error {
		t.header, t.previous = "Forwarded", lastForwarded
		return nil
	}
}

// WithUnixSocket trusts peers on a Unix domain socket, which have no address. The
// socket's file permissions then decide who may connect.
func WithUnixSocket() Option { return func(t *Trust) error { return option.On(&t.unix) } }

// New returns a Trust in the proxies with addresses in prefixes, which write
// X-Forwarded-For.
//
// List only the proxies: anyone with an address in a prefix can claim any address.
// A prefix that contains all addresses, has bits set beyond its length or is
// invalid is an error, and so is a trust in nobody. IPv4 prefixes also contain
// IPv4-mapped IPv6 addresses.
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

// PeerTrusted reports whether the peer of r's connection is a trusted proxy, whose
// header fields can be trusted. Behind a chain of proxies the peer is the last one.
func (t *Trust) PeerTrusted(r core.Request) bool {
	if t == nil {
		return false
	}
	addr, unix := peer(r)
	return t.trusts(addr, unix)
}

// Client returns the address that r comes from: the peer's if it is not trusted,
// and otherwise the rightmost untrusted address in the forwarding header; if all
// are trusted, the leftmost. The address has no zone, and an IPv4-mapped address
// becomes IPv4.
//
// The error is [ErrUnproven] if the header is missing, on several lines, or
// malformed before such an address is found, and for more than 32 trusted proxies.
// The address is then that of the proxy that should have named the client: suitable
// for counting, since only that proxy can cause it to be counted, but not for
// letting anyone in. It is the zero Addr for a peer without an address.
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
	return slices.ContainsFunc(t.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// peer returns the address of r's peer, and reports whether it is on a Unix domain
// socket: such peers are "", "@" or, if they are bound, a path or "@name".
func peer(r core.Request) (addr netip.Addr, unix bool) {
	s := r.RemoteAddr()
	if s == "" || s[0] == '@' || s[0] == '/' {
		return netip.Addr{}, true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil { // first, since otherwise each request would create an error
		return unmapped(ap.Addr()), false
	}
	addr, _ = parseHop(s)
	return addr, false
}

// parseHop parses an address with or without a port: "192.0.2.1", "192.0.2.1:80",
// "2001:db8::1", "[2001:db8::1]" and "[2001:db8::1]:80".
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

// unmapped returns addr in the canonical form, in which equal addresses compare
// equal.
func unmapped(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
