// Package policytest reads the tests that are kept beside a policy.
//
// A test is one line:
//
//	allow erin[editor,auditor] in acme PATCH /reports/7  # why
//
// It begins with what is expected, "allow" or "deny", and goes on with the user
// and, in brackets, the roles that its credentials bring; then, where the model
// has tenants, "in" and the tenant; then action and object. Blanks part the
// words. What follows a "#" at the begin of a word is why, and a line that
// begins with one is a comment. A word in double quotes is read as a Go string.
// The user "anonymous" is a request without credentials.
package policytest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// Test is one request with what the policy is expected to say.
type Test struct {
	File string
	// Line counts from 1.
	Line int
	// Allow is what is expected.
	Allow bool
	ask.Question
	// Why is the comment behind the request, or "".
	Why string
}

// Place is "policy.tests:7", with the file as it was given.
func (t Test) Place() string { return t.File + ":" + strconv.Itoa(t.Line) }

// Error says where and why a test cannot be read.
type Error struct {
	File string
	// Line and Column count from 1; Column counts bytes.
	Line, Column int
	Message      string
}

// Error is "file:line:column: message".
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Parse reads all tests of a file; name stands for it in places. The error is
// all there are of [*Error], joined.
func Parse(name, text string) ([]Test, error) {
	var tests []Test
	var errs []error
	n := 0
	for line := range strings.Lines(text) {
		n++
		t, err := parseLine(strings.TrimRight(line, "\r\n"))
		switch {
		case err != nil:
			err.File, err.Line = name, n
			errs = append(errs, err)
		case t != nil:
			t.File, t.Line = name, n
			tests = append(tests, *t)
		}
	}
	return tests, errors.Join(errs...)
}

// parseLine is nil for a line without a test.
func parseLine(line string) (*Test, *Error) {
	words, why, err := split(line)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	if words[0].text != "allow" && words[0].text != "deny" {
		return nil, &Error{Column: words[0].column, Message: fmt.Sprintf("a test begins with allow or deny, and not with %q", words[0].text)}
	}
	t := &Test{Allow: words[0].text == "allow", Why: why}
	switch {
	case len(words) == 4:
		t.Action, t.Object = words[2].text, words[3].text
	case len(words) == 6 && words[2].text == "in":
		t.Tenant, t.Action, t.Object = words[3].text, words[4].text, words[5].text
	default:
		return nil, &Error{Column: words[len(words)-1].column,
			Message: `write "allow USER[ROLE,ROLE] ACTION OBJECT", with "in TENANT" behind the user where the model has tenants`}
	}
	t.Subject = words[1].text
	if words[1].roles != nil {
		t.Roles = words[1].roles
	}
	if t.Subject == ask.Anonymous && (t.Roles != nil || t.Tenant != "") {
		return nil, &Error{Column: words[1].column, Message: "a request without credentials brings no roles and no tenant"}
	}
	for _, w := range words {
		if w.text == "" {
			return nil, &Error{Column: w.column, Message: "a word is empty"}
		}
	}
	return t, nil
}

// word is one word of a line, of a user with the roles in brackets.
type word struct {
	text   string
	roles  []string
	column int
}

// split takes a line apart. Only the second word has roles.
func split(line string) (words []word, why string, err *Error) {
	if !utf8.ValidString(line) {
		return nil, "", &Error{Column: 1, Message: "the line is not valid UTF-8"}
	}
	for at := 0; ; {
		at += len(line[at:]) - len(strings.TrimLeftFunc(line[at:], unicode.IsSpace))
		if at == len(line) {
			return words, "", nil
		}
		if line[at] == '#' {
			return words, strings.TrimSpace(line[at+1:]), nil
		}
		w := word{column: at + 1}
		end := 0
		if w.text, end, err = text(line, at, len(words) == 1); err != nil {
			return nil, "", err
		}
		if len(words) == 1 && end < len(line) && line[end] == '[' {
			if w.roles, end, err = roles(line, end); err != nil {
				return nil, "", err
			}
		}
		if end < len(line) && !startsBlank(line[end:]) {
			return nil, "", &Error{Column: end + 1, Message: "put a blank behind the word"}
		}
		words = append(words, w)
		at = end
	}
}

func startsBlank(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(c)
}

// text reads a word, quoted or not, that for a user ends at a bracket.
func text(line string, at int, user bool) (string, int, *Error) {
	if line[at] == '"' {
		quoted, err := strconv.QuotedPrefix(line[at:])
		if err != nil {
			return "", 0, &Error{Column: at + 1, Message: "the quoted word is not closed, or is no Go string"}
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return "", 0, &Error{Column: at + 1, Message: "the quoted word is no Go string"}
		}
		return value, at + len(quoted), nil
	}
	end := strings.IndexFunc(line[at:], func(c rune) bool { return unicode.IsSpace(c) || user && c == '[' })
	if end < 0 {
		end = len(line) - at
	}
	return line[at : at+end], at + end, nil
}

// roles reads a list in brackets.
func roles(line string, at int) ([]string, int, *Error) {
	end := strings.IndexByte(line[at:], ']')
	if end < 0 {
		return nil, 0, &Error{Column: at + 1, Message: "the list of roles is not closed"}
	}
	var list []string
	for role := range strings.SplitSeq(line[at+1:at+end], ",") {
		role = strings.TrimSpace(role)
		if role == "" {
			return nil, 0, &Error{Column: at + 1, Message: "a role is empty"}
		}
		list = append(list, role)
	}
	return list, at + end + 1, nil
}

// String is the test as [Parse] reads it.
func (t Test) String() string {
	var b strings.Builder
	b.WriteString("deny ")
	if t.Allow {
		b.Reset()
		b.WriteString("allow ")
	}
	b.WriteString(quote(t.Subject))
	if len(t.Roles) > 0 {
		b.WriteString("[" + strings.Join(t.Roles, ",") + "]")
	}
	if t.Tenant != "" {
		b.WriteString(" in " + quote(t.Tenant))
	}
	b.WriteString(" " + quote(t.Action) + " " + quote(t.Object))
	if t.Why != "" {
		b.WriteString(" # " + t.Why)
	}
	return b.String()
}

// quote quotes a word where it would not be read as itself.
func quote(s string) string {
	if s == "" || s[0] == '#' || strings.ContainsAny(s, `"[`) || strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsSpace(c) || !unicode.IsPrint(c)
	}) {
		return strconv.Quote(s)
	}
	return s
}
