package review

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const ciTests = "allow erin /reports/7 PATCH\ndeny victor /reports/7 PATCH\n"

// TestCI goes from a branch with nothing wrong to one with everything wrong.
func TestCI(t *testing.T) {
	t.Parallel()
	dir, git := repositoryOf(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "policy.tests": ciTests})
	branchOff(git)
	got := run(t, dir, "", "ci", "-p", "DIR/policy.csv", "--fail-on", "change")
	if got.Code != exitOK || !strings.Contains(got.Stdout, "2 passed, 0 failed\n") || !strings.Contains(got.Stdout, "since the merge base with main (") ||
		!strings.Contains(got.Stdout, "no change in effect, ") || !strings.HasSuffix(got.Stdout, "no problems\n") || got.Stderr != "" {
		t.Errorf("unchanged: %+v", got)
	}
	git("checkout", "-q", "-b", "change")
	put(t, dir, map[string]string{
		"policy.csv":   strings.Replace(policy, "p, editor, /reports/:id, PATCH", "p, viewer, /reports/:id, DELETE\np, viewer, /reports/:id, DELETE", 1),
		"policy.tests": ciTests + "deny victor /reports/7 DELETE # viewers only read\n",
		"passing.txt":  "allow victor /reports/7 DELETE\n",
	})
	git("commit", "-q", "-a", "-m", "second")
	args := []string{"ci", "-p", "DIR/policy.csv", "--fail-on", "widen", "--min", "90"}
	got = run(t, dir, "", args...)
	for _, want := range []string{
		"policy.csv:6:1: warning: duplicate_rule: ", "policy.tests:1: FAIL: allow erin /reports/7 PATCH\n", "1 passed, 2 failed\n", "less than 90%\n",
		"+ viewer gains DELETE /reports/:id (new policy.csv:5); so do editor, erin, victor\n", "- editor loses PATCH /reports/:id (old policy.csv:5); so does erin\n",
		"problems: 1 warning, 2 failed tests, coverage is less than 90%, 2 changes in effect\n",
	} {
		if got.Code != exitFindings || !strings.Contains(got.Stdout, want) {
			t.Errorf("no %q in %+v", want, got)
		}
	}
	when := regexp.MustCompile(` timestamp="[^"]*"`)
	for _, format := range []string{"json", "sarif", "junit", "markdown"} {
		shown := run(t, dir, "", append(args, "--format", format)...)
		file := filepath.Join(dir, format)
		both := run(t, dir, "", append(args, "--format", format, "-o", file)...)
		text, err := os.ReadFile(file)
		if err != nil || shown.Code != exitFindings || both != got || when.ReplaceAllString(strings.ReplaceAll(string(text), dir+"/", ""), "") != when.ReplaceAllString(shown.Stdout, "") {
			t.Errorf("%s: %v\n%+v\n%+v", format, err, shown, both)
		}
		checkReview(t, format, shown.Stdout)
	}
	// The same without the causes of failure: skipping a step is not a pass.
	for _, flags := range []string{"--base HEAD --lint error --fail-on none", "--without-diff --fail-on none"} {
		got := run(t, dir, "", append(args[:3:3], strings.Fields(flags)...)...)
		if got.Code != exitFindings || !strings.HasSuffix(got.Stdout, "2 failed tests\n") {
			t.Errorf("%s: %+v", flags, got)
		}
		flags += " --allow-unknown --tests " + filepath.Join(dir, "passing.txt") + " --lint error --format junit"
		if got := run(t, dir, "", append(args[:3:3], strings.Fields(flags)...)...); got.Code != exitOK || strings.Contains(got.Stdout, "<failure ") {
			t.Errorf("%s: %+v", flags, got)
		}
	}
}

// checkReview checks the parts of a machine-readable report.
func checkReview(t *testing.T, format, text string) {
	t.Helper()
	var wants []string
	switch format {
	case "json":
		var r review
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.Passed || len(r.Problems) != 4 || r.Tests == nil || r.Tests.Failed != 2 || r.Tests.Coverage == nil || len(r.Effect.Changes) != 2 || len(r.NotRun) != 0 || len(r.Base.Commit) != 40 {
			t.Errorf("%v: %+v", err, r)
		}
	case "sarif":
		if !json.Valid([]byte(text)) {
			t.Errorf("no JSON: %s", text)
		}
		wants = []string{`"ruleId": "duplicate_rule"`, `"ruleId": "failed-test"`, `"ruleId": "access-gained"`, `"ruleId": "access-lost"`, `"ruleId": "uncovered-rule"`, `"startLine": 5`}
	case "junit":
		var doc struct {
			Suites []struct {
				Failures int `xml:"failures,attr"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal([]byte(text), &doc); err != nil || fmt.Sprint(doc.Suites) != "[{1} {3} {1}]" { // findings; tests and coverage; changes
			t.Errorf("%v: %+v in %s", err, doc, text)
		}
		wants = []string{`name="policy.tests:1: allow erin /reports/7 PATCH"`, `classname="lint.duplicate_rule"`, `<testsuite name="sallyport diff" `, ` tests="2" failures="1"`}
	case "markdown":
		wants = []string{
			commentMark + "\n### ❌ sallyport ci: 1 warning, 2 failed tests, coverage is less than 90%, 2 changes in effect\n",
			"| lint | 0 errors, 1 warning, ", "| tests | 1 passed, 2 failed |\n",
			"| **gains** | `viewer` | `DELETE` | `/reports/:id` | `policy.csv:5` | `editor, erin, victor` |\n",
			"| loses | `editor` | `PATCH` | `/reports/:id` | old `policy.csv:5` | `erin` |\n",
			"| `policy.tests:3` | `deny victor /reports/7 DELETE # viewers only read` | `victor may DELETE /reports/7: policy.csv:5 allows it` |\n",
			"| `policy.csv:6:1` | warning | [`duplicate_rule`](" + findingsPage + "duplicate_rule) | ",
			"<details><summary>Lines that no test depends on (",
		}
	}
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %q in\n%s", format, want, text)
		}
	}
}

// TestCISaysWhatItDidNotRun: skipped steps are reported, and are not a pass if the
// command line requires them.
func TestCISaysWhatItDidNotRun(t *testing.T) {
	t.Parallel()
	files := map[string]string{"model.conf": "rbac", "policy.csv": policy, "policy.tests": ciTests, "lone/model.conf": presets["rbac"]().Text()}
	dir, git := repositoryOf(t, files)
	branchOff(git)
	lone := filepath.Join(dir, "lone")
	put(t, lone, map[string]string{"policy.csv": "p, editor, /a, GET\ng, erin, editor\n"})
	put(t, dir, map[string]string{"broken.tests": "allow erin\nmaybe erin /x GET\n", "broken.csv": "p, x\n"})
	put(t, dir, map[string]string{"policy.csv": policy + "p, viewer, /news, GET\n"})
	for _, c := range []struct {
		name, args string
		code       int
		want       []string
	}{
		{"no tests", "-p DIR/lone/policy.csv --without-diff", exitOK, []string{"not run: tests: there is no *.tests", "not run: coverage: ", "not run: diff: --without-diff was given\n", "no problems\n"}},
		{"no tests, least coverage", "-p DIR/lone/policy.csv --without-diff --min 1", exitFindings, []string{"problems: coverage is not known\n"}},
		{"new policy", "-p DIR/lone/policy.csv", exitOK, []string{"not run: diff: the base: there is no lone/policy.csv in it\n", "no problems\n"}},
		{"new policy, widening", "-p DIR/lone/policy.csv --fail-on widen", exitFindings, []string{"problems: the effect is not known\n"}},
		{"too large", "-p DIR/policy.csv --tests DIR/policy.tests --limit 3 --fail-on change", exitFindings, []string{"not run: diff: comparing the policies takes ", "problems: the effect is not known\n"}},
		{"too large, asked for nothing", "-p DIR/policy.csv --tests DIR/policy.tests --limit 3", exitOK, []string{"not run: diff: "}},
		{"broken tests", "-p DIR/policy.csv --tests DIR/broken.tests", exitFindings, []string{
			"broken.tests:1:7: error: test_syntax: write \"allow", "broken.tests:2:1: error: test_syntax: ", "not run: tests: not all of them can be read\n", "problems: 2 errors in the tests\n",
		}},
		{"refused", "-m rbac -p DIR/broken.csv --tests DIR/policy.tests", exitFindings, []string{"broken.csv:1:4: error: field_count", "not run: tests: the policy is refused\n", "not run: diff: ", "problems: 1 error\n"}},
	} {
		got := run(t, dir, "", append([]string{"ci"}, strings.Fields(c.args)...)...)
		for _, want := range c.want {
			if got.Code != c.code || !strings.Contains(got.Stdout, want) || got.Stderr != "" {
				t.Errorf("%s: no %q, or not %d, in %+v", c.name, want, c.code, got)
			}
		}
		// For systems that read JUnit, it must not pass if the exit code is a failure.
		got = run(t, dir, "", append([]string{"ci", "--format", "junit"}, strings.Fields(c.args)...)...)
		if failed := strings.Contains(got.Stdout, "<failure "); failed != (c.code == exitFindings) {
			t.Errorf("%s: exit code %d and JUnit\n%s", c.name, c.code, got.Stdout)
		}
	}
	git("add", "-A")
	git("commit", "-q", "-m", "broken")
	put(t, dir, map[string]string{"broken.csv": "p, editor, /x, GET\ng, erin, editor\n", "files.yaml": "policy: {model: rbac, files: policy.csv}\n"})
	got := run(t, dir, "", "ci", "-m", "rbac", "-p", "DIR/broken.csv", "--base", "HEAD", "--fail-on", "widen", "--tests", "DIR/policy.tests")
	if got.Code != exitFindings || !strings.Contains(got.Stdout, "not run: diff: the policy of the base is refused: ") {
		t.Errorf("base refused: %+v", got)
	}
	outside := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy})
	for _, c := range []struct{ dir, want, args string }{
		{outside, "is in no git repository: ", "-p DIR/policy.csv"},
		{dir, "nonsense is neither a file nor a revision", "-p DIR/policy.csv --base nonsense"},
		{dir, "neither a file nor a revision", "-p DIR/policy.csv --base=--output=x"},
		{dir, "--without-diff compares nothing", "-p DIR/policy.csv --without-diff --fail-on widen"},
		{dir, "--min 101", "-p DIR/policy.csv --min 101"},
		{dir, "-c names the policy", "-p DIR/policy.csv -c DIR/files.yaml"},
		{dir, "read configuration", "-c DIR/x.yaml"},
		{dir, "read tests: ", "-p DIR/policy.csv --tests DIR/none.tests"},
		{dir, "ci takes no arguments", "policy.csv"},
	} {
		if got := run(t, c.dir, "", append([]string{"ci"}, strings.Fields(c.args)...)...); got.Code != exitUsage || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%s: no %q in %+v", c.args, c.want, got)
		}
	}
}

// TestCIOfMergedChangeIsNotAPass: on the default branch the base is HEAD, which already
// contains the change.
func TestCIOfMergedChangeIsNotAPass(t *testing.T) {
	t.Parallel()
	dir, git := repositoryOf(t, map[string]string{
		"sallyport.yaml": "policy:\n  model: models/model.conf\n  files: [policies]\n", "models/model.conf": presets["rbac"]().Text(),
		"policies/a.csv": policy, ".gitignore": "ignored.csv\n",
	})
	put(t, dir, map[string]string{"policies/a.csv": policy + "p, viewer, /all, GET\n"})
	git("commit", "-q", "-a", "-m", "wider")
	const reason = "not run: diff: the base is HEAD itself, and no file of the policy has been edited since: "
	files := [][]string{{"-c", "DIR/sallyport.yaml"}, {"-m", "DIR/models/model.conf", "-p", "DIR/policies"}}
	check := func(what string, merged bool) {
		t.Helper()
		for _, flags := range files {
			for _, base := range []string{"", "main"} {
				args := append([]string{"ci", "--lint", "error"}, flags...)
				if base != "" {
					args = append(args, "--base", base)
				}
				for failOn, code := range map[string]int{"none": exitOK, "widen": exitFindings} {
					got := run(t, dir, "", append(args[:len(args):len(args)], "--fail-on", failOn)...)
					if strings.Contains(got.Stdout, reason) != merged || merged && (got.Code != code || (code == exitFindings) != strings.Contains(got.Stdout, "problems: the effect is not known\n")) {
						t.Errorf("%s: %v --fail-on %s: %+v", what, args, failOn, got)
					}
				}
			}
		}
	}
	check("merged", true)
	put(t, dir, map[string]string{"policies/notes.txt": "no policy", "report.xml": "<x/>"})
	check("with files beside the policy", true)
	for _, name := range []string{"policies/b.csv", "policies/ignored.csv"} {
		put(t, dir, map[string]string{name: "p, viewer, /more, GET\n"})
		check(name, false)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, map[string]string{"models/model.conf": presets["rbac"]().Text() + "\n"})
	check("with another model", false)
}

// TestCIRunsTheTestsBesideEveryPolicy, including those in a folder whose name would be a
// pattern.
func TestCIRunsTheTestsBesideEveryPolicy(t *testing.T) {
	t.Parallel()
	const failing = "deny erin /a GET\n"
	dir := write(t, map[string]string{
		"model.conf": "rbac", "one/a.csv": "p, editor, /a, GET\n", "one/b.csv": "p, editor, /b, GET\n", "one/a.tests": "allow erin /a GET\n",
		"deploy[1]/c.csv": "g, erin, editor\n", "deploy[1]/c.tests": failing, "fo*er/d.csv": "g, sam, editor\n", "fo*er/d.tests": failing, "folder/e.tests": failing,
	})
	got := run(t, dir, "", "ci", "--without-diff", "-m", "DIR/model.conf", "-p", "DIR/one/a.csv", "-p", "DIR/one/b.csv", "-p", "DIR/deploy[1]", "-p", "DIR/fo*er/d.csv")
	if got.Code != exitFindings || !strings.Contains(got.Stdout, "1 passed, 2 failed\n") || !strings.Contains(got.Stdout, "c.tests:1: FAIL") || !strings.Contains(got.Stdout, "d.tests:1: FAIL") {
		t.Errorf("%+v", got)
	}
}

// TestCIReadsTheBaseAsItWas: an edit that widens access is detected wherever it is: in a
// model kept elsewhere, in the configuration, in a file that it names.
func TestCIReadsTheBaseAsItWas(t *testing.T) {
	t.Parallel()
	const (
		config = "realm: ${SALLYPORT_NO_SUCH_VARIABLE}\npolicy:\n  model: models/model.conf\n  files: [policies]\n"
		rules  = "p, editor, /a/*, GET\np, anonymous, /a, GET\ng, erin, editor\n"
		narrow = "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[role_definition]\ng = _, _\n" +
			"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act && r.obj != \"/a/7\"\n"
	)
	for name, c := range map[string]struct{ before, after map[string]string }{
		"an option": {
			map[string]string{"sallyport.yaml": config, "models/model.conf": presets["rbac"]().Text(), "policies/a.csv": rules},
			map[string]string{"sallyport.yaml": config + "  anonymous: true\n"},
		},
		"a model elsewhere": {
			map[string]string{"sallyport.yaml": config, "models/model.conf": narrow, "policies/a.csv": rules},
			map[string]string{"models/model.conf": strings.Replace(narrow, ` && r.obj != "/a/7"`, "", 1), "policies/a.csv": rules},
		},
		"another file": {
			map[string]string{"sallyport.yaml": config, "models/model.conf": presets["rbac"]().Text(), "policies/a.csv": rules, "more.csv": "p, editor, /more, GET\n"},
			map[string]string{"sallyport.yaml": strings.Replace(config, "[policies]", "[policies, more.csv]", 1)},
		},
		"another folder": {
			map[string]string{"sallyport.yaml": config, "models/model.conf": presets["rbac"]().Text(), "policies/a.csv": rules, "others/a.csv": rules + "p, editor, /more, GET\n"},
			map[string]string{"sallyport.yaml": strings.Replace(config, "[policies]", "others", 1)},
		},
	} {
		dir, git := repositoryOf(t, c.before)
		branchOff(git)
		if got := run(t, dir, "", "ci", "-c", "DIR/sallyport.yaml", "--fail-on", "change", "--lint", "error"); got.Code != exitOK {
			t.Errorf("%s, unchanged: %+v", name, got)
		}
		put(t, dir, c.after)
		if got := run(t, dir, "", "ci", "-c", "DIR/sallyport.yaml", "--fail-on", "widen", "--lint", "error"); got.Code != exitFindings || !strings.Contains(got.Stdout, "+ ") {
			t.Errorf("%s: %+v", name, got)
		}
		if name != "a model elsewhere" {
			continue
		}
		got := run(t, dir, "", "ci", "-m", "DIR/models/model.conf", "-p", "DIR/policies", "--fail-on", "widen", "--lint", "error")
		if got.Code != exitFindings || !strings.Contains(got.Stdout, "+ ") {
			t.Errorf("%s, by -m and -p: %+v", name, got)
		}
	}
}

// TestCIMarkdownStaysATable: no rule breaks out of its cell, and no policy makes a
// comment too long.
func TestCIMarkdownStaysATable(t *testing.T) {
	t.Parallel()
	dir, _ := repositoryOf(t, map[string]string{"model.conf": "rbac", "policy.csv": "p, x, /x, GET\ng, y, x\n"})
	var rules strings.Builder
	for i, name := range []string{"a|b", "`code`", "a`|``b", `a\|b`, `back\`, "@team/all", "<img src=x>", "</details>", "[x](http://evil.example)", "*b* _c_", "$x$", "#12", "https://evil.example", "--> <!--", "\u200bx"} {
		fmt.Fprintf(&rules, "p, \"%s\", /x/%d, GET\ng, \"u%s\", \"%s\"\n", name, i, name, name)
	}
	for i := range 600 {
		fmt.Fprintf(&rules, "p, role%d, /%s/%d, GET\n", i, strings.Repeat("long|", 20), i)
	}
	for _, n := range []int{30, 630} {
		put(t, dir, map[string]string{"policy.csv": strings.Join(strings.SplitAfterN(rules.String(), "\n", n+1)[:n], "")})
		got := run(t, dir, "", "ci", "-p", "DIR/policy.csv", "--format", "markdown")
		if n > 100 {
			got = run(t, dir, "", "ci", "-p", "DIR/policy.csv", "--format", "markdown", "--without-diff")
		}
		if got.Code == exitUsage || len(got.Stdout) > maxComment || len(got.Stdout) < 1000 {
			t.Fatalf("%d bytes, %d, %s", len(got.Stdout), got.Code, got.Stderr)
		}
		columns := 0
		for line := range strings.Lines(got.Stdout) {
			if !strings.HasPrefix(line, "|") {
				columns = 0
				if n := strings.Count(line, "`"); n > 0 || strings.Contains(line, "evil") {
					t.Errorf("a text of the policy outside of a table: %q", line)
				}
				continue
			}
			if n := strings.Count(line, "|"); columns != 0 && n != columns {
				t.Errorf("%d bars where the head has %d: %q", n, columns, line)
			} else {
				columns = n
			}
			for i, part := range strings.Split(line, "`") {
				if i%2 == 0 && strings.ContainsAny(strings.NewReplacer("<code>", "", "</code>", "", "<br>", "", "](https://github.com/", "", "[", "", ")", "").Replace(part), "<>[]@$\\") {
					t.Errorf("markup outside of code: %q in %q", part, line)
				}
			}
		}
		if n > 100 && !strings.Contains(got.Stdout, " more.\n") {
			t.Error("nothing says that lines are left out")
		}
	}
}
