package casbinrules

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

func TestFormatPolicy(t *testing.T) {
	long := strings.Repeat("x", policy.MaxLine-len("p,b,/,GET"))
	for _, c := range []struct{ name, in, want string }{
		{"columns", "p,editor,/reports,GET\np,  admin, /*, *\n", "p, editor, /reports, GET\np, admin,  /*,       *\n"},
		{"kinds by themselves", "p, a, /reports, GET\ng, somebody, a\np, bb, /, GET\n", "p, a,  /reports, GET\ng, somebody, a\np, bb, /,        GET\n"},
		{"comments and order stay", "  # one\n\n\n# two\np, b, /, GET\np, a, /, GET", "# one\n\n# two\np, b, /, GET\np, a, /, GET\n"},
		{"blocks by themselves", "p, a, /a, GET\n\np, longer, /a, GET\n", "p, a, /a, GET\n\np, longer, /a, GET\n"},
		{"carriage returns go", "p, a, /a, GET\r\n# c\r\n", "p, a, /a, GET\n# c\n"},
		{"quotes where needed", `p, "a", "/a,b", "say ""hi"" #1"` + "\n", `p, a, "/a,b", "say ""hi"" #1"` + "\n"},
		{"wide fields do not widen", "p, " + strings.Repeat("x", 41) + ", /a, GET\np, a, /a, GET\n", "p, " + strings.Repeat("x", 41) + ", /a, GET\np, a, /a, GET\n"},
		{"characters, not bytes", "p, ä, /a, GET\np, bb, /a, GET\n", "p, ä,  /a, GET\np, bb, /a, GET\n"},
		{"a text in quotes that begins a line", "\"#p\", a\n", "\"#p\", a\n"},
		{"no line too long for Casbin", "p, a, /x, GET\np,b,/" + long + ",GET\n", "p, a, /x, GET\np,b,/" + long + ",GET\n"},
		{"nothing", "\n\n", ""},
	} {
		got, err := FormatPolicy("policy.csv", []byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %v\n%s\nwant\n%s", c.name, err, got, c.want)
		}
	}
}

func TestFormatPolicyRefusesWhatIsNotCertain(t *testing.T) {
	for text, code := range map[string]string{
		model.BOM + "p, a, /, GET\n":                model.CodeBOM,
		"\xff\xfep\x00":                             model.CodeBOM,
		"p, a, /, GET # why\n":                      model.CodeComment,
		"p, a , /, GET\n":                           model.CodeSpace,
		"p, \"a, /, GET\n":                          model.CodeQuoting,
		"p, a\x00, /, GET\n":                        model.CodeControl,
		"p, \xff, /, GET\n":                         model.CodeEncoding,
		"p, , /, GET\n":                             model.CodeEmptyField,
		"p, " + strings.Repeat("a", policy.MaxLine): model.CodeLineLength,
	} {
		_, err := FormatPolicy("policy.csv", []byte(text))
		var refused *FindingsError
		if !errors.As(err, &refused) || refused.Findings[0].Code != code || refused.Findings[0].Line != 1 {
			t.Errorf("%.20q: got %v, want %s in line 1", text, err, code)
		}
	}
}

// FuzzFormatPolicy: formatting changes no rule and no comment, whatever has to be quoted
// (H13), and formatting again changes nothing.
func FuzzFormatPolicy(f *testing.F) {
	for _, text := range []string{
		"# c\np, a, /a, GET\n\ng, u, a\n", "p,\"a,b\",\"#\",\"\"\"\"\n", "p, ä, /ö, GET\r\n", "\"#\"\n", "\v\np,\u00a0a, b\n#\t\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		once, err := FormatPolicy("p.csv", text)
		if err != nil {
			return
		}
		twice, err := FormatPolicy("p.csv", once)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("%q is\n%q once and\n%q twice, %v", text, once, twice, err)
		}
		if before, after := contentsOf(t, text), contentsOf(t, once); !slices.EqualFunc(before, after, slices.Equal) {
			t.Fatalf("%q holds %q, and formatted %q", text, before, after)
		}
	})
}

// contentsOf returns the comments and the fields of the rules of a policy.
func contentsOf(t *testing.T, text []byte) [][]string {
	var all [][]string
	for raw := range strings.Lines(string(text)) {
		line := strings.TrimSpace(raw)
		if line == "" || line[0] == '#' {
			if line != "" {
				all = append(all, []string{line})
			}
			continue
		}
		fields, problem := policy.SplitLine(nil, line, 0, nil)
		if problem != nil {
			t.Fatalf("%q: %s", line, problem.Message)
		}
		values := []string{"rule"}
		for _, field := range fields {
			values = append(values, field.Text)
		}
		all = append(all, values)
	}
	return all
}
