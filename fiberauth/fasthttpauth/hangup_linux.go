package fasthttpauth

import (
	"syscall"
	"unsafe"
)

// pollFD is struct pollfd of poll(2).
type pollFD struct {
	fd              int32
	events, revents int16
}

const pollRDHUP = 0x2000 // of <poll.h>

// closed reports whether the other side of a socket has closed or reset the connection,
// also behind bytes that nobody has read: the next request, or the alert with which TLS
// ends (RFC 8446 §6.1).
func closed(fd uintptr) bool {
	p := pollFD{fd: int32(fd), events: pollRDHUP} //nolint:gosec // a descriptor
	var now syscall.Timespec
	n, _, _ := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return n == 1
}
