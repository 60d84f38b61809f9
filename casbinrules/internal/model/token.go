package model

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// tokenKind is the kind of a token of a matcher.
type tokenKind int

const (
	tokenName tokenKind = iota
	tokenString
	tokenOther
)

// token is a token of a matcher expression.
type token struct {
	kind     tokenKind
	text     string // the content of a string, without quotes and escapes
	from, to int    // byte offsets
}

// lex splits a matcher into tokens like Casbin's expression library: a string
// begins and ends with either kind of quote, and a backslash escapes.
func lex(expr string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(expr); {
		c := expr[i]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case c == '\'' || c == '"':
			text, n, err := lexString(expr[i:])
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, token{tokenString, text, i, i + n})
			i += n
		case pattern.IsNameByte(c):
			n := 1
			for i+n < len(expr) && pattern.IsNameByte(expr[i+n]) {
				n++
			}
			tokens = append(tokens, token{tokenName, expr[i : i+n], i, i + n})
			i += n
		case i+1 < len(expr) && isOperator(expr[i:i+2]):
			tokens = append(tokens, token{tokenOther, expr[i : i+2], i, i + 2})
			i += 2
		case c == '[' || c == '\\' || c >= 0x80 || c < ' ':
			shown, _ := utf8.DecodeRuneInString(expr[i:])
			return nil, fmt.Errorf("%q is not allowed outside a string", shown)
		default:
			tokens = append(tokens, token{tokenOther, expr[i : i+1], i, i + 1})
			i++
		}
	}
	return tokens, nil
}

func lexString(s string) (text string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '"':
			return b.String(), i + 1, nil
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, fmt.Errorf("the string %s is not closed", s)
}

func isOperator(s string) bool {
	switch s {
	case "==", "!=", "&&", "||", "=~", "!~", "<=", ">=", "<<", ">>", "**", "??":
		return true
	}
	return false
}
