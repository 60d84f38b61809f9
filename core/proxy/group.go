package proxy

import "net/netip"

// nat64 holds IPv4 addresses as an IPv6 network sees them (RFC 6052 §2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// Group returns the prefix that limits should count addr under: the address
// itself for IPv4, and its /64 for IPv6, all of which one subscriber usually
// has. Addresses of 64:ff9b::/96 (RFC 6052) stand for one IPv4 address each,
// under which they are counted. The zero Addr gives the zero Prefix.
func Group(addr netip.Addr) netip.Prefix {
	addr = unmapped(addr)
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
