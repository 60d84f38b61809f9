// Package challenge writes and parses WWW-Authenticate challenges and
// Authorization credentials to the grammar of RFC 9110 §11.
package challenge

import (
	"errors"
	"fmt"
	"strings"
)

// Param is one authentication parameter.
type Param struct {
	// Name is a token, unique in its challenge in any letter case
	// (RFC 9110 §11.2).
	Name string
	// Value is the value itself, neither quoted nor escaped.
	Value string
	// Bare writes the value without quotes; it must then be a token. Digest
	// wants this for algorithm and stale (RFC 7616 §3.3). Realm is always
	// quoted (RFC 9110 §11.5).
	Bare bool
}

// Challenge is one challenge of a WWW-Authenticate field. The zero value is no
// challenge. Values made by [New] are immutable and rendered once.
type Challenge struct {
	scheme  string
	token68 string
	params  []Param
	text    string
}

// New makes a challenge of a scheme and parameters in order.
//
// It refuses, with an error that names the parameter, what would not survive
// the way to the client: a scheme or name that is no token, a name twice, a
// control character or byte outside ASCII in a value (RFC 9110 §5.5).
func New(scheme string, params ...Param) (Challenge, error) {
	if !isToken(scheme) {
		return Challenge{}, fmt.Errorf("challenge: scheme %q is not a token", scheme)
	}
	c := Challenge{scheme: scheme, params: params}
	var b strings.Builder
	b.WriteString(scheme)
	for i, p := range params {
		if err := checkParam(p, params[:i]); err != nil {
			return Challenge{}, fmt.Errorf("challenge: %s: %w", scheme, err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte(' ')
		b.WriteString(p.Name)
		b.WriteByte('=')
		if p.Bare {
			b.WriteString(p.Value)
		} else {
			quote(&b, p.Value)
		}
	}
	c.text = b.String()
	return c, nil
}

// Scheme is the scheme as written.
func (c Challenge) Scheme() string { return c.scheme }

// Token68 is the token68 that stands in place of parameters, or "".
func (c Challenge) Token68() string { return c.token68 }

// Param is the value of the parameter called name, in any letter case.
func (c Challenge) Param(name string) (string, bool) {
	for _, p := range c.params {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

// Params are the parameters in order; the slice must not be modified.
func (c Challenge) Params() []Param { return c.params }

// String is the challenge as a field value.
func (c Challenge) String() string { return c.text }

func checkParam(p Param, before []Param) error {
	if !isToken(p.Name) {
		return fmt.Errorf("parameter name %q is not a token", p.Name)
	}
	for _, q := range before {
		if strings.EqualFold(p.Name, q.Name) {
			return fmt.Errorf("parameter %q stands twice", p.Name)
		}
	}
	if p.Bare {
		if strings.EqualFold(p.Name, "realm") {
			return errors.New("realm must be quoted (RFC 9110 §11.5)")
		}
		if !isToken(p.Value) {
			return fmt.Errorf("parameter %q: bare value %q is not a token", p.Name, p.Value)
		}
		return nil
	}
	for i := 0; i < len(p.Value); i++ {
		if c := p.Value[i]; c < ' ' || c > '~' {
			return fmt.Errorf("parameter %q: byte %#02x at offset %d is not printable ASCII", p.Name, c, i)
		}
	}
	return nil
}

// quote writes s as a quoted-string; only quote and backslash are escaped
// (RFC 9110 §5.6.4).
func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}

// isToken reports whether s is a token of RFC 9110 §5.6.2.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isTchar(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTchar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
