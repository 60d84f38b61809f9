package policy

import "strings"

// textRoom allocates texts, many in one piece of memory.
type textRoom struct{ strings.Builder }

// The sizes of pieces in bytes.
const (
	leastRoom = 1 << 10
	mostRoom  = 64 << 10
)

// reserve makes room for a text of so many bytes, which begins at from.
func (r *textRoom) reserve(size int) (from int) {
	if r.Cap()-r.Len() < size {
		piece := max(size, min(mostRoom, max(leastRoom, 2*r.Cap())))
		r.Reset() // its content stays in use
		r.Grow(piece)
	}
	return r.Len()
}

// unquoted returns the content between the quotes of a field, in which quotes are
// doubled.
func (r *textRoom) unquoted(text string) string {
	before, after, doubled := strings.Cut(text, `""`)
	if !doubled {
		return text
	}
	from := r.reserve(len(text))
	for doubled {
		r.WriteString(before)
		r.WriteByte('"')
		before, after, doubled = strings.Cut(after, `""`)
	}
	r.WriteString(before)
	return r.String()[from:]
}
