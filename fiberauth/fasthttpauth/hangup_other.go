//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package fasthttpauth

import "net"

// newPeeker gives none: sockets of this system cannot be looked at without
// reading from them.
func newPeeker(net.Conn) peeker { return nil }
