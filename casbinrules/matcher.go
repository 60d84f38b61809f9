package casbinrules

import (
	"fmt"
	"strings"
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
	text     string // a string's contents, without quotes and escapes
	from, to int    // byte offsets
}

// lex splits a matcher the way Casbin's expression library does: a string
// begins and ends with either quote and a backslash escapes.
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
		case isNameByte(c):
			n := 1
			for i+n < len(expr) && isNameByte(expr[i+n]) {
				n++
			}
			tokens = append(tokens, token{tokenName, expr[i : i+n], i, i + n})
			i += n
		case i+1 < len(expr) && isOperator(expr[i:i+2]):
			tokens = append(tokens, token{tokenOther, expr[i : i+2], i, i + 2})
			i += 2
		case c == '[' || c == '\\' || c >= 0x80 || c < ' ':
			return nil, fmt.Errorf("%q cannot stand outside a string", rune(c))
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

func isNameByte(c byte) bool {
	return c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isOperator(s string) bool {
	switch s {
	case "==", "!=", "&&", "||", "=~", "!~", "<=", ">=", "<<", ">>", "**", "??":
		return true
	}
	return false
}

// call is a function call in a matcher; args are the tokens of each argument.
type call struct {
	name     string
	at, open int // byte offsets of the name, and just behind the parenthesis
	args     [][]token
}

// arg is the only token of argument i, or a token of no text.
func (c call) arg(i int) token {
	if i < len(c.args) && len(c.args[i]) == 1 {
		return c.args[i][0]
	}
	return token{kind: tokenOther}
}

// calls lists all function calls, nested ones too.
func calls(tokens []token) []call {
	var found []call
	for i := 0; i+1 < len(tokens); i++ {
		if tokens[i].kind == tokenName && tokens[i].text != "in" && tokens[i+1].text == "(" && tokens[i+1].kind == tokenOther {
			found = append(found, call{tokens[i].text, tokens[i].from, tokens[i+1].from + 1, arguments(tokens[i+2:])})
		}
	}
	return found
}

func arguments(tokens []token) [][]token {
	var args [][]token
	depth, start := 0, 0
	for i, t := range tokens {
		if t.kind != tokenOther {
			continue
		}
		switch {
		case t.text == "(":
			depth++
		case t.text == ")" && depth > 0:
			depth--
		case t.text == ")":
			return append(args, tokens[start:i])
		case t.text == "," && depth == 0:
			args = append(args, tokens[start:i])
			start = i + 1
		}
	}
	return append(args, tokens[start:])
}

// compared lists the names that name is compared with by ==.
func compared(tokens []token, name string) []string {
	var names []string
	for i := 1; i+1 < len(tokens); i++ {
		left, right := tokens[i-1], tokens[i+1]
		if tokens[i].text != "==" || left.kind != tokenName || right.kind != tokenName {
			continue
		}
		if left.text == name {
			names = append(names, right.text)
		} else if right.text == name {
			names = append(names, left.text)
		}
	}
	return names
}
