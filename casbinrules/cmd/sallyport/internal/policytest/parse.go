// Package policytest parses the tests that are kept beside a policy.
//
// A test is one line:
//
//	allow erin[editor,auditor] in acme region=eu /reports/7 PATCH  # why
//
// It begins with the expected decision, "allow" or "deny", followed by the user
// and, in brackets, the roles from its credentials; "[]" marks a user that the
// policy does not know. Then follow, if the model has them, "in" with the tenant
// and the values of attributes, and finally the object and the action, in the order
// of policy lines. Words are separated by spaces. Text after a "#" at the beginning
// of a word is the reason for the test, and a line that begins with "#" is a
// comment. A word, a role or the value of an attribute is quoted like a field of a
// policy line. The user "anonymous" stands for a request without credentials, and
// the tenant "" in quotes for none.
//
// Several tests may be written as a table, with a line for each object and action
// and a column for each user:
//
//	table in acme   victor  erin[editor]  anonymous
//	/reports/7 GET    allow   allow         deny      # why
//	/reports/7 PATCH  deny    allow         -
//
// "-" tests nothing. Tenant and attributes before the users apply to all of them, except
// anonymous. The table ends at an empty line, or where another one begins.
package policytest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core/linefile"
)

// Test is one request with the decision expected of the policy.
type Test struct {
	File string
	// Line counts from 1.
	Line int
	// Allow is the expected decision.
	Allow bool
	// Question is the request, with object and action as written.
	ask.Question
	// NoTenant reports that the test deliberately has no tenant, and Stranger that its user
	// is deliberately one the policy does not know.
	NoTenant, Stranger bool
	// Why is the comment after the request, or "".
	Why string
}

// Place returns a location such as "policy.tests:7", with the file name as given.
func (t Test) Place() string { return t.File + ":" + strconv.Itoa(t.Line) }

// Error is a syntax error in a test.
type Error struct {
	File string
	// Line and Column count from 1; Column counts bytes.
	Line, Column int
	Message      string
}

// Error returns "file:line:column: message".
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Parse parses all tests of a file; name is used in locations. The error joins every
// [*Error].
func Parse(name, text string) ([]Test, error) {
	var tests []Test
	var errs []error
	n := 0
	if strings.HasPrefix(text, "\ufeff") {
		return nil, &Error{name, 1, 1, "the file begins with a byte order mark: save it as UTF-8 without one"}
	}
	var open *table // the table that the current lines belong to
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if at, c := linefile.Misleading(line); c != 0 {
			errs = append(errs, &Error{name, n, at + 1, fmt.Sprintf("the line contains the control character %U, and what an editor shows behind it is part of the same line: remove it, or end the line there", c)})
			continue
		}
		var read []Test
		var err *Error
		switch head, begins := beginsTable(line); {
		case begins:
			errs = append(errs, open.end()...)
			open, err = newTable(name, n, line, head)
		case strings.TrimSpace(line) == "":
			errs = append(errs, open.end()...)
			open = nil
		case open != nil:
			read, err = open.row(line)
		default:
			read, err = parseLine(line)
		}
		if err != nil {
			err.File, err.Line = name, n
			errs = append(errs, err)
		}
		for _, t := range read {
			t.File, t.Line = name, n
			tests = append(tests, t)
		}
	}
	return tests, errors.Join(append(errs, open.end()...)...)
}

const form = `write "allow USER[ROLE,ROLE] OBJECT ACTION", with "in TENANT" and NAME=VALUE behind the user where the model asks for them`

// parseLine parses the test on a line, if any.
func parseLine(line string) ([]Test, *Error) {
	words, why, err := split(line)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	if words[0].text != "allow" && words[0].text != "deny" {
		return nil, words[0].errorf("a test begins with allow or deny, and a table with table, and not with %q", words[0].text)
	}
	if len(words) < 4 {
		return nil, words[len(words)-1].errorf("%s", form)
	}
	t := &Test{Allow: words[0].text == "allow", Why: why}
	user, last := words[1], words[len(words)-2:]
	t.Subject, t.Roles, t.Stranger = user.text, user.roles, user.noRoles
	if err := t.addFacts(words[2 : len(words)-2]); err != nil {
		return nil, err
	}
	for _, w := range last {
		if _, _, ok := w.attribute(); ok {
			return nil, w.errorf("object and action are missing behind %s: %s", w.text, form)
		}
	}
	for _, w := range []word{user, last[0], last[1]} {
		if w.text == "" {
			return nil, w.errorf("a word is empty")
		}
	}
	t.Object, t.Action = last[0].text, last[1].text
	if t.Subject == ask.Anonymous && (t.Roles != nil || t.Stranger || t.Tenant != "" || t.Attributes != nil) {
		return nil, user.errorf("a request without credentials brings no roles, no tenant and no attributes")
	}
	return []Test{*t}, nil
}

// addFacts parses the words between the user and the object.
func (t *Test) addFacts(words []word) *Error {
	tenant := false
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w.text == "in" && !w.quoted && i+1 < len(words) {
			if tenant {
				return w.errorf("the tenant is given twice")
			}
			i++
			tenant, t.Tenant, t.NoTenant = true, words[i].text, words[i].text == ""
			if _, _, ok := words[i].attribute(); ok {
				return words[i].errorf("the tenant is missing behind in: quote it if it is called %q", words[i].text)
			}
			continue
		}
		name, value, ok := w.attribute()
		if !ok {
			return w.errorf("%q is neither \"in TENANT\" nor NAME=VALUE: %s", w.text, form)
		}
		if _, twice := t.Attributes[name]; twice {
			return w.errorf("the attribute %s is given twice", name)
		}
		if t.Attributes == nil {
			t.Attributes = map[string]any{}
		}
		t.Attributes[name] = value
	}
	return nil
}

var attributeStart = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// String formats the test for [Parse].
func (t Test) String() string {
	var b strings.Builder
	b.WriteString(verdicts[t.Allow] + " " + quote(t.Subject, "["))
	if len(t.Roles) > 0 || t.Stranger {
		b.WriteByte('[')
		for i, role := range t.Roles {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(role, ",]"))
		}
		b.WriteByte(']')
	}
	if t.Tenant != "" || t.NoTenant {
		b.WriteString(" in " + quoteWord(t.Tenant))
	}
	for _, name := range t.AttributeNames() {
		b.WriteString(" " + name + "=" + quote(fmt.Sprint(t.Attributes[name]), ""))
	}
	b.WriteString(" " + quoteWord(t.Object) + " " + quoteWord(t.Action))
	if t.Why != "" {
		b.WriteString(" # " + t.Why)
	}
	return b.String()
}

var verdicts = map[bool]string{true: "allow", false: "deny"}

// Errors returns every [*Error] in an error, in order.
func Errors(err error) []*Error {
	switch e := err.(type) {
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, one := range e.Unwrap() {
			all = append(all, Errors(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		return Errors(e.Unwrap())
	}
	return nil
}
