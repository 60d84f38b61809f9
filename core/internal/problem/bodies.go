package problem

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// What one Kept keeps at most. An application has a few dozen codes and
// messages; a message made anew for each request must not fill the memory.
const (
	maxKept     = 64
	maxKeptText = 1 << 10 // bytes of all texts of one key together
)

// Key is what a body is rendered from.
type Key interface {
	comparable
	// Size is the length of all texts in the key, in bytes.
	Size() int
}

// Kept renders each body once and then gives out the same bytes. It is safe
// for concurrent use; looking up a body it keeps neither locks nor allocates.
type Kept[K Key] struct {
	render func(K) []byte
	mu     sync.Mutex
	kept   atomic.Pointer[map[K][]byte] // the map is replaced, never written
}

// Keep keeps what render makes. The same key must always give the same bytes.
// A body that render gives as nil is not kept.
func Keep[K Key](render func(K) []byte) *Kept[K] {
	k := &Kept[K]{render: render}
	k.kept.Store(&map[K][]byte{})
	return k
}

// Body is the body for a key. It is shared and must not be modified; appending
// to it copies.
func (k *Kept[K]) Body(key K) []byte {
	if body, ok := (*k.kept.Load())[key]; ok {
		return body
	}
	body := slices.Clip(k.render(key))
	if body != nil && key.Size() <= maxKeptText {
		k.keep(key, body)
	}
	return body
}

func (k *Kept[K]) keep(key K, body []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := *k.kept.Load()
	if len(kept) >= maxKept {
		return
	}
	kept = maps.Clone(kept)
	kept[key] = body
	k.kept.Store(&kept)
}

// Bodies keeps bodies made of a status, a code and a message.
type Bodies struct{ *Kept[answer] }

// answer is what a body of Bodies is rendered from.
type answer struct {
	status        int
	code, message string
}

// Size implements [Key].
func (a answer) Size() int { return len(a.code) + len(a.message) }

// NewBodies keeps what render makes. The same arguments must always give the
// same bytes.
func NewBodies(render func(status int, code, message string) []byte) *Bodies {
	return &Bodies{Keep(func(a answer) []byte { return render(a.status, a.code, a.message) })}
}

// Body is the body for an answer. It is shared and must not be modified;
// appending to it copies.
func (b *Bodies) Body(status int, code, message string) []byte {
	return b.Kept.Body(answer{status, code, message})
}
