// Package challenge writes and parses WWW-Authenticate challenges and Authorization
// credentials by the grammar of RFC 9110 §11.
package challenge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Param is one authentication parameter.
type Param struct {
	// Name is a token, unique in its challenge without regard to letter case (RFC
	// 9110 §11.2).
	Name string
	// Value is the plain value, neither quoted nor escaped.
	Value string
	// Bare means that the value is written without quotes; it must then be a token.
	// Digest requires this for algorithm and stale (RFC 7616 §3.3). Realm is always
	// quoted (RFC 9110 §11.5).
	Bare bool
}

// Challenge is one challenge of a WWW-Authenticate field. The zero value is not a
// valid challenge. Values from [New] and [Parse] are immutable, safe for concurrent
// use and rendered once.
type Challenge struct {
	scheme  string
	token68 string
	params  []Param
	text    string
}

// New returns a challenge with the given scheme and parameters, in order.
//
// It returns an error that names the parameter for anything that would not reach
// the client intact: a scheme or name that is not a token, a duplicate name, a
// control character or non-ASCII byte in a value (RFC 9110 §5.5), or more than the
// limits of [Parse]. New does not retain params.
func New(scheme string, params ...Param) (Challenge, error) {
	if !IsToken(scheme) {
		return Challenge{}, fmt.Errorf("challenge: scheme %q is not a token", scheme)
	}
	if len(params) > MaxParams {
		return Challenge{}, fmt.Errorf("challenge: %s: %d parameters: must be at most %d", scheme, len(params), MaxParams)
	}
	for i, p := range params {
		if err := checkParam(p, params[:i]); err != nil {
			return Challenge{}, fmt.Errorf("challenge: %s: %w", scheme, err)
		}
	}
	c := Challenge{scheme: scheme, params: slices.Clone(params)}
	c.text = c.render()
	if len(c.text) > MaxBytes {
		return Challenge{}, fmt.Errorf("challenge: %s: %d bytes: must be at most %d", scheme, len(c.text), MaxBytes)
	}
	return c, nil
}

// Scheme returns the scheme as written.
func (c Challenge) Scheme() string { return c.scheme }

// Token68 returns the token68 in place of parameters, or "".
func (c Challenge) Token68() string { return c.token68 }

// Param returns the value of the named parameter, in any letter case.
func (c Challenge) Param(name string) (string, bool) {
	return find(c.params, name)
}

// Params returns the parameters in order; the slice must not be modified.
func (c Challenge) Params() []Param { return c.params }

// String returns the challenge as a field value, always in the same form: one space
// after the scheme, parameters in order, quoted unless Bare.
func (c Challenge) String() string { return c.text }

func (c Challenge) render() string {
	size := len(c.scheme) + 1 + len(c.token68)
	for _, p := range c.params {
		size += len(`, =""`) + len(p.Name) + len(p.Value)
	}
	var b strings.Builder
	b.Grow(size) // enough if nothing is escaped
	b.WriteString(c.scheme)
	if c.token68 != "" {
		b.WriteByte(' ')
		b.WriteString(c.token68)
	}
	for i, p := range c.params {
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
	return b.String()
}

func checkParam(p Param, before []Param) error {
	if !IsToken(p.Name) {
		return fmt.Errorf("parameter name %q is not a token", p.Name)
	}
	if _, twice := find(before, p.Name); twice {
		return fmt.Errorf("parameter %q is given twice", p.Name)
	}
	if p.Bare {
		if strings.EqualFold(p.Name, "realm") {
			return errors.New("realm must be quoted (RFC 9110 §11.5)")
		}
		if !IsToken(p.Value) {
			return fmt.Errorf("parameter %q: bare value %q is not a token", p.Name, p.Value)
		}
		return nil
	}
	for i := range len(p.Value) {
		if c := p.Value[i]; c < ' ' || c > '~' {
			return fmt.Errorf("parameter %q: byte %#02x at offset %d is not printable ASCII", p.Name, c, i)
		}
	}
	return nil
}

// find returns the value of the named parameter, in any letter case (RFC 9110
// §11.2).
func find(params []Param, name string) (string, bool) {
	for _, p := range params {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

// quote writes s as a quoted-string; only quote and backslash are escaped
// (RFC 9110 §5.6.4).
func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}
