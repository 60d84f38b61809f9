// Package quoted parses and writes values in the quoting of policy lines (RFC 4180
// §2), which is the only quoting in the command's input: in policies, requests,
// tests and arguments.
package quoted

import (
	"errors"
	"strings"
	"unicode"
)

// Why a value cannot be parsed.
var (
	ErrOpen   = errors.New("a quoted field is not closed: end it with a quote on the same line")
	ErrInside = errors.New("an unquoted field contains a quote: quote the field and double the quote inside")
)

// Cut parses the quoted value at the beginning of s; rest is what follows the closing
// quote.
func Cut(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, ErrOpen
	}
	var b strings.Builder
	for s = s[1:]; ; {
		text, after, closed := strings.Cut(s, `"`)
		b.WriteString(text)
		if !closed {
			return "", "", ErrOpen
		}
		if !strings.HasPrefix(after, `"`) {
			return b.String(), after, nil
		}
		b.WriteByte('"')
		s = after[1:]
	}
}

// Quote quotes a value.
func Quote(value string) string {
	return `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
}

// List splits values separated by commas. Spaces around a value are ignored unless it is
// quoted.
func List(s string) ([]string, error) {
	return split(strings.TrimSpace(s), strings.TrimSpace, "put a comma behind it")
}

// Fields splits a line like a policy line: spaces before a value do not count, and those
// behind it are part of it.
func Fields(line string) ([]string, error) {
	return split(line, func(s string) string { return s }, "put a comma right behind it")
}

// split splits values whose end is trimmed; hint says what may follow a closing quote.
func split(s string, trimmed func(string) string, hint string) ([]string, error) {
	var values []string
	for more := true; more; {
		var value, rest string
		if s = strings.TrimLeftFunc(s, unicode.IsSpace); strings.HasPrefix(s, `"`) {
			var err error
			if value, rest, err = Cut(s); err != nil {
				return nil, err
			}
			if rest = trimmed(rest); rest != "" && rest[0] != ',' {
				return nil, errors.New("text follows the closing quote of a field: " + hint)
			}
			rest, more = strings.CutPrefix(rest, ",")
		} else {
			value, rest, more = strings.Cut(s, ",")
			if value = trimmed(value); strings.Contains(value, `"`) {
				return nil, ErrInside
			}
		}
		values, s = append(values, value), rest
	}
	return values, nil
}
