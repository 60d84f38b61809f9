//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package fasthttpauth

import "syscall"

// closed reports whether the other side of a socket has closed or reset the connection.
// It is not seen behind bytes that nobody has read.
func closed(fd uintptr) bool {
	var b [1]byte
	n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK) // Go's sockets do not block
	switch err {
	case nil:
		return n == 0
	case syscall.EAGAIN, syscall.EINTR: // EWOULDBLOCK is EAGAIN
		return false
	}
	return true
}
