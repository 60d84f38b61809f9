// Package loopback recognizes the addresses of this machine itself, for which plain
// http is not exposed to a network.
package loopback

import (
	"net/netip"
	"strings"
)

// Host reports whether host, a name or an address without port and brackets, is
// "localhost" in any letter case or a loopback address. Other names are not,
// whatever they resolve to.
func Host(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
