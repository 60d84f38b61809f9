package policy

import "strings"

// textRoom is where texts are made, many in one piece of memory.
type textRoom struct{ strings.Builder }

// Pieces have so many bytes.
const (
	leastRoom = 1 << 10
	mostRoom  = 64 << 10
)

// reserve has room for a text of so many bytes, which begins at from.
func (r *textRoom) reserve(size int) (from int) {
	if r.Cap()-r.Len() < size {
		piece := max(size, min(mostRoom, max(leastRoom, 2*r.Cap())))
		r.Reset() // what it held stays where it is
		r.Grow(piece)
	}
	return r.Len()
}

// unquoted is what stands between the quotes of a field: its own are doubled there.
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
