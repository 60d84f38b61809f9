package junit_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/junit"
)

// form is what both schemas allow in an element: its children in order, and its
// attributes, all of which one of the schemas requires. Those in brackets are optional.
var form = map[string]struct {
	children, attributes []string
}{
	"testsuites": {children: []string{"testsuite"}},
	"testsuite": {
		children:   []string{"properties", "testcase", "system-out", "system-err"},
		attributes: []string{"name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time"},
	},
	"testcase":   {children: []string{"failure", "skipped"}, attributes: []string{"name", "classname", "time"}},
	"failure":    {attributes: []string{"message", "type"}},
	"skipped":    {attributes: []string{"message"}},
	"properties": {}, "system-out": {}, "system-err": {},
}

// values are the formats of attributes that are not plain texts.
var values = map[string]*regexp.Regexp{
	"id": regexp.MustCompile(`^\d+$`), "tests": regexp.MustCompile(`^\d+$`), "failures": regexp.MustCompile(`^\d+$`),
	"errors": regexp.MustCompile(`^\d+$`), "skipped": regexp.MustCompile(`^\d+$`),
	"time":      regexp.MustCompile(`^\d{1,3}(\.\d{1,3})?$`),
	"timestamp": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`),
}

// element is an element of a document.
type element struct {
	name       string
	attributes map[string]string
	children   []*element
	text       string
}

// read checks that a text is well-formed XML 1.0 and returns its root.
func read(t *testing.T, text []byte) *element {
	t.Helper()
	if !utf8.Valid(text) {
		t.Fatal("the document is not UTF-8")
	}
	for at, r := range string(text) { // XML 1.0 §2.2
		if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			t.Fatalf("the character %U at %d is not allowed in XML", r, at)
		}
	}
	root := &element{}
	open := []*element{root}
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		in := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attributes: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := e.attributes[a.Name.Local]; twice {
					t.Errorf("%s has %s twice", e.name, a.Name.Local)
				}
				e.attributes[a.Name.Local] = a.Value
			}
			in.children, open = append(in.children, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			in.text += string(token)
		}
	}
	if len(root.children) != 1 || root.children[0].name != "testsuites" {
		t.Fatalf("the document's root is not testsuites: %s", text)
	}
	return root.children[0]
}

// check compares an element and its descendants with the form.
func check(t *testing.T, e *element) {
	t.Helper()
	want, ok := form[e.name]
	if !ok {
		t.Errorf("there is no element %s", e.name)
	}
	for name, value := range e.attributes {
		if !slices.Contains(want.attributes, name) {
			t.Errorf("%s has the attribute %s", e.name, name)
		}
		if re := values[name]; re != nil && !re.MatchString(value) {
			t.Errorf("%s: %s=%q", e.name, name, value)
		}
	}
	for _, name := range want.attributes {
		if _, ok := e.attributes[name]; !ok {
			t.Errorf("%s has no %s", e.name, name)
		}
	}
	last := 0
	for _, c := range e.children {
		at := slices.Index(want.children, c.name)
		if at < last {
			t.Errorf("%s has a %s, or has it in another place", e.name, c.name)
		}
		last = max(last, at)
		check(t, c)
	}
	if e.name == "testcase" && len(e.children) > 1 {
		t.Error("a case has failed and was skipped")
	}
	if e.name != "failure" && strings.TrimSpace(e.text) != "" {
		t.Errorf("%s contains the text %q", e.name, e.text)
	}
}

// TestFilesAreWhatSchemasAccept, whatever names and messages contain.
func TestFilesAreWhatSchemasAccept(t *testing.T) {
	t.Parallel()
	odd := []string{
		"", "plain", "<b>&\"'</b>", "]]>", "<![CDATA[x]]>", "-->", "\x00\x01\x1b[31m\x7f", "a\tb\r\nc", "\xff\xfe\xc3", "\ufffe\uffff", "\u202eevil\u2028",
		"\U0001f6aa", "\xed\xa0\x80", strings.Repeat("long ", 10_000),
	}
	var all []junit.Suite
	for i, name := range odd {
		s := junit.Suite{Name: "suite " + name}
		for _, text := range odd {
			s.Cases = append(s.Cases,
				junit.Case{Name: text, Class: name},
				junit.Case{Name: text, Class: name, Failure: &junit.Failure{Message: text, Type: name, Text: text}},
				junit.Case{Name: text, Class: name, Skipped: "not run: " + text, Failure: &junit.Failure{Message: text}},
			)
		}
		if i == 0 {
			s.Cases = nil
		}
		all = append(all, s)
	}
	var out bytes.Buffer
	if err := junit.Write(&out, all...); err != nil {
		t.Fatal(err)
	}
	root := read(t, out.Bytes())
	check(t, root)
	if len(root.children) != len(all) {
		t.Fatalf("%d suites of %d", len(root.children), len(all))
	}
	for i, s := range root.children {
		counts := map[string]int{}
		for _, c := range s.children {
			counts[c.name]++
			for _, why := range c.children {
				counts[why.name]++
			}
		}
		got := fmt.Sprint(s.attributes["id"], s.attributes["tests"], s.attributes["failures"], s.attributes["skipped"], s.attributes["errors"])
		if want := fmt.Sprint(strconv.Itoa(i), strconv.Itoa(counts["testcase"]), strconv.Itoa(counts["failure"]), strconv.Itoa(counts["skipped"]), "0"); got != want {
			t.Errorf("suite %d says %s, and has %s", i, got, want)
		}
		if counts["testcase"] != len(all[i].Cases) {
			t.Errorf("suite %d has %d cases of %d", i, counts["testcase"], len(all[i].Cases))
		}
	}
	// What XML can represent is read back unchanged.
	if got := root.children[3].children[3+1].attributes["name"]; got != "plain" {
		t.Errorf("name %q", got)
	}
	if got := root.children[1].children[1+3*3+1].children[0].text; got != "]]>" {
		t.Errorf("text %q", got)
	}
}
