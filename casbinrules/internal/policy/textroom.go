package policy

import "strings"

// textArena allocates texts, many in one chunk of memory.
type textArena struct{ strings.Builder }

// The sizes of chunks in bytes.
const (
	minChunk = 1 << 10
	maxChunk = 64 << 10
)

// reserve makes room for a text of size bytes, which begins at from.
func (r *textArena) reserve(size int) (from int) {
	if r.Cap()-r.Len() < size {
		piece := max(size, min(maxChunk, max(minChunk, 2*r.Cap())))
		r.Reset() // its content stays in use
		r.Grow(piece)
	}
	return r.Len()
}
