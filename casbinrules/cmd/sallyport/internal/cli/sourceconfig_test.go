package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configured is a policy that only its configuration reads as the service does.
const configured = `realm: ${SALLYPORT_NO_SUCH_VARIABLE}
policy:
  model: access/by.conf
  files: access/rules.csv
  role_prefix: "role:"
  default_role: reader
  attribute_types: {age: number}
  functions: {overlap: keyMatch2}
requests:
  encoded_slashes: true
`

func configuredFiles(config string) map[string]string {
	return map[string]string{
		"sallyport.yaml": config,
		"access/by.conf": "[request_definition]\nr = sub, obj, act, age\n[policy_definition]\np = sub, obj, act, age\n[role_definition]\ng = _, _\n" +
			"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = g(r.sub, p.sub) && overlap(r.obj, p.obj) && r.act == p.act && r.age >= p.age\n",
		"access/rules.csv": "p, role:reader, /a/:name, GET, 18\n",
		"a.tests":          "allow erin age=20 /a/1%2F2 GET\nallow sam age=20 /a/x GET\n",
		"log.jsonl":        "",
	}
}

// TestCommandsTakeTheConfiguration: what the service reads from the file, its commands do:
// with -c, and without it for the file that is here.
func TestCommandsTakeTheConfiguration(t *testing.T) {
	dir := write(t, configuredFiles(configured))
	commands := map[string]struct{ stdin, want, args string }{
		"lint":               {"", "", "lint"},
		"test":               {"", "2 passed, 0 failed", "test DIR/a.tests"},
		"explain":            {"", "allow: ", "explain erin /a/1%2F2 GET --claim age=20"},
		"check":              {"sam, /a/x, GET, 20\n", "allow\n", "check"},
		"objects":            {"", "/a/:name", "objects erin GET --claim age=20"},
		"matrix":             {"", "reader", "matrix --claim age=20"},
		"report":             {"", "reader", "report --claim age=20"},
		"ci":                 {"", "no problems\n", "ci --without-diff --tests DIR/a.tests"},
		"rules of two files": {"", "no change in effect", "diff DIR/access/rules.csv DIR/access/rules.csv"},
	}
	for name, c := range commands {
		got := run(t, dir, c.stdin, append(strings.Fields(c.args), "-c", "DIR/sallyport.yaml")...)
		if got.Code != exitOK || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%s -c: %+v", name, got)
		}
	}
	t.Chdir(dir)
	for name, c := range commands {
		if strings.HasPrefix(c.args, "diff") {
			continue // each side may have a model of its own
		}
		got := run(t, dir, c.stdin, strings.Fields(c.args)...)
		if got.Code != exitOK || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := run(t, dir, "", "lint", "-m", "access/by.conf", "-p", "access/rules.csv"); got.Code == exitOK || !strings.Contains(got.Stderr+got.Stdout, "overlap") {
		t.Errorf("with -p the file must not count: %+v", got)
	}
	elsewhere := t.TempDir()
	t.Chdir(elsewhere)
	if got := run(t, dir, "", "test", filepath.Join(dir, "a.tests")); got.Code != exitOK {
		t.Errorf("beside the tests: %+v", got)
	}
}

// TestConfigurationThatNamesNoFiles: without a policy the file here does not count, and of
// a policy in a store its options do.
func TestConfigurationThatNamesNoFiles(t *testing.T) {
	files := configuredFiles("realm: x\n")
	files["model.conf"], files["policy.csv"] = "rbac", "p, anonymous, /a, GET\n"
	dir := write(t, files)
	t.Chdir(dir)
	ask := func(want, words string) {
		t.Helper()
		if got := run(t, dir, "", strings.Fields(words)...); !strings.Contains(got.Stdout+got.Stderr, want) {
			t.Errorf("%s: no %q in %+v", words, want, got)
		}
	}
	ask("deny: ", "explain anonymous /a GET")
	ask("sallyport.yaml has no policy", "explain -c sallyport.yaml anonymous /a GET")
	stored := "policy:\n  model: model.conf\n  store:\n    postgres: {url: \"${SALLYPORT_NO_SUCH_VARIABLE}\"}\n  anonymous: true\n"
	if err := os.WriteFile("sallyport.yaml", []byte(stored), 0o600); err != nil {
		t.Fatal(err)
	}
	ask("allow: ", "explain anonymous /a GET")
	ask("allow: ", "explain -c sallyport.yaml -p policy.csv anonymous /a GET")
}

// TestConfigurationBesideFlags names the flag that was given, which some commands lack.
func TestConfigurationBesideFlags(t *testing.T) {
	t.Parallel()
	dir := write(t, configuredFiles(configured))
	const config, file = " -c DIR/sallyport.yaml", "DIR/access/rules.csv"
	for args, want := range map[string]string{
		"diff " + file + " " + file + " -m rbac": "leave -m out",
		"lint -m rbac":                           "leave -m out",
		"lint -p " + file:                        "leave -p out",
	} {
		expect(t, dir, "", exitUsage, "", want, strings.Fields(args+config)...)
	}
}
