package fasthttpauth

import (
	"testing"
	"unsafe"
)

// TestSharedSize: a request that passes pays for each size class of the allocator. The
// next one is 112 bytes.
func TestSharedSize(t *testing.T) {
	if n := unsafe.Sizeof(Shared{}); unsafe.Sizeof(uintptr(0)) == 8 && n > 96 {
		t.Errorf("a Shared has %d bytes, 96 are its budget", n)
	}
}
