package lsp

import (
	"regexp"
	"strings"
	"unicode"
)

// testWord is a word in a line of tests, possibly malformed, with its byte offsets in the
// line.
type testWord struct {
	text       string
	start, end int
	// domain is the domain of the name; "" if the word is not a name.
	domain string
	quoted bool
	// roles are those in brackets after a user.
	roles []field
}

// testLines returns the words of each line of tests. A table ends at an empty line or where
// another table begins.
func testLines(d *document) [][]testWord {
	lines := make([][]testWord, d.lines())
	inTable := false
	for n := range lines {
		line := d.line(n)
		words := testWords(line)
		switch {
		case strings.TrimSpace(line) == "":
			inTable = false
		case len(words) > 0 && isTableHead(words[0]):
			inTable = true
			nameHead(words)
		case inTable:
			for i := range min(len(words), 2) {
				words[i].domain = []string{domainObject, domainAction}[i]
			}
		default:
			nameTest(words)
		}
		lines[n] = words
	}
	return lines
}

func isTableHead(w testWord) bool { return w.text == "table" && !w.quoted }

// nameTest sets the domains of the words of a test.
func nameTest(words []testWord) {
	for i := 1; i < len(words); i++ {
		switch {
		case i == 1:
			words[i].domain = domainSubject
		case i == len(words)-1:
			words[i].domain = domainAction
		case i == len(words)-2:
			words[i].domain = domainObject
		case words[i-1].text == "in":
			words[i].domain = domainTenant
		}
	}
}

// nameHead sets the domains of the words in the head of a table: every word that is neither
// a tenant nor an attribute is a user.
func nameHead(words []testWord) {
	for i := 1; i < len(words); i++ {
		switch w := &words[i]; {
		case isIn(words[i-1]) && words[i-1].domain == "":
			w.domain = domainTenant
		case !isIn(*w) && !attributeStart.MatchString(w.text):
			w.domain = domainSubject
		}
	}
}

func isIn(w testWord) bool { return w.text == "in" && !w.quoted && w.roles == nil }

// attributeStart matches the name before the value of an attribute.
var attributeStart = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// testWords splits a line of tests at spaces outside quotes; a "#" at the beginning of a
// word begins a comment. The second word, and those in the head of a table, are users that
// may be followed by roles.
func testWords(line string) []testWord {
	var words []testWord
	isUser := func(rest string) bool {
		switch {
		case len(words) == 0:
			return false
		case isTableHead(words[0]):
			return !attributeStart.MatchString(rest) && (len(words) == 1 || !isIn(words[len(words)-1]))
		}
		return len(words) == 1
	}
	for i := 0; i < len(line); {
		rest := strings.TrimLeftFunc(line[i:], unicode.IsSpace)
		i = len(line) - len(rest)
		if rest == "" || rest[0] == '#' {
			break
		}
		start := i
		user := isUser(rest)
		i += wordEnd(rest, user)
		w := testWord{start: start, end: i}
		text := line[start:i]
		if open := bracket(text); user && open >= 0 {
			for _, f := range splitFields(strings.TrimSuffix(text[open+1:], "]")) {
				end := f.end
				if !f.quoted {
					trimmed := strings.TrimRightFunc(f.text, unicode.IsSpace)
					end -= len(f.text) - len(trimmed)
					f.text = trimmed
				}
				w.roles = append(w.roles, field{f.text, start + open + 1 + f.start, start + open + 1 + end, f.quoted})
			}
			w.end = start + open
			text = text[:open]
		}
		w.text = text
		if fields := splitFields(text); strings.HasPrefix(text, `"`) && len(fields) > 0 {
			w.text, w.quoted = fields[0].text, true
		}
		words = append(words, w)
	}
	return words
}

// bracket returns the index of the roles after a user, or -1.
func bracket(text string) int {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '[' && !quoted:
			return i
		}
	}
	return -1
}

// wordEnd returns the length of the word at the beginning of s. A user's word includes its
// brackets.
func wordEnd(s string, user bool) int {
	quoted, brackets := false, false
	for i, c := range s {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case user && c == '[':
			brackets = true
		case brackets && c == ']':
			brackets = false
		case unicode.IsSpace(c) && !brackets:
			return i
		}
	}
	return len(s)
}
