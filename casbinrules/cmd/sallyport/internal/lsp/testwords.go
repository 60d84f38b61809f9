package lsp

import (
	"strings"
	"unicode"
)

// testWord is one word of a line of tests, good or not, by its bytes in the line.
type testWord struct {
	text       string
	start, end int
	// roles are those in brackets behind a user.
	roles []field
}

// testWords takes a line of tests apart: blanks part words, quotes keep blanks, a
// "#" at the begin of a word begins a comment.
func testWords(line string) []testWord {
	var words []testWord
	for i := 0; i < len(line); {
		rest := strings.TrimLeftFunc(line[i:], unicode.IsSpace)
		i = len(line) - len(rest)
		if rest == "" || rest[0] == '#' {
			break
		}
		start := i
		i += wordEnd(rest, len(words) == 1)
		w := testWord{start: start, end: i}
		text := line[start:i]
		if open := strings.IndexByte(text, '['); len(words) == 1 && open >= 0 {
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
			w.text = fields[0].text
		}
		words = append(words, w)
	}
	return words
}

// wordEnd is how long the word is that s begins with. That of a user goes on to
// the end of its brackets.
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
