package bearer

import (
	"errors"
	"fmt"
	"strings"
)

const schemeName = "Bearer"

// cutScheme is what follows the scheme name, its separator included, and
// whether the scheme is Bearer in any letter case (RFC 9110 §11.1). A name
// that only begins so, such as Bearer2, is another scheme.
func cutScheme(field string) (rest string, ok bool) {
	const n = len(schemeName)
	if len(field) < n || !strings.EqualFold(field[:n], schemeName) {
		return "", false
	}
	rest = field[n:]
	return rest, rest == "" || !isTchar(rest[0])
}

var (
	errNoToken   = errors.New("no token after the scheme")
	errSeparator = errors.New("scheme and token are not separated by spaces")
	errGrammar   = errors.New("not a b64token (RFC 6750 §2.1)")
)

// token is the token in what follows the scheme name: 1*SP b64token, where a
// TAB is no SP (RFC 9110 §11.4). The size is looked at before the characters.
func (a *Authenticator) token(rest string) (string, error) {
	token := strings.TrimLeft(rest, " ")
	switch {
	case token == "":
		return "", errNoToken
	case len(token) == len(rest):
		return "", errSeparator
	case len(token) > a.maxSize:
		return "", fmt.Errorf("token of %d bytes, at most %d are accepted", len(token), a.maxSize)
	case !isB64Token(token):
		return "", errGrammar
	}
	return token, nil
}

// isB64Token reports whether s is 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" /
// "+" / "/" ) *"=" (RFC 6750 §2.1).
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := 0; i < len(s); i++ {
		if !isAlnum(s[i]) && strings.IndexByte("-._~+/", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isTchar reports whether c may stand in a token (RFC 9110 §5.6.2).
func isTchar(c byte) bool {
	return isAlnum(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
