package policytest

import (
	"maps"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

const (
	tableForm = `write "table USER USER ..." and below it, for each object and action, "OBJECT ACTION" and allow, deny or - for each user`
	// noTest marks a cell without a test.
	noTest = "-"
)

// table is the head of a table and the state of parsing it.
type table struct {
	users []Test // without object, action and expected decision
	names []string
	// file and line say where the table begins; failed reports that its head or one of its
	// rows is malformed, and tests counts its tests.
	file   string
	line   int
	failed bool
	tests  int
}

// beginsTable reports whether a line is the head of a table, and returns the offset after
// the word table.
func beginsTable(line string) (rest int, ok bool) {
	trimmed := strings.TrimSpace(line)
	after, ok := strings.CutPrefix(trimmed, "table")
	if !ok || after != "" && !startsBlank(after) {
		return 0, false
	}
	return strings.Index(line, "table") + len("table"), true
}

// newTable parses the head. It never returns a nil table, so that the rows below a
// malformed head are not parsed as tests.
func newTable(file string, n int, line string, rest int) (*table, *Error) {
	t := &table{file: file, line: n, failed: true}
	words, _, err := splitWith(line, func(words []word, rest string) bool {
		return len(words) > 0 && !startsFact(words[1:], rest)
	})
	if err != nil {
		return t, err
	}
	words = words[1:]
	facts := 0
	for facts < len(words) && isFact(words[:facts], words[facts]) {
		facts++
	}
	var shared Test
	if err := shared.addFacts(words[:facts]); err != nil {
		return t, err
	}
	if facts == len(words) {
		return t, &Error{Column: rest, Message: "the table names no user: " + tableForm}
	}
	for _, w := range words[facts:] {
		user := shared
		user.Subject, user.Roles, user.Stranger = w.text, w.roles, w.noRoles
		switch {
		case w.text == "":
			return t, w.errorf("a word is empty")
		case isFact(nil, w) && !w.quoted:
			return t, w.errorf("%s stands behind a user: tenant and attributes of a table stand in front of all of them", w.text)
		case w.text == ask.Anonymous && (w.roles != nil || w.noRoles):
			return t, w.errorf("a request without credentials brings no roles")
		case w.text == ask.Anonymous:
			user = Test{}
			user.Subject = ask.Anonymous
		}
		t.users = append(t.users, user)
		t.names = append(t.names, w.text)
	}
	t.failed = false
	return t, nil
}

// startsFact reports whether the word at the beginning of rest is not a user, and so has no
// roles.
func startsFact(words []word, rest string) bool {
	if len(words) > 0 && !isFact(words[:len(words)-1], words[len(words)-1]) {
		return false // the users have begun
	}
	if len(words) > 0 && isIn(words[len(words)-1]) && !isTenant(words[:len(words)-1]) {
		return true // the tenant
	}
	after, in := strings.CutPrefix(rest, "in")
	return attributeStart.MatchString(rest) || in && after != "" && startsBlank(after)
}

// isFact reports whether w, which follows words, is "in", a tenant or an attribute.
func isFact(words []word, w word) bool {
	_, _, attribute := w.attribute()
	return attribute || isIn(w) || isTenant(words)
}

func isIn(w word) bool { return w.text == "in" && !w.quoted && w.roles == nil && !w.noRoles }

// isTenant reports whether the next word is the tenant after "in".
func isTenant(words []word) bool {
	return len(words) > 0 && isIn(words[len(words)-1]) && !isTenant(words[:len(words)-1])
}

// row parses the tests of one object and action.
func (t *table) row(line string) ([]Test, *Error) {
	words, why, err := splitWith(line, func([]word, string) bool { return false })
	if err != nil {
		t.failed = true
		return nil, err
	}
	if len(words) == 0 {
		return nil, nil // a comment
	}
	if err := t.check(words); err != nil {
		t.failed = true
		return nil, err
	}
	if t.users == nil {
		return nil, nil
	}
	var tests []Test
	for i, w := range words[2:] {
		if w.text == noTest {
			continue
		}
		one := t.users[i]
		one.Attributes = maps.Clone(one.Attributes)
		one.Allow, one.Why = w.text == "allow", why
		one.Object, one.Action = words[0].text, words[1].text
		tests = append(tests, one)
	}
	t.tests += len(tests)
	return tests, nil
}

// check returns what is wrong with a row.
func (t *table) check(words []word) *Error {
	for i, w := range words {
		switch {
		case i < 2 && w.text == "":
			return w.errorf("a word is empty")
		case i >= 2 && w.text != "allow" && w.text != "deny" && w.text != noTest:
			return w.errorf("%q is neither allow, deny nor -: %s; an empty line ends the table", w.text, tableForm)
		}
	}
	if t.users == nil {
		return nil // the error in the head was already reported
	}
	switch last := words[len(words)-1]; {
	case len(words) < 2+len(t.users):
		if len(words) < 2 {
			return last.errorf("the action is missing: %s", tableForm)
		}
		return last.errorf("nothing is said for %s: write allow, deny or - for each of the %d users of the table", t.names[len(words)-2], len(t.users))
	case len(words) > 2+len(t.users):
		extra := words[2+len(t.users)]
		return extra.errorf("the table has no user for this: it has %d", len(t.users))
	}
	return nil
}

// end returns the errors of a complete table. It may be called on nil.
func (t *table) end() []error {
	if t == nil || t.failed || t.tests > 0 {
		return nil
	}
	return []error{&Error{t.file, t.line, 1, "the table asks nothing: " + tableForm}}
}
