package policytest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

func TestParse(t *testing.T) {
	for line, want := range map[string]Test{
		"allow erin GET /a": {Allow: true, Question: ask.Question{Subject: "erin", Action: "GET", Object: "/a"}},
		"\tdeny  erin[ editor, x ]  PATCH /a  # why: 1 # 2\r": {Why: "why: 1 # 2",
			Question: ask.Question{Subject: "erin", Roles: []string{"editor", "x"}, Action: "PATCH", Object: "/a"}},
		"allow e@x.y[r] in acme GET /a#b":   {Allow: true, Question: ask.Question{Subject: "e@x.y", Roles: []string{"r"}, Tenant: "acme", Action: "GET", Object: "/a#b"}},
		`allow "a b"[r] GET "/a \"b\"\t"#c`: {},
		`allow "a [b"[r] GET "/a \"b\"" #c`: {Allow: true, Why: "c", Question: ask.Question{Subject: "a [b", Roles: []string{"r"}, Action: "GET", Object: `/a "b"`}},
		"allow anonymous GET /[a]":          {Allow: true, Question: ask.Question{Subject: "anonymous", Action: "GET", Object: "/[a]"}},
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
		"permit erin GET /a",
		"allow erin GET",
		"allow erin of acme GET /a",
		"allow erin[a GET /a",
		"allow erin[a,] GET /a",
		"allow erin[a]b GET /a",
		`allow "erin GET /a`,
		"allow anonymous[r] GET /a",
		`allow "" GET /a`,
		"allow \xff GET /a",
	}, "\n"))
	want := []string{
		"p.tests:3:1: ", "p.tests:4:12: ", "p.tests:5:24: ", "p.tests:6:11: ", "p.tests:7:11: ",
		"p.tests:8:14: ", "p.tests:9:7: ", "p.tests:10:7: ", "p.tests:11:7: ", "p.tests:12:1: ",
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

// FuzzParse holds that a test is written as it is read.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"allow erin[editor,x] in acme GET /a # why", `deny "a b" PATCH "/\n"`, "# c", "allow anonymous GET /a", "deny a[b] GET #x y",
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
