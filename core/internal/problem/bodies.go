package problem

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// What one Bodies keeps at most. An application has a few dozen codes and
// messages; a message made anew for each request must not fill the memory.
const (
	maxKept     = 64
	maxKeptText = 1 << 10 // bytes of code and message together
)

// Bodies renders each body once and then gives out the same bytes. It is safe
// for concurrent use; looking up a body it keeps neither locks nor allocates.
type Bodies struct {
	render func(status int, code, message string) []byte
	mu     sync.Mutex
	kept   atomic.Pointer[map[answer][]byte] // the map is replaced, never written
}

// answer is what a body is rendered from.
type answer struct {
	status        int
	code, message string
}

// NewBodies keeps what render makes. The same arguments must always give the
// same bytes.
func NewBodies(render func(status int, code, message string) []byte) *Bodies {
	b := &Bodies{render: render}
	b.kept.Store(&map[answer][]byte{})
	return b
}

// Body is the body for an answer. It is shared and must not be modified;
// appending to it copies.
func (b *Bodies) Body(status int, code, message string) []byte {
	if body, ok := (*b.kept.Load())[answer{status, code, message}]; ok {
		return body
	}
	body := slices.Clip(b.render(status, code, message))
	if len(code)+len(message) <= maxKeptText {
		b.keep(answer{status, strings.Clone(code), strings.Clone(message)}, body)
	}
	return body
}

func (b *Bodies) keep(a answer, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := *b.kept.Load()
	if len(kept) >= maxKept {
		return
	}
	kept = maps.Clone(kept)
	kept[a] = body
	b.kept.Store(&kept)
}
