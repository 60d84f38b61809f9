package proxy

import "net/netip"

// nat64 is the prefix for IPv4 addresses in an IPv6 network (RFC 6052 §2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// Group returns the prefix under which limits should count addr: the address itself
// for IPv4, and its /64 for IPv6, which one subscriber usually has as a whole. An
// address of 64:ff9b::/96 (RFC 6052) is counted as the IPv4 address it stands for.
// For the zero Addr it returns the zero Prefix.
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
