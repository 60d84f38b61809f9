package policytest

import (
	"strings"
	"testing"
)

// TestTable: each cell is a test, as if it had its own line.
func TestTable(t *testing.T) {
	t.Parallel()
	const text = `allow erin /a GET
table victor  erin[editor] "in"  sam[]  "a b"  anonymous
# a comment is no end
/reports      GET    allow  allow  deny  deny  -  deny   # read
"/a b" "table"  -  allow  -  -  -  -
 table	in acme	region="eu west"  age=7   kim[a,"b ]"]  anonymous
x y deny deny

deny erin /a POST
table in in in[r]
/x GET allow
`
	got, err := Parse("f", text)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 allow erin /a GET",
		"4 allow victor /reports GET # read", "4 allow erin[editor] /reports GET # read", "4 deny in /reports GET # read", "4 deny sam[] /reports GET # read", "4 deny anonymous /reports GET # read",
		`5 allow erin[editor] "/a b" table`,
		`7 deny kim[a,"b ]"] in acme age="7" region="eu west" x y`, "7 deny anonymous x y",
		"9 deny erin /a POST",
		`11 allow in[r] in "in" /x GET`,
	}
	if len(got) != len(want) {
		t.Fatalf("%d tests, want %d: %v", len(got), len(want), got)
	}
	for i, test := range got {
		if line := strings.ReplaceAll(strings.TrimPrefix(test.Place(), "f:")+" "+test.String(), "age=7", `age="7"`); line != want[i] {
			t.Errorf("got %s, want %s", line, want[i])
		}
	}
}

func TestTableReportsEveryErrorWithItsPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"table\n/a GET allow\n":                {"f:1:5: the table names no user"},
		"table in acme\n/a GET allow\n":        {"f:1:5: the table names no user"},
		"table a\n":                            {"f:1:1: the table asks nothing"},
		"table a\n/a GET -\n":                  {"f:1:1: the table asks nothing"},
		"table a\n\n/a GET allow\n":            {"f:1:1: the table asks nothing", "f:3:1: a test begins with allow or deny, and a table with table"},
		"table a b\n/a GET allow\n":            {"f:2:8: nothing is said for b"},
		"table a\n/a GET allow deny\n":         {"f:2:14: the table has no user for this"},
		"table a\n/a\n":                        {"f:2:1: the action is missing"},
		"table a\n/a GET yes\n/b GET no\n":     {`f:2:8: "yes" is neither allow`, `f:3:8: "no" is neither allow`},
		"table a\nallow a /b GET\n":            {`f:2:9: "/b" is neither allow, deny nor -`},
		"table a region=eu\n/a GET allow\n":    {"f:1:9: region=eu stands behind a user"},
		"table a in acme\n/a GET allow\n":      {"f:1:9: in stands behind a user"},
		"table x=1 x=2 a\n/a GET allow\n":      {"f:1:11: the attribute x is given twice"},
		"table anonymous[r]\n/a GET allow\n":   {"f:1:7: a request without credentials brings no roles"},
		"table a[x\n/a GET allow\n\nmaybe x\n": {"f:1:7: the list of roles is not closed", "f:4:1: a test begins"},
		"table \"\"\n/a GET allow\n":           {"f:1:7: a word is empty"},
		"table a\n\"\" GET allow\n":            {"f:2:1: a word is empty"},
		"table a\n/a \"GET allow\n":            {"f:2:4: "},
		"tables a\n":                           {"f:1:1: a test begins"},
	} {
		tests, err := Parse("f", text)
		if err == nil {
			t.Errorf("%q: read as %v", text, tests)
			continue
		}
		got := strings.Split(err.Error(), "\n")
		if len(got) != len(want) {
			t.Errorf("%q: got %q", text, got)
			continue
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%q: got %q, want %q", text, got[i], want[i])
			}
		}
	}
}
