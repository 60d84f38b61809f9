package lsp

import (
	"slices"
	"strings"
	"testing"
)

// TestEditsAtOddPlaces: a position outside the text means the nearest one before it, and
// the ends of a range may be reversed.
func TestEditsAtOddPlaces(t *testing.T) {
	t.Parallel()
	const text = "p, \U0001f6aa, /a\r\ng, é\n"
	all := func(from, to position) *span { return &span{from, to} }
	for _, c := range []struct {
		name string
		at   *span
		put  string
		want string
		enc  encoding
	}{
		{"half a surrogate pair", all(position{0, 4}, position{0, 4}), "x", "p, x\U0001f6aa, /a\r\ng, é\n", utf16Units},
		{"inside a character of UTF-8", all(position{0, 5}, position{0, 5}), "x", "p, x\U0001f6aa, /a\r\ng, é\n", utf8Units},
		{"negative character", all(position{0, -3}, position{0, 1}), "g", "g, \U0001f6aa, /a\r\ng, é\n", utf16Units},
		{"negative line", all(position{-1, 2}, position{0, 1}), "g", "g, \U0001f6aa, /a\r\ng, é\n", utf16Units},
		{"behind the end of a line", all(position{0, 1 << 60}, position{0, 1 << 60}), "x", "p, \U0001f6aa, /ax\r\ng, é\n", utf16Units},
		{"behind the last line", all(position{1 << 60, 0}, position{1 << 61, 9}), "x", text + "x", utf32Units},
		{"from the end to the beginning", all(position{0, 1}, position{0, 0}), "g", "g, \U0001f6aa, /a\r\ng, é\n", utf16Units},
		{"lines from the end", all(position{9, 0}, position{-9, 0}), "", "", utf16Units},
		{"between a carriage return and a line feed", all(position{0, 9}, position{0, 10}), "", text, utf16Units},
		{"a line end that becomes one with another", all(position{1, 0}, position{1, 4}), "\n", "p, \U0001f6aa, /a\r\n\n\n", utf16Units},
		{"no range", nil, "\r\r\n\n", "\r\r\n\n", utf16Units},
	} {
		d := newDocument("", "p.csv", 1, KindPolicy, text).edited(2, []contentChange{{c.at, c.put}}, c.enc)
		if d.text != c.want {
			t.Errorf("%s: got %q, want %q", c.name, d.text, c.want)
		}
		if fresh := newDocument("", "p.csv", 2, KindPolicy, d.text); !slices.Equal(d.starts, fresh.starts) || !slices.Equal(d.feeds, fresh.feeds) {
			t.Errorf("%s: lines begin at %v and %v, want %v and %v", c.name, d.starts, d.feeds, fresh.starts, fresh.feeds)
		}
	}
}

// TestPositionsGoThereAndBack: each start of a character has one position in each
// encoding, and no other offset has it.
func TestPositionsGoThereAndBack(t *testing.T) {
	t.Parallel()
	d := newDocument("", "p.csv", 1, KindPolicy, "\ufeffp, \U0001f6aa\r\n\né\rx\xff\xfe\n"+strings.Repeat("é", 3))
	for _, enc := range []encoding{utf8Units, utf16Units, utf32Units} {
		for at := range d.text {
			if d.text[at] == '\n' && at > 0 && d.text[at-1] == '\r' {
				continue // not a cursor position
			}
			if got := d.offset(d.position(at, enc), enc); got != at {
				t.Errorf("%s: offset %d is at %v, which is offset %d", enc, at, d.position(at, enc), got)
			}
		}
	}
}
