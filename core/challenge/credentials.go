package challenge

import (
	"fmt"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// Credentials is the content of an Authorization field (RFC 9110 §11.4): a scheme
// with either a token68, or parameters, or nothing. It holds secrets and should not
// be logged.
type Credentials struct {
	// Scheme is the scheme as written; it is compared in any letter case.
	Scheme string
	// Token68 is the token68, or "".
	Token68 string
	// Params are the parameters in order, without duplicate names.
	Params []Param
}

// Param returns the value of the named parameter, in any letter case.
func (c Credentials) Param(name string) (string, bool) { return find(c.Params, name) }

// ParseCredentials parses an Authorization or Proxy-Authorization field, which is
// one line, strictly by RFC 9110 §11.2 and §11.4.
//
// One or more SP follow the scheme, never a TAB. Nothing follows a token68.
// Parameters are parsed as by [Parse]. Every error is a [*SyntaxError], even for
// input over [MaxBytes] or [MaxParams], and does not quote the field. The result
// shares the memory of field.
func ParseCredentials(field string) (Credentials, error) {
	s := newScanner(1, field)
	if len(field) > MaxBytes {
		return Credentials{}, s.fail(MaxBytes, fmt.Sprintf("field longer than %d bytes", MaxBytes))
	}
	c := Credentials{Scheme: s.token()}
	switch {
	case c.Scheme == "":
		return Credentials{}, s.fail(s.pos, "expected a scheme")
	case s.done():
		return c, nil
	case !s.spaces():
		return Credentials{}, s.fail(s.pos, "expected a space after the scheme")
	}
	if c.Token68 = s.token68(); c.Token68 != "" {
		if !s.done() {
			return Credentials{}, s.fail(s.pos, "nothing may follow a token68")
		}
		return c, nil
	}
	params, err := s.paramList()
	if err != nil {
		return Credentials{}, err
	}
	c.Params = params
	return c, nil
}

// paramList parses #auth-param to the end of the line.
func (s *scanner) paramList() (params []Param, err error) {
	for !s.done() {
		if !s.at(',') && !s.at('\t') {
			if params == nil {
				params = make([]Param, 0, 12) // enough for Digest
			}
			if params, err = s.param(params); err != nil {
				return nil, err
			}
		}
		s.whitespace()
		if s.done() {
			break
		}
		if !s.at(',') {
			return nil, s.fail(s.pos, "expected a comma or the end")
		}
		s.pos++
		s.whitespace()
	}
	return params, nil
}

// Split splits an Authorization field after the scheme, without allocating: the
// scheme, at least one SP, the rest without leading SP (RFC 9110 §11.4). The rest
// is "" for a scheme alone, and is not checked; see [IsToken68]. Whitespace around
// the field is not part of it (RFC 9110 §5.5).
//
// ok is false if the field does not begin with a scheme, or something other than SP
// follows it; scheme is then the token at the start of the field, so that a scheme
// can refuse its own malformed credentials, and rest is "".
func Split(field string) (scheme, rest string, ok bool) {
	for field != "" && isBlank(field[0]) {
		field = field[1:]
	}
	for field != "" && isBlank(field[len(field)-1]) {
		field = field[:len(field)-1]
	}
	n := ascii.TokenLen(field)
	scheme, rest = field[:n], field[n:]
	if rest != "" && rest[0] != ' ' {
		return scheme, "", false
	}
	for rest != "" && rest[0] == ' ' {
		rest = rest[1:]
	}
	return scheme, rest, n > 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// IsToken68 reports whether s is a token68: one or more letters, digits or
// -._~+/ and then any number of "=" (RFC 9110 §11.2). It does not allocate.
func IsToken68(s string) bool { return s != "" && token68Len(s) == len(s) }
