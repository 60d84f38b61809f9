package policytest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

func TestParse(t *testing.T) {
	question := func(subject, object, action string) ask.Question {
		return ask.Question{Subject: subject, Object: object, Action: action}
	}
	with := func(q ask.Question, tenant string, attributes map[string]any, roles ...string) ask.Question {
		q.Tenant, q.Attributes, q.Roles = tenant, attributes, roles
		return q
	}
	for line, want := range map[string]Test{
		"allow erin /a GET": {Allow: true, Question: question("erin", "/a", "GET")},
		"\tdeny  erin[ editor, x ]  /a PATCH  # why: 1 # 2\r": {Why: "why: 1 # 2",
			Question: with(question("erin", "/a", "PATCH"), "", nil, "editor", "x")},
		"allow e@x.y[r] in acme /a#b GET":        {Allow: true, Question: with(question("e@x.y", "/a#b", "GET"), "acme", nil, "r")},
		`allow "a [b"[r] "/a ""b""" GET #c`:      {Allow: true, Why: "c", Question: with(question("a [b", `/a "b"`, "GET"), "", nil, "r")},
		`deny "Ops, Platform" /apps GET`:         {Question: question("Ops, Platform", "/apps", "GET")},
		`deny kim["Ops, Platform"] /apps GET`:    {Question: with(question("kim", "/apps", "GET"), "", nil, "Ops, Platform")},
		`deny k["a]b" , c,"d""e"] /apps GET`:     {Question: with(question("k", "/apps", "GET"), "", nil, "a]b", "c", `d"e`)},
		`deny CORP\ann "C:\dir a" GET`:           {Question: question(`CORP\ann`, `C:\dir a`, "GET")},
		"deny sam[] /a GET":                      {Stranger: true, Question: question("sam", "/a", "GET")},
		`deny sam[ ] in "" /a GET`:               {Stranger: true, NoTenant: true, Question: question("sam", "/a", "GET")},
		`deny sam in "in" in GET`:                {Question: with(question("sam", "in", "GET"), "in", nil)},
		"allow anonymous /[a] GET":               {Allow: true, Question: question("anonymous", "/[a]", "GET")},
		"allow ann region=eu /a GET":             {Allow: true, Question: with(question("ann", "/a", "GET"), "", map[string]any{"region": "eu"})},
		`allow ann in t a="x ""y""" b= /c=d GET`: {Allow: true, Question: with(question("ann", "/c=d", "GET"), "t", map[string]any{"a": `x "y"`, "b": ""})},
		"allow ann age=18 in t /a GET":           {Allow: true, Question: with(question("ann", "/a", "GET"), "t", map[string]any{"age": "18"})},
		`allow ann "id=7" GET`:                   {Allow: true, Question: question("ann", "id=7", "GET")},
		"allow ann GET /a":                       {Allow: true, Question: question("ann", "GET", "/a")}, // reordered by the policy
	} {
		got, err := Parse("f", line+"\n")
		if want.Action == "" {
			if err == nil {
				t.Errorf("%q is read as %+v", line, got)
			}
			continue
		}
		want.File, want.Line = "f", 1
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%q: got %+v, %v\nwant %+v", line, got, err, want)
		}
	}
}

func TestParseReportsEveryErrorWithItsPlace(t *testing.T) {
	_, err := Parse("p.tests", strings.Join([]string{
		"# comment", "",
		"permit erin /a GET",
		"allow erin GET",
		"allow erin of acme /a GET",
		"allow erin[a /a GET",
		"allow erin[a,] /a GET",
		"allow erin[a]b /a GET",
		`allow "erin /a GET`,
		"allow anonymous[r] /a GET",
		`allow "" /a GET`,
		"allow \xff /a GET",
		`allow er"in" /a GET`,
		`allow erin["a"b] /a GET`,
		`allow erin[a"b"] /a GET`,
		"allow anonymous region=eu /a GET",
		"allow erin region=eu /a",
		"allow erin in acme /a",
		"allow erin in region=eu /a GET",
		"allow erin region=eu region=us /a GET",
		"allow erin in a in b /a GET",
		`allow erin "/a "b" GET`,
		`allow "erin \"x\"" /a GET`,
	}, "\n"))
	want := []string{
		"p.tests:3:1: ", "p.tests:4:12: ", "p.tests:5:12: ", "p.tests:6:7: ", "p.tests:7:7: ",
		"p.tests:8:14: ", "p.tests:9:7: ", "p.tests:10:7: ", "p.tests:11:7: ", "p.tests:12:1: ",
		"p.tests:13:7: ", "p.tests:14:7: ", "p.tests:15:7: ", "p.tests:16:7: ", "p.tests:17:12: ", "p.tests:18:12: ",
		"p.tests:19:15: ", "p.tests:20:22: ", "p.tests:21:17: ", "p.tests:22:17: ", "p.tests:23:15: ",
	}
	if err == nil {
		t.Fatal("no error")
	}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d errors:\n%v", len(got), err)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want it at %q", got[i], want[i])
		}
	}
}

func TestParseOtherQuotes(t *testing.T) {
	for _, text := range []string{"deny 'bob' /a GET", "deny “bob” /a GET", "deny bob '/a' GET", "deny bob /a 'GET'", "table 'bob'\n/a GET deny", "deny 'Ops Platform' /a GET"} {
		if _, err := Parse("p.tests", text); err == nil || !strings.Contains(err.Error(), `: only " quotes a word: `) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	if got, err := Parse("p.tests", `deny "'bob'" /o'hara GET`); err != nil || len(got) != 1 || got[0].Subject != "'bob'" {
		t.Errorf("quoted: got %+v, %v", got, err)
	}
}

func TestParseByteOrderMark(t *testing.T) {
	if _, err := Parse("p.tests", "\ufeffallow erin /a GET\n"); err == nil || err.Error() != "p.tests:1:1: the file begins with a byte order mark: save it as UTF-8 without one" {
		t.Errorf("got %v", err)
	}
}

func TestParseHiddenLines(t *testing.T) {
	for _, c := range []string{"\r", "\v", "\u2028", "\u202e"} {
		_, err := Parse("p.tests", "allow erin /a GET # why"+c+"deny erin /b GET\n")
		if err == nil || !strings.HasPrefix(err.Error(), "p.tests:1:24: the line contains the control character U+") {
			t.Errorf("%+q: got %v", c, err)
		}
	}
}

// FuzzParse checks that a formatted test parses as the same.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"allow erin[editor,x] in acme /a GET # why", `deny "a b" "/	" PATCH`, "# c", "allow anonymous /a GET", "deny a[b] /#x GET y",
		`deny k["a]b",c]  in "" x="y z" z=1 "in" "a=b"`, "deny a[] a# GET",
		"table in t x=1 a[b] \"c\" anonymous\n/x GET allow deny -\n\ntable a\n",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tests, _ := Parse("f", text)
		for _, test := range tests {
			line := test.String()
			again, err := Parse("f", line)
			if err != nil || len(again) != 1 {
				t.Fatalf("%q was written as %q: %v", text, line, err)
			}
			again[0].Line = test.Line
			if !reflect.DeepEqual(again[0], test) {
				t.Fatalf("%q is %+v, written as %q and read as %+v", text, test, line, again[0])
			}
		}
	})
}
