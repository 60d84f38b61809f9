//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package fasthttpauth

import "net"

// newPeeker returns nil: sockets of this system cannot be checked without reading
// from them.
func newPeeker(net.Conn) peeker { return nil }
