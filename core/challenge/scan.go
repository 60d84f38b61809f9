package challenge

import (
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// Limits on parsed and created challenges. They are far above what schemes use and
// leave room for the largest Kerberos tickets in a Negotiate token.
const (
	// MaxBytes is the maximum length of a field, all its lines together.
	MaxBytes = 64 << 10
	// MaxChallenges is the maximum number of challenges in a field.
	MaxChallenges = 128
	// MaxParams is the maximum number of parameters of a challenge or credentials.
	MaxParams = 32
)

// SyntaxError says where a field violates the grammar or a limit. It does not quote
// the field, which may hold a secret, and so is safe to log.
type SyntaxError struct {
	// Line is the field line, counted from 1.
	Line int
	// Offset is the byte in that line, counted from 0.
	Offset int
	// Problem says what is wrong there.
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("challenge: line %d, offset %d: %s", e.Line, e.Offset, e.Problem)
}

// scanner reads one field line.
type scanner struct {
	line int
	text string // without trailing whitespace
	pos  int
}

// newScanner starts behind leading whitespace; whitespace around a field value is
// not part of it (RFC 9110 §5.5).
func newScanner(line int, text string) scanner {
	s := scanner{line: line, text: strings.TrimRight(text, " \t")}
	s.whitespace()
	return s
}

func (s *scanner) fail(offset int, problem string) error {
	return &SyntaxError{Line: s.line, Offset: offset, Problem: problem}
}

func (s *scanner) done() bool { return s.pos == len(s.text) }

func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

// whitespace skips OWS, which is also BWS (RFC 9110 §5.6.3).
func (s *scanner) whitespace() {
	for s.at(' ') || s.at('\t') {
		s.pos++
	}
}

// spaces skips SP only and reports whether there was one.
func (s *scanner) spaces() bool {
	from := s.pos
	for s.at(' ') {
		s.pos++
	}
	return s.pos > from
}

// token parses a token; "" if there is none.
func (s *scanner) token() string {
	n := ascii.TokenLen(s.text[s.pos:])
	s.pos += n
	return s.text[s.pos-n : s.pos]
}

// token68 parses a token68 that is a whole list member; otherwise it returns "" and
// consumes nothing. "abc" and "abc=" are a token68, "abc=def" is a parameter.
func (s *scanner) token68() string {
	from := s.pos
	n := token68Len(s.text[from:])
	s.pos += n
	after := s.pos
	s.whitespace()
	if n == 0 || !s.done() && !s.at(',') {
		s.pos = from
		return ""
	}
	return s.text[from:after]
}

// param reads auth-param = token BWS "=" BWS ( token / quoted-string ) and
// appends it to params (RFC 9110 §11.2).
func (s *scanner) param(params []Param) ([]Param, error) {
	from := s.pos
	name := s.token()
	switch _, twice := find(params, name); {
	case name == "":
		return nil, s.fail(from, "expected the name of a parameter")
	case twice:
		return nil, s.fail(from, "a parameter with this name is already there: use each name once")
	case len(params) == MaxParams:
		return nil, s.fail(from, fmt.Sprintf("more than %d parameters", MaxParams))
	}
	s.whitespace()
	if !s.at('=') {
		return nil, s.fail(s.pos, `expected "=" after the name of a parameter`)
	}
	s.pos++
	s.whitespace()
	if s.at('"') {
		value, err := s.quoted()
		return append(params, Param{Name: name, Value: value}), err
	}
	value := s.token()
	if value == "" {
		return nil, s.fail(s.pos, `expected a token or a quoted string after "="`)
	}
	// A bare realm is understood but must not be sent on (RFC 9110 §11.5).
	return append(params, Param{Name: name, Value: value, Bare: !strings.EqualFold(name, "realm")}), nil
}

// quoted reads a quoted-string and undoes its quoted-pairs (RFC 9110 §5.6.4).
// Bytes outside ASCII are kept as they are.
func (s *scanner) quoted() (string, error) {
	opening := s.pos
	s.pos++
	from := s.pos
	var unescaped []byte
	for ; !s.done(); s.pos++ {
		c := s.text[s.pos]
		if c == '"' {
			rest := s.text[from:s.pos]
			s.pos++
			if unescaped == nil {
				return rest, nil
			}
			return string(append(unescaped, rest...)), nil
		}
		if c == '\\' {
			unescaped = append(unescaped, s.text[from:s.pos]...)
			s.pos++
			from = s.pos
			if s.done() {
				break
			}
			c = s.text[s.pos]
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", s.fail(s.pos, "control character in a quoted string")
		}
	}
	return "", s.fail(opening, "quoted string without its closing quote")
}

// IsToken reports whether s is a token of RFC 9110 §5.6.2, such as a method, a
// field name or a scheme.
func IsToken(s string) bool { return s != "" && ascii.TokenLen(s) == len(s) }

// notInToken68 are 1 for what is not a character of a token68, but for the padding.
var notInToken68 = func() (set [256]uint8) {
	for c := range set {
		if !ascii.IsAlphanumeric(byte(c)) && strings.IndexByte("-._~+/", byte(c)) < 0 {
			set[c] = 1
		}
	}
	return set
}()

// token68Len returns the length of the token68 that s begins with (RFC 9110 §11.2).
func token68Len(s string) int {
	i := 0
	not := &notInToken68
	for len(s)-i >= 8 { // at a time, since tokens are long
		b := s[i : i+8]
		if not[b[0]]|not[b[1]]|not[b[2]]|not[b[3]]|not[b[4]]|not[b[5]]|not[b[6]]|not[b[7]] != 0 {
			break
		}
		i += 8
	}
	for i < len(s) && not[s[i]] == 0 {
		i++
	}
	if i == 0 {
		return 0
	}
	for i < len(s) && s[i] == '=' {
		i++
	}
	return i
}
