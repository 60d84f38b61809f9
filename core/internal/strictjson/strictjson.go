// Package strictjson decodes JSON objects (RFC 8259) that access decisions depend on, where
// two parsers must never see different values.
//
// It rejects what encoding/json accepts: duplicate members of an object, at any depth;
// invalid UTF-8; unpaired surrogates; nesting beyond [MaxDepth]. Member names are
// case-sensitive.
package strictjson

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is the maximum nesting depth of objects and arrays.
const MaxDepth = 16

// maxExact is the largest integer below which every integer has its own float64. From 1<<53
// on, a rounded number is indistinguishable from an exact one.
const maxExact = 1<<53 - 1

// Decode decodes text, which must be a single object, with optional white space around it.
// Values are nil, bool, string, []any, map[string]any and, for numbers, float64, or
// [json.Number] if float64 would change an integer or cannot represent the value. Strings
// may share memory with text.
//
// Errors say what is wrong at which byte, and never contain values from text.
func Decode(text string) (map[string]any, error) { return DecodeUpTo(text, math.MaxInt) }

// DecodeUpTo is [Decode] for an object of at most so many values, at all depths together:
// a value of two bytes takes a hundred in memory.
func DecodeUpTo(text string, values int) (map[string]any, error) {
	d := decoder{text: text, left: values}
	d.skipSpace()
	if d.peek() != '{' {
		return nil, d.fail("not an object")
	}
	v, err := d.object()
	if err != nil {
		return nil, err
	}
	if d.skipSpace(); d.at < len(d.text) {
		return nil, d.fail("text after the object")
	}
	return v, nil
}

type decoder struct {
	text  string
	at    int
	depth int
	left  int // values that may follow
}

func (d *decoder) fail(what string) error {
	return fmt.Errorf("%s at byte %d", what, d.at)
}

// peek returns the next byte, or NUL at the end: no JSON value begins with NUL.
func (d *decoder) peek() byte {
	if d.at < len(d.text) {
		return d.text[d.at]
	}
	return 0
}

func (d *decoder) skipSpace() {
	for d.at < len(d.text) && isSpace(d.text[d.at]) {
		d.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// next skips white space, and consumes c if it follows.
func (d *decoder) next(c byte) bool {
	if d.skipSpace(); d.peek() != c {
		return false
	}
	d.at++
	return true
}

func (d *decoder) value() (any, error) {
	if d.left--; d.left < 0 {
		return nil, d.fail("too many values")
	}
	d.skipSpace()
	switch c := d.peek(); {
	case c == '{':
		return d.object()
	case c == '[':
		return d.array()
	case c == '"':
		return d.string()
	case c == '-', '0' <= c && c <= '9':
		return d.number()
	case d.word("true"):
		return true, nil
	case d.word("false"):
		return false, nil
	case d.word("null"):
		return nil, nil
	}
	return nil, d.fail("not a value")
}

func (d *decoder) word(w string) bool {
	if !strings.HasPrefix(d.text[d.at:], w) {
		return false
	}
	d.at += len(w)
	return true
}

func (d *decoder) enter() error {
	d.at++
	if d.depth++; d.depth > MaxDepth {
		return d.fail("nested too deeply")
	}
	return nil
}

func (d *decoder) object() (map[string]any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	members := map[string]any{}
	if d.next('}') {
		d.depth--
		return members, nil
	}
	for {
		if d.skipSpace(); d.peek() != '"' {
			return nil, d.fail("no member name")
		}
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, d.fail("duplicate member name")
		}
		if !d.next(':') {
			return nil, d.fail("no colon after a member name")
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		members[name] = v
		if d.next(',') {
			continue
		}
		if d.next('}') {
			d.depth--
			return members, nil
		}
		return nil, d.fail("object is not closed")
	}
}

func (d *decoder) array() ([]any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	if d.next(']') {
		d.depth--
		return []any{}, nil
	}
	list := make([]any, 0, 4)
	for {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if d.next(',') {
			continue
		}
		if d.next(']') {
			d.depth--
			return list, nil
		}
		return nil, d.fail("array is not closed")
	}
}

// number parses a number by the grammar of RFC 8259 §6.
func (d *decoder) number() (any, error) {
	start := d.at
	if d.peek() == '-' {
		d.at++
	}
	whole := d.at
	if !d.digits() || d.text[whole] == '0' && d.at > whole+1 {
		return nil, d.fail("bad number")
	}
	integer := true
	if d.peek() == '.' {
		integer = false
		if d.at++; !d.digits() {
			return nil, d.fail("bad number")
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		integer = false
		d.at++
		if c := d.peek(); c == '+' || c == '-' {
			d.at++
		}
		if !d.digits() {
			return nil, d.fail("bad number")
		}
	}
	text := d.text[start:d.at]
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || integer && (f > maxExact || f < -maxExact) {
		return json.Number(text), nil
	}
	return f, nil
}

// digits consumes digits and reports whether there was one.
func (d *decoder) digits() bool {
	start := d.at
	for c := d.peek(); '0' <= c && c <= '9'; c = d.peek() {
		d.at++
	}
	return d.at > start
}

// plain are the characters that a string contains unescaped and that need no further check.
var plain = func() (set [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		set[c] = c != '"' && c != '\\'
	}
	return set
}()

// string parses a string. Without escapes, the result is a substring of text.
func (d *decoder) string() (string, error) {
	d.at++
	start, text := d.at, d.text
	i := start
	for i < len(text) && plain[text[i]] {
		i++
	}
	d.at = i
	if i < len(text) && text[i] == '"' {
		d.at++
		return text[start:i], nil
	}
	return d.unusual(start)
}

// unusual continues a string that began at start, at the first character that is not in
// plain.
func (d *decoder) unusual(start int) (string, error) {
	for d.at < len(d.text) {
		switch c := d.text[d.at]; {
		case c == '"':
			s := d.text[start:d.at]
			if !utf8.ValidString(s) {
				return "", d.fail("string is not UTF-8")
			}
			d.at++
			return s, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", d.fail("control character in a string")
		}
		d.at++
	}
	return "", d.fail("string is not closed")
}
