// Package canonical computes the path that policies see.
package canonical

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrAmbiguous means that a path can be interpreted in two ways.
var ErrAmbiguous = errors.New("ambiguous path")

// Path returns path decoded once, if it is escaped, and without a trailing slash. It
// returns an error that wraps [ErrAmbiguous] and says why for a path that two parties could
// interpret differently. Encoded slashes are kept, as "%2F", if there are exactly
// innerSlashes of them.
func Path(path string, escaped bool, innerSlashes int) (string, error) {
	if path == "" || path[0] != '/' {
		return "", ambiguous("it does not begin with a slash")
	}
	kept := escaped && innerSlashes > 0 && innerSlashes == EncodedSlashes(path)
	if escaped {
		decoded, err := decodePath(path, kept)
		if err != nil {
			return "", err
		}
		path = decoded
	}
	if n := len(path) - 1; n > 0 && path[n] == '/' {
		if path = path[:n]; path[n-1] == '/' {
			return "", ambiguous("it contains an empty segment")
		}
	}
	read := path
	if kept { // other parties may decode the slashes, and that path must be unambiguous as well
		read = strings.ReplaceAll(path, encodedSlash, "/")
	}
	if err := checkDecoded(read); err != nil {
		return "", err
	}
	return path, nil
}

// EncodedSlashes returns the number of encoded slashes in an escaped path or
// parameter, in either letter case.
func EncodedSlashes(escaped string) int {
	if strings.IndexByte(escaped, '%') < 0 {
		return 0 // the common case
	}
	return strings.Count(escaped, encodedSlash) + strings.Count(escaped, "%2f")
}

const encodedSlash = "%2F"

// decodePath decodes percent-encodings once and refuses those that hide a separator
// or are invalid. If slashes is true, encoded slashes are kept.
func decodePath(path string, slashes bool) (string, error) {
	if strings.IndexByte(path, '%') < 0 && strings.IndexByte(path, '#') < 0 && strings.IndexByte(path, '?') < 0 {
		return path, nil
	}
	b := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch c {
		case '#', '?':
			return "", ambiguous("it contains a raw " + string(rune(c)))
		case '%':
			if i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) {
				return "", ambiguous("it contains a percent sign that encodes nothing")
			}
			c = unhex(path[i+1])<<4 | unhex(path[i+2])
			i += 2
			switch {
			case c == '/' && !slashes:
				return "", ambiguous("it contains an encoded slash")
			case c == '/':
				b = append(b, encodedSlash...)
				continue
			case c == '%' && slashes: // together with what follows it could spell another encoding
				return "", ambiguous("it contains an encoded percent sign beside an encoded slash")
			}
		}
		b = append(b, c)
	}
	return string(b), nil
}

// checkDecoded checks a decoded path without its trailing slash.
func checkDecoded(path string) error {
	ascii := true
	start := 1 // of the current segment
	for i := 1; i < len(path); i++ {
		c := path[i]
		if '0' <= c && c <= '~' && c != '\\' {
			continue // the common case
		}
		switch {
		case c == '/':
			if err := checkSegment(path[start:i]); err != nil {
				return err
			}
			start = i + 1
		case c >= utf8.RuneSelf:
			ascii = false
		case c < ' ' || c == 0x7f:
			return ambiguous("it contains a control character")
		case c == '\\':
			return ambiguous("it contains a backslash")
		case c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]):
			return ambiguous("it is percent-encoded twice")
		}
	}
	if len(path) > 1 {
		if err := checkSegment(path[start:]); err != nil {
			return err
		}
	}
	if ascii {
		return nil
	}
	if !utf8.ValidString(path) {
		return ambiguous("it is not valid UTF-8")
	}
	if strings.IndexFunc(path, unicode.IsControl) >= 0 {
		return ambiguous("it contains a control character")
	}
	return nil
}

func checkSegment(seg string) error {
	switch seg {
	case "":
		return ambiguous("it contains an empty segment")
	case ".", "..":
		return ambiguous("it contains a dot segment")
	}
	return nil
}

func ambiguous(why string) error { return fmt.Errorf("%w: %s", ErrAmbiguous, why) }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	default:
		return c - 'A' + 10
	}
}
