package doccheck

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, lines ...string) Page {
	t.Helper()
	p, err := ParsePage("docs/x.md", strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParsePageKeepsLineNumbers(t *testing.T) {
	p := parse(t, "# Title", "```go", "x := `a`", "```", "<!-- one", "`c`", "-->", "<!-- other -->", "`b` [l](f.md)")
	want := []Block{{Line: 3, Info: []string{"go"}, Text: "x := `a`\n"}}
	if !reflect.DeepEqual(p.Blocks, want) {
		t.Errorf("blocks %+v", p.Blocks)
	}
	if got := p.CodeSpans(); !slices.Equal(got, []Mention{{9, "b"}}) {
		t.Errorf("code spans %v", got)
	}
	if got := p.Links(); !slices.Equal(got, []Mention{{9, "f.md"}}) {
		t.Errorf("links %v", got)
	}
}

func TestParsePageRefusesOpenEnds(t *testing.T) {
	for _, text := range []string{"a\n```go\nx", "a\n<!-- b\nc"} {
		if _, err := ParsePage("x.md", text); err == nil || !strings.Contains(err.Error(), "x.md:2:") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSectionEndsAtItsDepth(t *testing.T) {
	p := parse(t, "# A", "one", "## B", "two", "### C", "three", "#no heading", "## D", "four")
	if got := p.Section("B"); !slices.Equal(got, []string{"two", "### C", "three", "#no heading"}) {
		t.Errorf("section B: %q", got)
	}
	if got := p.Section("D"); !slices.Equal(got, []string{"four"}) {
		t.Errorf("section D: %q", got)
	}
	if got := p.Section("E"); got != nil {
		t.Errorf("section E: %q", got)
	}
	if got := p.Anchors(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("anchors %q", got)
	}
}

func TestAnchorsDropPunctuation(t *testing.T) {
	p := parse(t, "## 404 and 405", "## HEAD, OPTIONS & `x`")
	if got := p.Anchors(); !slices.Equal(got, []string{"404-and-405", "head-options--x"}) {
		t.Errorf("anchors %q", got)
	}
}

func TestRowKeysAreTheFirstCells(t *testing.T) {
	got := RowKeys([]string{"| code |", "|---|", "| `a` | `b` |", "| x `c` | d |", "|`e`|"})
	if !slices.Equal(got, []string{"a", "e"}) {
		t.Errorf("keys %q", got)
	}
}

func TestPackagesOfAPage(t *testing.T) {
	p := parse(t,
		"```go shared", "import \"fmt\"", "```",
		"```go", "package main", "", "func help() {}", "```",
		"```go", "package main", "", "func main() {", "\thelp()", "}", "```",
		"```go", "fmt.Println(1)", "```",
		"```go", "func f() { fmt.Println(2) }", "```",
		"```sh", "ls", "```")
	packages, err := p.Packages("/root", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) != 3 {
		t.Fatalf("%d packages, want 3", len(packages))
	}
	program := packages[0]
	if program.Line != 10 || len(program.Files) != 2 || !strings.HasPrefix(program.Files[0], "//line /root/docs/x.md:10\npackage main") || !strings.Contains(program.Files[1], "func help()") {
		t.Errorf("program %+v", program)
	}
	const shared = "package fragment\n//line /root/docs/x.md:2\nimport \"fmt\"\n"
	if got, want := packages[1].Files[0], shared+"func _() {\n//line /root/docs/x.md:17\nfmt.Println(1)\n}\n"; got != want {
		t.Errorf("statements %q, want %q", got, want)
	}
	if got, want := packages[2].Files[0], shared+"//line /root/docs/x.md:20\nfunc f() { fmt.Println(2) }\n"; got != want {
		t.Errorf("declarations %q, want %q", got, want)
	}
}

func TestPackagesNameTheLineThatDoesNotParse(t *testing.T) {
	p := parse(t, "text", "```go", "x := := 1", "```")
	if _, err := p.Packages("/root", nil); err == nil || !strings.Contains(err.Error(), "x.md:3") {
		t.Errorf("error %v", err)
	}
	p = parse(t, "```go", "package main", "```")
	if _, err := p.Packages("/root", nil); err == nil {
		t.Error("a package that is never compiled was accepted")
	}
	for _, second := range []string{"```go shared", "```go none.md", "```go x.md"} {
		p = parse(t, "```go shared", "import \"fmt\"", "```", second, "package main", "```")
		if _, err := p.Packages("/root", []Page{p}); err == nil || !strings.Contains(err.Error(), "x.md:5") {
			t.Errorf("%s: %v", second, err)
		}
	}
}

// TestPiecesUseEachOther: what one piece of a page declares, another may use.
func TestPiecesUseEachOther(t *testing.T) {
	p := parse(t, "```go", "func f() T { return g() }", "```", "```go", "type T int", "```", "```go", "func g() T { return 0 }", "```", "```go", "f()", "```", "```go", "func f() T { return 1 }", "```")
	packages, err := p.Packages("/root", nil)
	if err != nil || len(packages) != 5 {
		t.Fatalf("%+v, %v", packages, err)
	}
	if out, err := build(t, packages); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPartsOfAnotherPagesProgram: pages may share a program and have the one
// function in which it differs.
func TestPartsOfAnotherPagesProgram(t *testing.T) {
	other, err := ParsePage("docs/other.md", "```go\npackage main\n\nfunc main() {\n\thelp()\n}\n```")
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, "```go other.md", "package main", "", "func help() {}", "```", "```go other.md", "package main", "```")
	packages, err := p.Packages("/root", []Page{p, other})
	if err != nil || len(packages) != 2 || len(packages[0].Files) != 2 {
		t.Fatalf("%+v, %v", packages, err)
	}
	if out, err := build(t, packages[:1]); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := build(t, packages[1:]); err == nil {
		t.Error("a part without the function that the program calls was taken")
	}
}

// TestBuildFails shows that what does not compile is told with the line of its
// page.
func TestBuildFails(t *testing.T) {
	p := parse(t, "text", "```go", "package main", "", "func main() {", "\tmissing()", "}", "```")
	packages, err := p.Packages("/root", nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := build(t, packages)
	if err == nil || !strings.Contains(out, "/root/docs/x.md:6") && !strings.Contains(out, "x.md:6:") {
		t.Errorf("build: %v\n%s", err, out)
	}
}

func TestReadSource(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"a/a.go":             "package a\n\nconst codeX = \"x\"\n\ntype T struct{ F int }\n\nfunc (T) M() {}\n",
		"a/a_test.go":        "package a\n\nfunc TestX() { _ = \"case\" }\n",
		"a/internal/b/b.go":  "package b\n\nfunc Hidden() {}\n",
		"a/testdata/c.go":    "no Go",
		".hidden/d.go":       "no Go",
		".ci/e_test.go":      "package e\n\nfunc TestE() {}\n",
		"cmd/main.go":        "package main\n\nfunc Main() {}\n",
		"docs/not-go-at.txt": "no Go",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := ReadSource(root)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Tests["TestX"] || !s.Tests["TestE"] || len(s.Tests) != 2 || !s.Literals["case"] || s.Constants["a"]["codeX"] != "x" {
		t.Errorf("source %+v", s)
	}
	if want := map[string]map[string]bool{"a": {"codeX": true, "T": true, "F": true, "M": true}}; !reflect.DeepEqual(s.Packages, want) {
		t.Errorf("packages %v, want %v", s.Packages, want)
	}
}
