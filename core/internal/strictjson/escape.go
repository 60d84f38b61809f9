package strictjson

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escaped continues a string that began at start, at its first backslash.
func (d *decoder) escaped(start int) (string, error) {
	b := make([]byte, 0, 2*(d.at-start)+16)
	b = append(b, d.text[start:d.at]...)
	for d.at < len(d.text) {
		c := d.text[d.at]
		d.at++
		switch {
		case c == '"':
			if !utf8.Valid(b) {
				return "", d.fail("string is not UTF-8")
			}
			return string(b), nil
		case c < ' ':
			return "", d.fail("control character in a string")
		case c != '\\':
			b = append(b, c)
			continue
		}
		r, ok := d.escape()
		if !ok {
			return "", d.fail("bad escape in a string")
		}
		b = utf8.AppendRune(b, r)
	}
	return "", d.fail("string is not closed")
}

// escape parses what follows a backslash (RFC 8259 §7).
func (d *decoder) escape() (rune, bool) {
	c := d.peek()
	d.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		return d.unicode()
	}
	return 0, false
}

// unicode parses four hexadecimal digits and, if they are the first half of a surrogate
// pair, the second half. Decoders disagree on the meaning of an unpaired half (RFC 8259
// §8.2).
func (d *decoder) unicode() (rune, bool) {
	r, ok := d.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if !d.word(`\u`) {
		return 0, false
	}
	low, ok := d.hex4()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

func (d *decoder) hex4() (rune, bool) {
	if len(d.text)-d.at < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(d.text[d.at:d.at+4], 16, 32)
	d.at += 4
	return rune(n), err == nil
}
