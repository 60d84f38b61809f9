package policytest

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/quoted"
)

// word is a word of a line, with the roles in brackets if it is a user.
type word struct {
	text   string
	column int
	roles  []string
	// quoted reports that the whole word was quoted, noRoles that the brackets are empty.
	quoted, noRoles bool
	// name is the attribute whose value is in text, if that was quoted.
	name string
}

func (w word) errorf(format string, args ...any) *Error {
	return &Error{Column: w.column, Message: fmt.Sprintf(format, args...)}
}

// attribute splits NAME=VALUE.
func (w word) attribute() (name, value string, ok bool) {
	if w.name != "" {
		return w.name, w.text, true
	}
	if w.quoted || !attributeStart.MatchString(w.text) {
		return "", "", false
	}
	return strings.Cut(w.text, "=")
}

// split splits a line into words. Only the second word may have roles.
func split(line string) (words []word, why string, err *Error) {
	return splitWith(line, func(words []word, _ string) bool { return len(words) == 1 })
}

// splitWith splits a line into words; roles reports whether the word at the beginning of
// rest, after words, may have roles.
func splitWith(line string, roles func(words []word, rest string) bool) (words []word, why string, err *Error) {
	if !utf8.ValidString(line) {
		return nil, "", &Error{Column: 1, Message: "the line is not valid UTF-8"}
	}
	for rest := line; ; {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			return words, "", nil
		}
		if rest[0] == '#' {
			return words, strings.TrimSpace(rest[1:]), nil
		}
		w := word{column: len(line) - len(rest) + 1}
		if rest, err = w.read(rest, roles(words, rest)); err != nil {
			return nil, "", err
		}
		if rest != "" && !startsBlank(rest) {
			return nil, "", &Error{Column: len(line) - len(rest) + 1, Message: "put a blank behind the word"}
		}
		words = append(words, w)
	}
}

func startsBlank(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(c)
}

// read parses the word at the beginning of s and returns the rest.
func (w *word) read(s string, user bool) (rest string, err *Error) {
	if s[0] == '"' {
		w.quoted = true
		if w.text, rest, err = w.cut(s); err != nil {
			return "", err
		}
	} else {
		end := strings.IndexFunc(s, func(c rune) bool { return unicode.IsSpace(c) || c == '"' || user && c == '[' })
		if end < 0 {
			end = len(s)
		}
		w.text, rest = s[:end], s[end:]
		if c, _ := utf8.DecodeRuneInString(w.text); strings.ContainsRune("'`‘’‚‛“”„‟«»‹›", c) {
			return "", w.errorf("only \" quotes a word: write that around it, also if the %c is meant", c)
		}
		if strings.HasPrefix(rest, `"`) {
			name := strings.TrimSuffix(w.text, "=")
			if attributeStart.FindString(w.text) != w.text || user {
				return "", w.errorf("%s", quoted.ErrInside)
			}
			w.name = name
			if w.text, rest, err = w.cut(rest); err != nil {
				return "", err
			}
		}
	}
	if user && strings.HasPrefix(rest, "[") {
		return w.readRoles(rest)
	}
	return rest, nil
}

func (w *word) cut(s string) (value, rest string, err *Error) {
	value, rest, problem := quoted.Cut(s)
	if problem != nil {
		return "", "", w.errorf("%s", problem)
	}
	return value, rest, nil
}

// readRoles parses a list in brackets. Brackets inside roles are quoted.
func (w *word) readRoles(s string) (rest string, err *Error) {
	end := 1
	for inQuotes := false; ; end++ {
		if end == len(s) {
			return "", w.errorf("the list of roles is not closed: end it with ]")
		}
		if s[end] == '"' {
			inQuotes = !inQuotes
		}
		if s[end] == ']' && !inQuotes {
			break
		}
	}
	if strings.TrimSpace(s[1:end]) == "" {
		w.noRoles = true
		return s[end+1:], nil
	}
	roles, problem := quoted.List(s[1:end])
	if problem != nil {
		return "", w.errorf("the list of roles: %s", problem)
	}
	if slices.Contains(roles, "") {
		return "", w.errorf("a role is empty")
	}
	w.roles = roles
	return s[end+1:], nil
}

// quoteWord quotes a word if necessary where attributes may also occur.
func quoteWord(s string) string {
	if attributeStart.MatchString(s) || s == "in" {
		return quoted.Quote(s)
	}
	return quote(s, "")
}

// quote quotes a value if it would otherwise be read differently; special are the
// characters that would end it.
func quote(s, special string) string {
	if s == "" || s[0] == '#' || strings.ContainsAny(s, `"`+special) || strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsSpace(c) || !unicode.IsPrint(c)
	}) {
		return quoted.Quote(s)
	}
	return s
}
