package adapter

import (
	"testing"
	"unsafe"
)

// TestPassageSize: a request that passes pays for each size class of the allocator.
// The next one is 576 bytes.
func TestPassageSize(t *testing.T) {
	if n := unsafe.Sizeof(Passage{}); unsafe.Sizeof(uintptr(0)) == 8 && n > 512 {
		t.Errorf("a passage has %d bytes, 512 are its budget", n)
	}
}
