// Package lent reads what a request would otherwise have to copy for its reader.
package lent

// Header is what Header of r says of a field. The value may be over with the gate
// that decides about r: it must not be kept, nor given to what may keep it.
//
// A request lends by a method LentHeader. One that wraps another shows the methods
// of the interface alone and does not lend, so that what it says itself is heard.
func Header(r interface {
	Header(name string) (value string, count int)
}, name string) (value string, count int) {
	if l, ok := r.(interface {
		LentHeader(name string) (value string, count int)
	}); ok {
		return l.LentHeader(name)
	}
	return r.Header(name)
}
