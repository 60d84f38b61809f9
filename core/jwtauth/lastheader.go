package jwtauth

import (
	"strings"
	"sync/atomic"
)

// maxKeptHeader bounds the encoded header that is kept, in bytes.
const maxKeptHeader = 1 << 10

// headers reads headers, and keeps the last one of a token with a good
// signature: all tokens that are signed with one key have the same as a rule,
// so that few of them are decoded. It is safe for concurrent use.
type headers struct{ last atomic.Pointer[parsedHeader] }

// parsedHeader is a header as spelt and as read. It is never changed.
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

// keep is told of the header of a token whose signature fits: others cannot
// push that of good ones out.
func (hs *headers) keep(part string, h header) {
	if last := hs.last.Load(); last != nil && last.part == part || len(part) > maxKeptHeader {
		return
	}
	hs.last.Store(&parsedHeader{strings.Clone(part), h})
}
