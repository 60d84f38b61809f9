package jwtauth

import (
	"strings"
	"sync/atomic"
)

// maxKeptHeader is the maximum size in bytes of an encoded header that is kept.
const maxKeptHeader = 1 << 10

// headers parses headers, and keeps the last one of a token with a valid signature:
// tokens signed with the same key usually have the same header, so that few headers
// are decoded: verifying one with HS256 takes 1.9 µs and 17 allocations in place of
// 2.6 and 23. It is safe for concurrent use.
type headers struct{ last atomic.Pointer[parsedHeader] }

// parsedHeader is a header in encoded and parsed form. It is immutable.
type parsedHeader struct {
	part string
	header
}

// parse does what [parseHeader] does.
func (hs *headers) parse(part string) (header, error) {
	if last := hs.last.Load(); last != nil && last.part == part {
		return last.header, nil
	}
	return parseHeader(part)
}

// keep is called with the header of a token with a valid signature: forged tokens
// cannot displace it.
func (hs *headers) keep(part string, h header) {
	if last := hs.last.Load(); last != nil && last.part == part || len(part) > maxKeptHeader {
		return
	}
	hs.last.Store(&parsedHeader{strings.Clone(part), h})
}
