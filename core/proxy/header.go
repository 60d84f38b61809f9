package proxy

import (
	"errors"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// lastXForwardedFor splits the last address off an X-Forwarded-For value. rest is
// "" if there is no other.
func lastXForwardedFor(value string) (hop, rest string, err error) {
	i := strings.LastIndexByte(value, ',')
	if i < 0 {
		return trim(value), "", nil
	}
	if rest = value[:i]; rest == "" {
		rest = " " // an empty address, which is not the same as none
	}
	return trim(value[i+1:]), rest, nil
}

var (
	errSyntax = errors.New("not in the form of RFC 7239 §4")
	errNoFor  = errors.New("an element without for (RFC 7239 §5.2)")
	errTwoFor = errors.New("an element with for twice (RFC 7239 §4)")
)

// lastForwarded splits the last element off a Forwarded value and returns the node
// it is for. Quoted strings can only be found from the left, so an error anywhere
// invalidates the whole value.
func lastForwarded(value string) (hop, rest string, err error) {
	last := 0 // where the last element begins
	for s := value; ; {
		node, after, err := element(s)
		if err != nil {
			return "", "", err
		}
		if after == "" {
			hop = node
			break
		}
		s = after[1:]
		last = len(value) - len(s)
	}
	if last == 0 {
		return hop, "", nil
	}
	return hop, value[:last-1], nil
}

// element parses one element of a Forwarded value: pairs name=value separated by
// semicolons (RFC 7239 §4). after is "" or begins with a comma.
func element(s string) (node, after string, err error) {
	found := false
	for {
		s = strings.TrimLeft(s, " \t")
		n := ascii.TokenLen(s)
		if n == 0 || n == len(s) || s[n] != '=' {
			return "", "", errSyntax
		}
		name, value := s[:n], ""
		if value, s, err = pairValue(s[n+1:]); err != nil {
			return "", "", err
		}
		if strings.EqualFold(name, "for") {
			if found {
				return "", "", errTwoFor
			}
			node, found = value, true
		}
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			break
		}
		if s[0] != ';' {
			return "", "", errSyntax
		}
		s = s[1:]
	}
	if !found {
		return "", "", errNoFor
	}
	return node, s, nil
}

// pairValue parses a token or quoted-string (RFC 9110 §5.6.4) at the start of s.
func pairValue(s string) (value, after string, err error) {
	if s == "" || s[0] != '"' {
		n := ascii.TokenLen(s)
		if n == 0 {
			return "", "", errSyntax
		}
		return s[:n], s[n:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				return "", "", errSyntax
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", errSyntax
}

func trim(s string) string { return strings.Trim(s, " \t") }
