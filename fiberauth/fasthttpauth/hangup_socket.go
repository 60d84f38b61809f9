//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package fasthttpauth

import (
	"net"
	"syscall"
)

// rawConn is a socket that can be checked without reading from it.
type rawConn struct{ syscall.RawConn }

func newPeeker(conn net.Conn) peeker {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return rawConn{raw}
}

// hungUp reports whether the other side has closed or reset the connection.
func (c rawConn) hungUp() bool {
	gone := false
	err := c.Control(func(fd uintptr) { gone = closed(fd) })
	return gone || err != nil
}
