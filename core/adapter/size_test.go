package adapter

import (
	"testing"
	"unsafe"
)

// TestAuthContextSize: a request that passes pays for each size class of the allocator.
// The next one is 416 bytes.
func TestAuthContextSize(t *testing.T) {
	if n := unsafe.Sizeof(AuthContext{}); unsafe.Sizeof(uintptr(0)) == 8 && n > 384 {
		t.Errorf("an AuthContext has %d bytes, 384 are its budget", n)
	}
}
