// Package loopback recognizes the addresses of this machine itself, for which plain
// http is not exposed to a network.
package loopback

import (
	"net"
	"net/netip"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// Host reports whether host, a name or an address without port and brackets, is
// "localhost" in any letter case or a loopback address. Other names are not,
// whatever they resolve to.
func Host(host string) bool {
	if ascii.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Authority reports whether a Host field, with or without a port, names this machine
// itself: as [Host] says, or by a name below localhost (RFC 6761 §6.3).
func Authority(field string) bool {
	if h, _, err := net.SplitHostPort(field); err == nil {
		field = h
	}
	name := ascii.Lower(strings.TrimSuffix(strings.TrimPrefix(field, "["), "]"))
	return Host(name) || len(name) > len(".localhost") && strings.HasSuffix(name, ".localhost")
}
