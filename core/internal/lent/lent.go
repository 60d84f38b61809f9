// Package lent reads header fields without the copy that a request normally makes for its
// caller.
package lent

// Header is r.Header without a copy if possible. The value may become invalid once the gate
// has decided about r, so it must neither be retained nor passed to anything that may
// retain it.
//
// A request that can lend has a method LentHeader. A wrapper around a request exposes only
// the methods of the interface and so does not lend, which ensures that its own Header is
// used.
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
