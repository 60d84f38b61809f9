package playground

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

// call decodes the answer to a call as T.
func call[T any](t *testing.T, p *Playground, name string, in Input) T {
	t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var made T
	answer := p.Answer(name, string(text))
	if err := json.Unmarshal([]byte(answer), &made); err != nil {
		t.Fatalf("%s: %v in %s", name, err, answer)
	}
	return made
}

// failed is the error of a call.
func failed(t *testing.T, p *Playground, name string, in Input) string {
	t.Helper()
	return call[struct{ Error string }](t, p, name, in).Error
}

func allPresets(t *testing.T) []Preset {
	t.Helper()
	var all []Preset
	if err := json.Unmarshal([]byte(new(Playground).Answer("presets", "")), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPresets: each preset of the command exists, its tests pass, and its request is
// allowed.
func TestPresets(t *testing.T) {
	t.Parallel()
	all := allPresets(t)
	if len(all) != len(starter.Presets) {
		t.Errorf("%d presets, and the command has %d", len(all), len(starter.Presets))
	}
	for _, preset := range all {
		p, in := new(Playground), Input{Files: preset.Files, Request: preset.Request}
		looked := call[Feedback](t, p, "look", in)
		if len(looked.Findings) > 0 || looked.Explanation == nil || !looked.Explanation.Allowed || len(looked.Notes) > 0 {
			t.Errorf("%s: %+v", preset.Name, looked)
		}
		if tested := call[TestReport](t, p, "test", in); tested.Failed > 0 || tested.Passed < 9 || len(tested.Errors) > 0 {
			t.Errorf("%s: %+v", preset.Name, tested)
		}
		if drawn := call[MatrixResult](t, p, "draw", in); len(drawn.Rows) < 4 || len(drawn.Columns) < 3 {
			t.Errorf("%s: a matrix of %d by %d", preset.Name, len(drawn.Rows), len(drawn.Columns))
		}
	}
}

// TestFindingsAreThoseOfLint compares the page's findings with those of Lint, for each
// test file of findings.
func TestFindingsAreThoseOfLint(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../../../testdata/diagnostics/*")
	if err != nil || len(names) < 60 {
		t.Fatalf("%d files: %v", len(names), err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	found := 0
	for _, name := range names {
		models := map[string]string{}
		for preset, model := range starter.Presets {
			models[preset] = model().Text()
		}
		policy := read(name)
		if strings.HasSuffix(name, ".conf") {
			models = map[string]string{"own": policy}
			policy = read("../../../../testdata/diagnostics/good.csv")
		}
		if strings.ToValidUTF8(policy, "") != policy {
			continue // which no page sends
		}
		for model, text := range models {
			looked := call[Feedback](t, new(Playground), "look", Input{Files: map[string]string{ModelFile: text, PolicyFile: policy}})
			want, err := casbinrules.LintFS(textFiles{PolicyFile: policy}, casbinrules.ModelText(ModelFile, text), []string{PolicyFile}, casbinrules.WithClaimsAsAttributes())
			if err != nil {
				t.Fatal(err)
			}
			shown, _ := pageFindings(want, map[string]string{ModelFile: text, PolicyFile: policy}, textFiles{PolicyFile: policy})
			if !reflect.DeepEqual(looked.Findings, shown) || looked.More != max(0, len(want)-maxFindings) {
				t.Errorf("%s, %s: got %+v, want %+v", name, model, looked.Findings, shown)
			}
			found += len(shown)
		}
	}
	if found < 200 {
		t.Errorf("only %d findings were compared", found)
	}
}

func rbac(policy string) Input {
	return Input{Files: map[string]string{ModelFile: casbinrules.RBAC().Text(), PolicyFile: policy}}
}

// TestCharactersAreUnitsOfUTF16: a web page counts UTF-16 units in lines, while findings
// count bytes.
func TestCharactersAreUnitsOfUTF16(t *testing.T) {
	t.Parallel()
	looked := call[Feedback](t, new(Playground), "look", rbac("p, ann, /reports, GET\np, é😀, reports/:id, GET\n"))
	want := len([]rune("p, é😀, ")) + 1 // the emoji is two units
	for _, f := range looked.Findings {
		if f.Code == "no_leading_slash" && f.Line == 2 && f.Character == want && f.File == PolicyFile && f.Severity == "warning" && f.Hint != "" {
			return
		}
	}
	t.Errorf("no finding at character %d: %+v", want, looked.Findings)
}

// TestRequests: the answers equal those of the command explain.
func TestRequests(t *testing.T) {
	t.Parallel()
	in := rbac("p, editor, /reports/:id, PATCH\ng, erin, editor\n")
	a, err := casbinrules.OpenFS(textFiles{PolicyFile: in.Files[PolicyFile]}, casbinrules.RBAC(), []string{PolicyFile})
	if err != nil {
		t.Fatal(err)
	}
	p := new(Playground)
	for _, c := range []struct {
		request Request
		asked   ask.Question
		notes   string
	}{
		{Request{Subject: "erin", Object: "/reports/7", Action: "PATCH"}, ask.Question{Subject: "erin", Object: "/reports/7", Action: "PATCH"}, ""},
		{Request{Subject: "erin", Object: "/reports/7", Action: "DELETE"}, ask.Question{Subject: "erin", Object: "/reports/7", Action: "DELETE"}, ""},
		{
			Request{Subject: "sam", Roles: []string{"editor"}, Object: "/reports/7?x=1", Action: "PATCH", Tenant: "left over"},
			ask.Question{Subject: "sam", Roles: []string{"editor"}, Object: "/reports/7", Action: "PATCH"}, "is read as /reports/7",
		},
		{Request{Subject: "erin", Object: "PATCH", Action: "/reports/7"}, ask.Question{Subject: "erin", Object: "/reports/7", Action: "PATCH"}, "the object comes before the action"},
		{Request{Subject: "erim", Object: "/reports/7", Action: "PATCH"}, ask.Question{Subject: "erim", Object: "/reports/7", Action: "PATCH"}, `knows no subject "erim": did you mean erin?`},
		{Request{Subject: "anonymous", Object: "/reports/7", Action: "PATCH"}, ask.Question{Subject: "anonymous", Object: "/reports/7", Action: "PATCH"}, ""},
	} {
		in.Request = c.request
		looked := call[Feedback](t, p, "look", in)
		want, err := ask.Explain(t.Context(), &ask.Policy{Authorizer: a}, c.asked)
		if err != nil {
			t.Fatal(err)
		}
		if looked.Explanation == nil || looked.Text != want.String() || looked.Explanation.Allowed != want.Allowed || looked.Explanation.Reason != want.Reason {
			t.Errorf("%+v: got %+v, want %s", c.request, looked, want)
		}
		if notes := strings.Join(looked.Notes, "\n"); !strings.Contains(notes, c.notes) || c.notes == "" && notes != "" {
			t.Errorf("%+v: notes %q, want %q", c.request, notes, c.notes)
		}
	}
	for request, want := range map[string]string{
		`{"object": "/a", "action": "GET"}`:                       "name a subject",
		`{"subject": "erin", "action": "GET"}`:                    "name an object",
		`{"subject": "erin", "object": "/a%zz", "action": "GET"}`: "a gate answers 400",
	} {
		in.Request = Request{}
		if err := json.Unmarshal([]byte(request), &in.Request); err != nil {
			t.Fatal(err)
		}
		if looked := call[Feedback](t, p, "look", in); !strings.Contains(looked.Error, want) || looked.Explanation != nil {
			t.Errorf("%s: got %q, want %q", request, looked.Error, want)
		}
	}
}

// TestMatrixAsks: the request of each cell is decided as the cell shows, by the line that
// it names.
func TestMatrixAsks(t *testing.T) {
	t.Parallel()
	cells := 0
	for _, preset := range allPresets(t) {
		p, in := new(Playground), Input{Files: preset.Files, Options: Options{Users: true, AllowAnonymous: true}}
		drawn := call[MatrixResult](t, p, "draw", in)
		for i, row := range drawn.Rows {
			for j, cell := range drawn.Cells[i] {
				in.Request = drawn.Columns[j].Request
				in.Request.Object, in.Request.Action = row.Sample, row.Method
				e := call[Feedback](t, p, "look", in).Explanation
				line := 0
				if e != nil && e.Rule != nil {
					line = e.Rule.Line
				}
				if e == nil || map[bool]string{true: "allow", false: "deny"}[e.Allowed] != cell.Word || line != cell.Line {
					t.Errorf("%s: %s %s %s is %+v, and asked %+v", preset.Name, drawn.Columns[j].Label, row.Method, row.Route, cell, e)
				}
				cells++
			}
		}
	}
	if cells < 150 {
		t.Errorf("only %d cells were compared", cells)
	}
}

// TestOptions: each option changes findings or decisions.
func TestOptions(t *testing.T) {
	t.Parallel()
	sam := Request{Subject: "sam", Roles: []string{"editor"}, Object: "/reports/7", Action: "PATCH"}
	const policy = "p, editor, /reports/:id, PATCH\ng, erin, editor\n"
	for name, c := range map[string]struct {
		options Options
		request Request
		policy  string
		allowed bool
	}{
		"none":                       {Options{}, sam, policy, true},
		"roles of tokens":            {Options{WithoutTokenRoles: true}, sam, policy, false},
		"prefix":                     {Options{RolePrefix: "role:"}, sam, "p, role:editor, /reports/:id, PATCH\ng, erin, role:editor\n", true},
		"nobody is anonymous":        {Options{}, Request{Subject: "anonymous", Object: "/a", Action: "GET"}, "p, anonymous, /a, GET\n", false},
		"anonymous":                  {Options{AllowAnonymous: true}, Request{Subject: "anonymous", Object: "/a", Action: "GET"}, "p, anonymous, /a, GET\n", true},
		"a user named like a role":   {Options{}, Request{Subject: "editor", Object: "/reports/7", Action: "PATCH"}, policy, false},
		"who is the role for Casbin": {Options{AsCasbin: true}, Request{Subject: "editor", Object: "/reports/7", Action: "PATCH"}, policy, true},
		"patterns of roles":          {Options{RolePatterns: []string{"g=keyMatch"}}, Request{Subject: "ops-kim", Object: "/a", Action: "GET"}, "p, editor, /a, GET\ng, ops-*, editor\n", true},
	} {
		in := rbac(c.policy)
		in.Options, in.Request = c.options, c.request
		looked := call[Feedback](t, new(Playground), "look", in)
		if looked.Explanation == nil || looked.Explanation.Allowed != c.allowed {
			t.Errorf("%s: %+v", name, looked)
		}
	}
}

// TestAttributes: the form has the model's attributes, with their types.
func TestAttributes(t *testing.T) {
	t.Parallel()
	model := strings.NewReplacer("r = sub, obj, act", "r = sub, obj, act, age", "m = ", "m = r.age >= 18 && ").Replace(casbinrules.RBAC().Text())
	in := Input{
		Files:   map[string]string{ModelFile: model, PolicyFile: "p, erin, /a, GET\n"},
		Options: Options{Attributes: []string{"age=number"}},
		Request: Request{Subject: "erin", Object: "/a", Action: "GET", Attributes: map[string]string{"age": "9", "left": "over"}},
	}
	p := new(Playground)
	for age, want := range map[string]string{"9": "no rule allows it", "18": "allows it", "ten": "number", "": "age"} {
		in.Request.Attributes["age"] = age
		looked := call[Feedback](t, p, "look", in)
		if looked.Explanation == nil || !strings.Contains(looked.Explanation.Why, want) || !reflect.DeepEqual(looked.Attributes, []string{"age"}) {
			t.Errorf("age %q: %+v", age, looked)
		}
	}
	in.Request.Attributes["age"] = "18"
	if drawn := call[MatrixResult](t, p, "draw", in); len(drawn.Cells) != 1 || drawn.Columns[len(drawn.Columns)-1].Request.Attributes["age"] != "18" {
		t.Errorf("the matrix is not about the age of the request: %+v", drawn)
	}
	in.Options.Attributes = []string{"agee=number"}
	if err := failed(t, p, "look", in); !strings.Contains(err, `no attribute "agee": did you mean age?`) {
		t.Errorf("got %q", err)
	}
}

func TestPolicyOfSeveralFiles(t *testing.T) {
	t.Parallel()
	in := rbac("p, editor, /reports/:id, PATCH\np, editor, /reports/:id, PUT\n")
	in.Files["roles.csv"] = "# people\ng, erin, editor\n"
	in.Files[TestsFile] = "allow erin /reports/7 PATCH\n"
	in.Request = Request{Subject: "erin", Object: "/reports/7", Action: "PATCH"}
	in.Options.Users = true
	p := new(Playground)
	if looked := call[Feedback](t, p, "look", in); looked.Explanation.Allowed {
		t.Error("a file outside the policy is used")
	}
	in.Policies = []string{PolicyFile, "roles.csv"}
	looked := call[Feedback](t, p, "look", in)
	if e := looked.Explanation; !e.Allowed || e.Rule.Place() != "policy.csv:1" || e.Chain[0].Rule.Place() != "roles.csv:2" {
		t.Errorf("got %+v", e)
	}
	if tested := call[TestReport](t, p, "test", in); tested.Covered != 2 || !slices.Equal(tested.Uncovered[PolicyFile], []int{2}) {
		t.Errorf("coverage: %+v", tested)
	}
	if drawn := call[MatrixResult](t, p, "draw", in); !slices.ContainsFunc(drawn.Cells, func(row []Cell) bool {
		return slices.Contains(row, Cell{Word: "allow", File: PolicyFile, Line: 1})
	}) {
		t.Errorf("no cell names the file: %+v", drawn.Cells)
	}
	// Each finding is placed in its own file, and so is its fix. A line that another file
	// contains is not written again.
	in.Files[PolicyFile] = "p, editor, /reports/:id, PATCH\np, editor, /reports/:id, PUT\n"
	in.Files["roles.csv"] = "g, erin, editor\n\np, editor, /reports/:id, PUT|HEAD\ng, erin, editor\n"
	var got []string
	for _, f := range call[Feedback](t, p, "look", in).Findings {
		got = append(got, fmt.Sprintf("%s:%d %s %s", f.File, f.Line, f.Code, f.Fix.Edits[0].NewText))
	}
	if want := []string{"roles.csv:3 unknown_method p, editor, /reports/:id, HEAD", "roles.csv:4 duplicate_rule "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTestsAreRun(t *testing.T) {
	t.Parallel()
	in := rbac("p, editor, /reports/:id, PATCH\ng, erin, editor\n")
	in.Files[TestsFile] = "# first\nallow erin /reports/7 PATCH\nallow erin /reports/7 PUT\ndeny erim /reports/7 PATCH\n"
	p := new(Playground)
	tested := call[TestReport](t, p, "test", in)
	if tested.Passed != 1 || tested.Failed != 2 || len(tested.Tests) != 3 || tested.Tests[1].Line != 3 ||
		!strings.Contains(tested.Tests[1].Text, "erin has PATCH on /reports/:id at policy.csv:1, not PUT") || !strings.Contains(tested.Tests[2].Text, "did you mean erin?") {
		t.Errorf("got %+v", tested)
	}
	if tested.Covered != 2 || tested.Lines != 2 || len(tested.Uncovered) > 0 {
		t.Errorf("coverage: %+v", tested)
	}
	in.Files[PolicyFile] += "p, editor, /reports, GET\n"
	if tested = call[TestReport](t, p, "test", in); tested.Covered != 2 || tested.Lines != 3 || !slices.Equal(tested.Uncovered[PolicyFile], []int{3}) {
		t.Errorf("coverage: %+v", tested)
	}
	in.Files[TestsFile] += "perhaps é /reports GET\nallow é 😀\n"
	tested = call[TestReport](t, p, "test", in)
	if len(tested.Tests) > 0 || len(tested.Errors) != 2 || tested.Errors[0].Line != 5 || tested.Errors[1].Character != len("allow x ") {
		t.Errorf("got %+v", tested)
	}
}

// TestFixes: findings with a single fix contain it, with positions in the page's units.
func TestFixes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string][2]string{
		"method_case":       {"# 😀\np, 😀, /reports/:id, put\np, 😀, /x, GET\n", `Write PUT, false: 1:21 to 1:24 "PUT"`},
		"put_without_patch": {"p, 😀, /reports, PUT\n", `Add the line with PATCH, true: 0:20 to 0:20 "\np, 😀, /reports, PATCH"`},
		"field_count":       {"p, 😀, reports\n", ""},
	} {
		answer := call[struct {
			Findings []struct {
				Code string
				Fix  struct {
					Title  string
					Grants bool
					Edits  []struct {
						Range struct {
							Start, End struct{ Line, Character int }
						}
						NewText string
					}
				}
			}
		}](t, new(Playground), "look", rbac(want[0]))
		got := "no finding"
		for _, f := range answer.Findings {
			if f.Code == code {
				got = ""
				for _, e := range f.Fix.Edits {
					got = fmt.Sprintf("%s, %v: %d:%d to %d:%d %q", f.Fix.Title, f.Fix.Grants, e.Range.Start.Line, e.Range.Start.Character, e.Range.End.Line, e.Range.End.Character, e.NewText)
				}
			}
		}
		if got != want[1] {
			t.Errorf("%s: got %q, want %q", code, got, want[1])
		}
	}
}

// TestRoutes: findings about routes, the matrix and its option use routes.json.
func TestRoutes(t *testing.T) {
	t.Parallel()
	in := rbac("p, editor, /reports/:id, PATCH\n")
	in.Files[RoutesFile] = `[{"method": "PATCH", "pattern": "/reports/:id"}, {"method": "GET", "pattern": "/health"}]`
	p := new(Playground)
	looked := call[Feedback](t, p, "look", in)
	if !strings.Contains(fmt.Sprint(looked.Findings), "route_without_rule") {
		t.Errorf("got %+v", looked.Findings)
	}
	if drawn := call[MatrixResult](t, p, "draw", in); len(drawn.Rows) != 2 || drawn.Rows[1].Route != "/health" {
		t.Errorf("got %+v", drawn.Rows)
	}
	in.Files[RoutesFile] = "[{"
	looked = call[Feedback](t, p, "look", in)
	last := looked.Findings[len(looked.Findings)-1]
	if last.File != RoutesFile || last.Severity != "error" || !strings.Contains(last.Message, "it holds a list such as") || !looked.Loads {
		t.Errorf("got %+v", looked)
	}
	in.Options.ObjectRoute = true
	if err := failed(t, p, "draw", in); !strings.Contains(err, "list them in routes.json") {
		t.Errorf("got %q", err)
	}
}

// TestErrorsAreMessages: each is an error message, and the next call is answered.
func TestErrorsAreMessages(t *testing.T) {
	t.Parallel()
	p := new(Playground)
	broken, large := rbac("p, editor\n"), rbac("")
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "p, role%d, /a%d, GET\n", i, i)
	}
	large.Files[PolicyFile] = b.String()
	pattern := rbac("p, editor, /a, GET\n")
	pattern.Options.RolePatterns = []string{"g"}
	for _, c := range []struct {
		call string
		in   Input
		want string
	}{
		{"draw", broken, "the policy has errors"},
		{"test", broken, "the policy has errors"},
		{"draw", large, "more than the 5000 cells that this page draws"},
		{"look", pattern, "write KIND=FUNCTION"},
		{"dance", broken, `there is no call "dance"`},
	} {
		if got := failed(t, p, c.call, c.in); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.call, got, c.want)
		}
	}
	if got := p.Answer("look", "{"); !strings.Contains(got, `{"error":"read the input: `) {
		t.Errorf("got %s", got)
	}
	looked := call[Feedback](t, p, "look", broken)
	if looked.Loads || looked.Explanation != nil || len(looked.Findings) != 1 || looked.Findings[0].Code != "field_count" {
		t.Errorf("got %+v", looked)
	}
}

// TestTheSamePolicyIsLoadedOnce: another request does not reload the files.
func TestTheSamePolicyIsLoadedOnce(t *testing.T) {
	t.Parallel()
	p, in := new(Playground), rbac("p, erin, /a, GET\n")
	load := func() *loaded {
		l, err := p.load(&in)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := load()
	in.Request.Subject, in.Files[TestsFile], in.Options.Users = "erin", "allow erin /a GET\n", true
	if load() != first {
		t.Error("another request, other tests or another matrix loaded the policy again")
	}
	in.Files[PolicyFile] += "p, erin, /b, GET\n"
	second := load()
	if second == first || len(second.look(context.Background(), &in).Names.Objects) != 2 {
		t.Error("an edit was not loaded")
	}
}

// FuzzLook checks that any text gets an answer with positions inside the text.
func FuzzLook(f *testing.F) {
	f.Add(casbinrules.RBAC().Text(), "p, editor, /a, GET\n", "erin", "/a", "GET")
	f.Add("", "", "", "", "")
	f.Add("[request_definition]\nr = sub", "é,😀\"", "anonymous", "%", "x")
	f.Fuzz(func(t *testing.T, model, policy, subject, object, action string) {
		in := Input{Files: map[string]string{ModelFile: model, PolicyFile: policy}, Request: Request{Subject: subject, Object: object, Action: action}}
		looked := call[struct {
			Feedback
			Error string
		}](t, new(Playground), "look", in)
		if strings.Contains(looked.Error, "the engine failed") {
			t.Fatal(looked.Error)
		}
		for _, f := range looked.Findings {
			lines := strings.Split(in.Files[f.File], "\n")
			if f.Line < 1 || f.Line > len(lines) || f.Character < 0 || f.Character > len(lines[f.Line-1]) {
				t.Errorf("%+v is outside of the text", f)
			}
		}
	})
}

// TestEditsGiveTheSameAnswersAsTheirText: after any edits, an answer equals that of a newly
// opened page with the same files.
func TestEditsGiveTheSameAnswersAsTheirText(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	lines := []string{
		"p, editor, /reports/:id, PATCH", "p, editor, /reports/:id, GET", "p, editor, /reports/:id, put", "p, admin, /*, *", "p, ann, reports, GET",
		"p, editor", "# note", "", "g, erin, editor", "g, editor, admin", "g, admin, editor", "g, ann, edit", "p, ghost, /a, GET", "p, anonymous, /login, POST",
	}
	in := rbac("")
	in.Files[TestsFile] = "allow erin /reports/7 PATCH\ndeny ann /reports/7 PATCH\n"
	in.Request = Request{Subject: "erin", Object: "/reports/7", Action: "PATCH"}
	policy := []string{lines[0], lines[8]}
	before := policy
	p, loads, refused, allowed := new(Playground), true, 0, 0
	for i := range 300 {
		at := r.IntN(len(policy))
		switch {
		case !loads && i%2 == 1:
			policy = before // undo
		case i%50 == 49:
			in.Options.AllowAnonymous = !in.Options.AllowAnonymous
		case i%70 == 69:
			in.Files[RoutesFile] = map[string]string{"": `[{"method": "GET", "pattern": "/reports/:id"}]`}[in.Files[RoutesFile]]
		case r.IntN(3) == 0 && len(policy) > 3:
			policy = slices.Delete(slices.Clone(policy), at, at+1)
		default:
			before, policy = policy, slices.Insert(slices.Clone(policy), at, lines[r.IntN(len(lines))])
		}
		in.Policies, in.Files[PolicyFile], in.Files["more.csv"] = nil, strings.Join(policy, "\n"), ""
		if i%60 >= 30 {
			half := len(policy) / 2
			in.Policies = []string{PolicyFile, "more.csv"}
			in.Files[PolicyFile], in.Files["more.csv"] = strings.Join(policy[:half], "\n"), strings.Join(policy[half:], "\n")
		}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"look", "draw", "test"} {
			got, want := p.Answer(name, string(text)), new(Playground).Answer(name, string(text))
			if got != want {
				t.Fatalf("edit %d, %s: got %s, want %s of\n%s", i, name, got, want, in.Files[PolicyFile])
			}
			if name == "look" {
				if loads = !strings.Contains(got, `"loads":false`); !loads {
					refused++
				}
				if strings.Contains(got, `"allowed":true`) {
					allowed++
				}
			}
		}
	}
	if refused < 20 || allowed < 20 {
		t.Errorf("%d policies were refused, and %d allowed the request: these prove little", refused, allowed)
	}
}
