package cli

import (
	"go/format"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

// offline makes go mod tidy find nothing.
func offline(t *testing.T) {
	t.Helper()
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOMODCACHE", t.TempDir())
}

func content(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestInitWritesAServiceThoughItCannotBeTidied(t *testing.T) {
	offline(t)
	for _, framework := range starter.Frameworks {
		dir := filepath.Join(t.TempDir(), "My App")
		got := run(t, dir, "", "init", "DIR", "--framework", framework)
		if got.Code != exitOK {
			t.Fatalf("%s: %+v", framework, got)
		}
		if want := "model.conf\npolicy.csv\npolicy.tests\nmain.go\nsallyport.yaml\ngo.mod\n.gitignore\ndevelopment.pem\njwks.json\n"; got.Stdout != want {
			t.Errorf("%s: wrote\n%s", framework, got.Stdout)
		}
		for _, part := range []string{"go mod tidy has failed", "&& go mod tidy\n", "--checkout CLONE", "go run .", "$(sallyport token erin)"} {
			if !strings.Contains(got.Stderr, part) {
				t.Errorf("%s: %q is not in\n%s", framework, part, got.Stderr)
			}
		}
		main := content(t, filepath.Join(dir, "main.go"))
		formatted, err := format.Source([]byte(main))
		if err != nil || string(formatted) != main || strings.Count(main, "\n") > 60 {
			t.Errorf("%s: %d lines, or not formatted: %v", framework, strings.Count(main, "\n"), err)
		}
		if mod := content(t, filepath.Join(dir, "go.mod")); mod != "module myapp\n\ngo 1.26.0\n" {
			t.Errorf("%s: go.mod is %q", framework, mod)
		}
		info, err := os.Stat(filepath.Join(dir, "development.pem"))
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", framework, info.Mode(), err)
		}
		if ignored := content(t, filepath.Join(dir, ".gitignore")); !strings.Contains(ignored, "\ndevelopment.pem\n") {
			t.Errorf("%s: .gitignore is %q", framework, ignored)
		}
		t.Chdir(dir)
		if _, err := clitest.VerifyToken(t, "jwks.json", good(t, dir, "", "token", "erin")); err != nil {
			t.Errorf("%s: %v", framework, err)
		}
		if got := good(t, dir, "", "test"); got != "13 passed, 0 failed\n" { // as policy.tests says
			t.Errorf("%s: %s", framework, got)
		}
	}
}

func TestInitNamesAllExistingFiles(t *testing.T) {
	offline(t)
	dir := write(t, map[string]string{"main.go": "mine", "policy.csv": "mine", "jwks.json": "mine", ".gitignore": "*.log", "x/model.conf": "mine"})
	expect(t, dir, "", exitUsage, "", "policy.csv, main.go, jwks.json already exist: choose another", "init", "DIR", "--framework", "gin")
	expect(t, dir, "", exitUsage, "", "x/model.conf already exists: choose another directory, or overwrite it", "init", "DIR/x")
	expect(t, dir, "", exitUsage, "", "jwks.json is there without the other half of the pair", "init", "DIR", "--framework", "gin", "--force")
	for _, name := range []string{"main.go", "policy.csv", "jwks.json"} {
		if content(t, filepath.Join(dir, name)) != "mine" {
			t.Errorf("%s was overwritten", name)
		}
	}
	for _, name := range []string{"go.mod", "development.pem", "model.conf"} {
		if !atomicfile.NotThere(filepath.Join(dir, name)) {
			t.Errorf("%s was written", name)
		}
	}
}

func TestForceOverwritesNoKey(t *testing.T) {
	offline(t)
	dir := write(t, map[string]string{".gitignore": "*.log"})
	good(t, dir, "", "init", "DIR", "--framework", "gin")
	key, set := content(t, filepath.Join(dir, "development.pem")), content(t, filepath.Join(dir, "jwks.json"))
	good(t, dir, "", "init", "DIR", "--framework", "echo", "--preset", "rbac-tenants", "--force")
	if content(t, filepath.Join(dir, "development.pem")) != key || content(t, filepath.Join(dir, "jwks.json")) != set {
		t.Error("the key pair was overwritten")
	}
	if !strings.Contains(content(t, filepath.Join(dir, "main.go")), "echoauth") || !strings.Contains(content(t, filepath.Join(dir, "sallyport.yaml")), "tenant: tenant") {
		t.Error("the other files were not")
	}
	if got := content(t, filepath.Join(dir, ".gitignore")); got != "*.log\n"+starter.IgnoreLines {
		t.Errorf(".gitignore is %q", got)
	}
}

func TestGoModTakesModulesOfOneVersionOrFromAClone(t *testing.T) {
	app := starter.App{Framework: "fiber3", Preset: "rbac", Module: "app", Version: "v1.2.3"}
	files, err := app.Files()
	if err != nil {
		t.Fatal(err)
	}
	want := "module app\n\ngo 1.26.0\n\nrequire (\n\tgithub.com/sallyport-go/sallyport/casbinrules/setup v1.2.3\n\tgithub.com/sallyport-go/sallyport/fiberauth/fiberv3 v1.2.3\n)\n"
	if got := files[len(files)-1].Text; got != want {
		t.Errorf("go.mod is\n%s", got)
	}
	offline(t)
	dir := write(t, map[string]string{"clone/core/go.mod": "module github.com/sallyport-go/sallyport/core\n", "clone/.ci/go.mod": "module github.com/sallyport-go/sallyport/ci\n",
		"clone/examples/go.mod": "module github.com/sallyport-go/sallyport/examples\n", "other/go.mod": "module example.com/other\n"})
	good(t, dir, "", "init", "DIR/app", "--framework", "nethttp", "--checkout", "DIR/clone")
	if got := content(t, filepath.Join(dir, "app", "go.mod")); !strings.HasSuffix(got, "\nreplace (\n\tgithub.com/sallyport-go/sallyport/core => ../clone/core\n)\n") {
		t.Errorf("go.mod is\n%s", got)
	}
	expect(t, dir, "", exitUsage, "", "it holds no module of Sallyport", "init", "DIR/more", "--framework", "nethttp", "--checkout", "DIR/other")
}
