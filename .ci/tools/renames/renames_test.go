package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const changelog = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- `core.Nothing` → not of the list\n\n### Renamed\n\nOne a line.\n\n" +
	"- `core.Acting` → `core.WithAction`\n" +
	"- `core.Access.Act` → `core.Access.Action`\n" +
	"- `core.AddFields` → `core/adapter.AddFields`\n" +
	"- `core.Verdict` → `core/adapter.Verdict`\n" +
	"- `core.Ambient` → by hand: `core.Scheme.Sender`\n" +
	"- `core/jwtauth.Clock` → `core/jwtauth.WithTime`\n" +
	"- package `core/session/sessiontest` → `core/suites/sessiontest`\n" +
	"- package `core/rule` → `core/rules`\n" +
	"- module `core/jwtauth` → `core`\n" +
	"- module `casbinrules` → `policy/casbin`\n" +
	"- module `fiberauth` → also `fiberauth/fasthttpauth`\n" +
	"\n## [0.1.0]\n\n### Renamed\n\n- `core/jwtauth.WithTime` → `core/jwtauth.WithClock`\n\n### Fixed\n\n- `x` → y\n"

const project = "github.com/sallyport-go/sallyport/"

// TestApply applies the list above to single files, in which P/ stands for the
// project's path, twice, and compares what comes out and what is left by hand.
func TestApply(t *testing.T) {
	tests := []struct {
		name, file, before, after string
		left                      []string
	}{
		{"plain", "a.go",
			"package a\n\nimport   \"P/core\" // odd  blanks stay\n\nvar  A = core.Acting( \"x\" )\n",
			"package a\n\nimport   \"P/core\" // odd  blanks stay\n\nvar  A = core.WithAction( \"x\" )\n", nil},
		{"without a package of the project", "a.go",
			"package a\n\nimport \"other/core\"\n\nvar A = core.Acting\n",
			"package a\n\nimport \"other/core\"\n\nvar A = core.Acting\n", nil},
		{"alias", "a.go",
			"package a\n\nimport sp \"P/core\"\n\nvar A, core = sp.Acting, 1\n",
			"package a\n\nimport sp \"P/core\"\n\nvar A, core = sp.WithAction, 1\n", nil},
		{"list with a further name", "a.go",
			"package a\n\nimport . \"P/core/jwtauth\"\nimport j \"P/core/jwtauth\"\n\nvar A, B = Clock, j.Clock\n",
			"package a\n\nimport . \"P/core/jwtauth\"\nimport j \"P/core/jwtauth\"\n\nvar A, B = WithClock, j.WithClock\n", nil},
		{"dot import, but a name of the file", "a.go",
			"package a\n\nimport . \"P/core\"\n\nfunc Acting() {}\nfunc f() { Acting() }\n",
			"package a\n\nimport . \"P/core\"\n\nfunc Acting() {}\nfunc f() { Acting() }\n", nil},
		{"dot import, and the new name is taken", "a.go",
			"package a\n\nimport . \"P/core\"\n\nvar WithAction = Acting\n",
			"package a\n\nimport . \"P/core\"\n\nvar WithAction = Acting\n",
			[]string{"a.go:5: core.Acting is core.WithAction now, a name that the package has itself"}},
		{"shadowed", "a.go",
			"package a\n\nimport \"P/core\"\n\nvar _ core.Guard\n\nfunc f(core struct{ Acting int }) int { return core.Acting }\n",
			"package a\n\nimport \"P/core\"\n\nvar _ core.Guard\n\nfunc f(core struct{ Acting int }) int { return core.Acting }\n", nil},
		{"no selector of a package", "a.go",
			"package a\n\nimport \"P/core\"\n\n// core.Acting in a comment\nvar _, A = core.Acting, \"core.Acting\"\n\ntype T struct{ Acting int }\n\nfunc (t T) f() int { return t.Acting }\n",
			"package a\n\nimport \"P/core\"\n\n// core.Acting in a comment\nvar _, A = core.WithAction, \"core.Acting\"\n\ntype T struct{ Acting int }\n\nfunc (t T) f() int { return t.Acting }\n", nil},
		{"field", "a.go",
			"package a\n\nimport \"P/core\"\n\nvar A = []*core.Access{{Act: \"x\"}, &core.Access{Act: core.Acting}}\nvar B = map[string]core.Access{\"Act\": {Act: \"y\"}}\nvar C = other{Act: 1}\n",
			"package a\n\nimport \"P/core\"\n\nvar A = []*core.Access{{Action: \"x\"}, &core.Access{Action: core.WithAction}}\nvar B = map[string]core.Access{\"Act\": {Action: \"y\"}}\nvar C = other{Act: 1}\n", nil},
		{"what may be a field", "a.go",
			"package a\n\nimport \"P/core\"\n\nfunc f(a core.Access) string { return a.Act }\n",
			"package a\n\nimport \"P/core\"\n\nfunc f(a core.Access) string { return a.Act }\n",
			[]string{"a.go:5: if this is core.Access.Act, it is Action now"}},
		{"by hand", "a.go",
			"package a\n\nimport \"P/core\"\n\nvar _ core.Ambient\n",
			"package a\n\nimport \"P/core\"\n\nvar _ core.Ambient\n",
			[]string{"a.go:5: core.Ambient: `core.Scheme.Sender`"}},
		{"embedded", "a.go",
			"package a\n\nimport \"P/core\"\n\ntype T struct{ *core.Acting }\n",
			"package a\n\nimport \"P/core\"\n\ntype T struct{ *core.WithAction }\n",
			[]string{"a.go:5: the embedded field Acting is named WithAction now"}},
		{"another package, the first is still used", "a.go",
			"package a\n\nimport (\n\t\"fmt\"\n\n\t\"P/core\"\n)\n\nvar _, _, _ = fmt.Sprint, core.AddFields, core.NewGuard\n",
			"package a\n\nimport (\n\t\"fmt\"\n\n\t\"P/core\"\n\t\"P/core/adapter\"\n)\n\nvar _, _, _ = fmt.Sprint, adapter.AddFields, core.NewGuard\n", nil},
		{"another package, the first is not used any more", "a.go",
			"package a\n\nimport c \"P/core\"\n\nvar _, _ = c.AddFields, c.Verdict{}\n",
			"package a\n\nimport \"P/core/adapter\"\n\nvar _, _ = adapter.AddFields, adapter.Verdict{}\n", nil},
		{"another package that is imported already", "a.go",
			"package a\n\nimport \"P/core\"\nimport ad \"P/core/adapter\"\n\nvar _, _ = core.AddFields, ad.Pass\n",
			"package a\n\nimport ad \"P/core/adapter\"\n\nvar _, _ = ad.AddFields, ad.Pass\n", nil},
		{"another package whose name is taken", "a.go",
			"package a\n\nimport \"P/core\"\n\nfunc f(adapter int) { core.AddFields(adapter, core.NewGuard) }\n",
			"package a\n\nimport \"P/core\"\nimport sallyportadapter \"P/core/adapter\"\n\nfunc f(adapter int) { sallyportadapter.AddFields(adapter, core.NewGuard) }\n", nil},
		{"package under another path", "a_test.go",
			"package a\n\nimport (\n\t`P/core/session/sessiontest`\n\t_ \"P/core/rule\"\n)\n\nvar _ = sessiontest.Run\n",
			"package a\n\nimport (\n\t\"P/core/suites/sessiontest\"\n\t_ \"P/core/rules\"\n)\n\nvar _ = sessiontest.Run\n", nil},
		{"package under another name", "a.go",
			"package a\n\nimport \"P/core/rule\"\n\nvar _ = rule.Role\n",
			"package a\n\nimport rule \"P/core/rules\"\n\nvar _ = rule.Role\n", nil},
		{"windows line ends and a line directive", "a.go",
			"package a\r\n\r\nimport \"P/core\"\r\n\r\n//line b.go:1\r\nvar _ = core.Acting\r\n",
			"package a\r\n\r\nimport \"P/core\"\r\n\r\n//line b.go:1\r\nvar _ = core.WithAction\r\n", nil},
		{"no Go", "a.go", "package a\n\nimport \"P/core\"\n\nvar = core.Acting\n", "package a\n\nimport \"P/core\"\n\nvar = core.Acting\n",
			[]string{"a.go:5:5: expected 'IDENT', found '='"}},
		{"no go.mod", "b.mod", "require P/core/jwtauth v0.0.0\n", "require P/core/jwtauth v0.0.0\n", nil},
		{"module that joined another", "go.mod",
			"module  m // odd\n\nreplace P/core => ../s/core\n\nreplace P/core/jwtauth => ../s/core/jwtauth\n\nreplace P/core/watch => ../s/core/watch\n\nrequire (\n\tP/core v0.0.0 // indirect\n\tP/core/jwtauth v0.0.0\n\tP/core/watch v0.0.0 // indirect\n)\n",
			"module  m // odd\n\nreplace P/core => ../s/core\n\nreplace P/core/watch => ../s/core/watch\n\nrequire (\n\tP/core v0.0.0\n\tP/core/watch v0.0.0 // indirect\n)\n", nil},
		{"module that joined one that was not required", "go.mod",
			"module m\n\nrequire P/core/jwtauth v0.0.0\n\nreplace P/core/jwtauth v0.0.0 => ../s/core/jwtauth // here\n",
			"module m\n\nrequire P/core v0.0.0\n\nreplace P/core v0.0.0 => ../s/core // here\n", nil},
		{"module under another path", "go.mod",
			"module m\n\nrequire \"P/casbinrules\" v0.0.0\n\nreplace (\n\tP/casbinrules => ../s/casbinrules\n)\n",
			"module m\n\nrequire \"P/policy/casbin\" v0.0.0\n\nreplace (\n\tP/policy/casbin => ../s/policy/casbin\n)\n", nil},
		{"module that another one was taken out of", "go.mod",
			"module m\n\nreplace P/fiberauth => ../s/fiberauth\n\nreplace P/core => ../s/core\n",
			"module m\n\nreplace P/fiberauth => ../s/fiberauth\nreplace P/fiberauth/fasthttpauth => ../s/fiberauth/fasthttpauth\n\nreplace P/core => ../s/core\n", nil},
		{"module that another one was taken out of, in a block", "go.mod",
			"module m\n\nreplace (\n\tP/fiberauth => ../s/fiberauth // here\n)\n",
			"module m\n\nreplace (\n\tP/fiberauth => ../s/fiberauth // here\n\tP/fiberauth/fasthttpauth => ../s/fiberauth/fasthttpauth // here\n)\n", nil},
		{"module that another one was taken out of, in a folder of another name", "go.mod",
			"module m\n\nreplace P/fiberauth => ../mine\n",
			"module m\n\nreplace P/fiberauth => ../mine\n",
			[]string{"go.mod:3: module fiberauth needs fiberauth/fasthttpauth now: say what replaces that"}},
		{"module from a folder of another name", "go.mod",
			"module m\n\nreplace P/casbinrules => ../mine\n",
			"module m\n\nreplace P/policy/casbin => ../mine\n",
			[]string{"go.mod:3: module casbinrules is in policy/casbin now: say what replaces that"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			list := write(t, dir, "CHANGELOG.md", changelog)
			folder := filepath.Join(dir, "code", "inner")
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			path := write(t, folder, tt.file, strings.ReplaceAll(tt.before, "P/", project))
			after := strings.ReplaceAll(tt.after, "P/", project)
			for run := 1; run <= 2; run++ {
				left := apply(t, list, filepath.Dir(folder))
				got, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != after {
					t.Errorf("run %d: got\n%s\nwant\n%s", run, got, after)
				}
				if run == 2 {
					break // what was embedded under an old name is so no more
				}
				if len(left) != len(tt.left) {
					t.Fatalf("left %q, want %q", left, tt.left)
				}
				for i, want := range tt.left {
					if !strings.HasPrefix(left[i], filepath.Join(folder, want)) {
						t.Errorf("left %q, want %q", left[i], want)
					}
				}
			}
		})
	}
}

// TestDotImportOfAnotherFile leaves alone what another file of the package
// declares.
func TestDotImportOfAnotherFile(t *testing.T) {
	dir := t.TempDir()
	list := write(t, dir, "CHANGELOG.md", changelog)
	code := t.TempDir()
	const text = "package a\n\nimport . \"" + project + "core\"\n\nvar A = Acting\n"
	path := write(t, code, "a.go", text)
	write(t, code, "b.go", "package a\n\nconst (\n\tOther  = 1\n\tActing = 2\n)\n")
	apply(t, list, code)
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestKeepsModes leaves a file as executable as it was, and vendored code and
// links alone.
func TestKeepsModes(t *testing.T) {
	dir := t.TempDir()
	list := write(t, dir, "CHANGELOG.md", changelog)
	code := t.TempDir()
	const text = "package a\n\nimport \"" + project + "core\"\n\nvar A = core.Acting\n"
	path := write(t, code, "a.go", text)
	if err := os.Chmod(path, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(code, "vendor"), 0o755); err != nil {
		t.Fatal(err)
	}
	vendored := write(t, filepath.Join(code, "vendor"), "a.go", text)
	apply(t, list, code)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got, err := os.ReadFile(vendored); err != nil || string(got) != text {
		t.Errorf("vendored: %s, %v", got, err)
	}
}

// TestListErrors refuses lists that cannot be meant.
func TestListErrors(t *testing.T) {
	for line, want := range map[string]string{
		"- `core.A` -> `core.B`":                       "CHANGELOG.md:2: neither",
		"- `core.A` → `core.B`, `core.C`":              "CHANGELOG.md:2: neither",
		"- `core.a` → `core.B`":                        `"core.a" is not the name`,
		"- `core` → `core.B`":                          `"core" is not the name`,
		"- `core.A.B()` → `core.A.C()`":                `"core.A.B()" is not the name`,
		"- `core.A.B` → `core.C.D`":                    "of another type",
		"- `core.A.B` → `core.C`":                      "of another type",
		"- `core.A` → `core.B`\n- `core.A` → `core.C`": "CHANGELOG.md:3: core.A is listed twice",
		"- `core.A` → `core.B`\n- `core.B` → `core.A`": "circle",
		"- package `a` → `b`\n- package `b` → `a`":     "circle",
		"- module `a` → `b`\n- module `a` → c":         "CHANGELOG.md:3: neither",
	} {
		_, err := parseList("CHANGELOG.md", "### Renamed\n"+line+"\n")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	if l, err := parseList("CHANGELOG.md", "### Renamed\n- `core.A` → `core.B`\n- `core.A` → `core.B`\n"); err != nil || len(l.names) != 1 {
		t.Errorf("the same line twice: %v, %v", l, err)
	}
}

// TestChangelog reads the project's own list.
func TestChangelog(t *testing.T) {
	text, err := os.ReadFile("../../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	l, err := parseList("CHANGELOG.md", string(text))
	if err != nil {
		t.Fatal(err)
	}
	_, listed, _ := strings.Cut(string(text), "### Renamed\n")
	listed, _, _ = strings.Cut(listed, "\n#")
	for i, line := range strings.Split(string(text), "\n") {
		if pathLine.MatchString(line) || handLine.MatchString(line) || strings.HasPrefix(line, "- `") && strings.Contains(line, "` → `") {
			if !strings.Contains(listed, line) {
				t.Errorf("CHANGELOG.md:%d: a line of the section \"Renamed\" stands outside of it: %s", i+1, line)
			}
		}
	}
	clock := symbol{path: project + "core/jwtauth", name: "Clock"}
	if now := l.names[clock]; now.name != "WithClock" {
		t.Errorf("%s is now %s", clock, now)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// apply runs the program and returns what is left by hand.
func apply(t *testing.T, list, dir string) (left []string) {
	t.Helper()
	var out bytes.Buffer
	if err := run(list, dir, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, l := range lines[:len(lines)-1] {
		if !strings.HasPrefix(l, "rewrote ") {
			left = append(left, l)
		}
	}
	return left
}
