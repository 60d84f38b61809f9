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
	gone := false // Go's sockets do not block
	err := c.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		switch {
		case err == nil:
			gone = n == 0
		case err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR:
		default:
			gone = true
		}
	})
	return gone || err != nil
}
