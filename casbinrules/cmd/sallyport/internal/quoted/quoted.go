// Package quoted parses and writes values in the quoting of policy lines (RFC 4180
// §2), which is the only quoting in the command's input: in policies, requests,
// tests and arguments.
package quoted

import (
	"errors"
	"strings"
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
	var values []string
	for {
		s = strings.TrimSpace(s)
		if !strings.HasPrefix(s, `"`) {
			value, rest, more := strings.Cut(s, ",")
			if strings.Contains(value, `"`) {
				return nil, ErrInside
			}
			values = append(values, strings.TrimSpace(value))
			if !more {
				return values, nil
			}
			s = rest
			continue
		}
		value, rest, err := Cut(s)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		rest = strings.TrimSpace(rest)
		if rest == "" {
			return values, nil
		}
		if rest[0] != ',' {
			return nil, errors.New("text follows the closing quote of a field: put a comma behind it")
		}
		s = rest[1:]
	}
}
