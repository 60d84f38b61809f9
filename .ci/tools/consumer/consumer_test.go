package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestViolationsNameWhatDoesNotBelong(t *testing.T) {
	const core, jwt = prefix + "core", "github.com/golang-jwt/jwt/v5"
	const gin, fiber, casbin = "github.com/gin-gonic/gin", "github.com/gofiber/fiber/v2", "github.com/casbin/casbin/v2"
	for _, tt := range []struct {
		module string
		graph  []string
		want   []string
	}{
		{"core", []string{core}, nil},
		{"core", []string{core, jwt}, []string{jwt}},
		{"core/htpasswd", []string{core, "golang.org/x/crypto"}, nil},
		{"core/htpasswd", []string{core, gin}, []string{gin}},
		{"core/watch", []string{core, "github.com/redis/go-redis/v9"}, []string{"github.com/redis/go-redis/v9"}},
		{"ginauth", []string{core, gin, jwt}, nil},
		{"ginauth", []string{core, gin, fiber, casbin}, []string{fiber, casbin}},
		{"fiberauth", []string{core, fiber, "github.com/valyala/fasthttp"}, nil},
		{"echoauth", []string{core, "github.com/labstack/echo/v4", "github.com/valyala/fasttemplate"}, nil},
		{"echoauth", []string{core, "github.com/valyala/fasthttp"}, []string{"github.com/valyala/fasthttp"}},
		{"casbinrules", []string{core, casbin, gin}, []string{gin}},
		{"not/listed", []string{core, casbin}, []string{casbin}},
	} {
		if got := violations(tt.module, tt.graph); !slices.Equal(got, tt.want) {
			t.Errorf("violations(%q, %q) = %q, want %q", tt.module, tt.graph, got, tt.want)
		}
	}
}

func TestModulePathsReadListAndGraph(t *testing.T) {
	const output = `app.example/app
example.org/a v1.0.0
example.org/b/v2 v2.1.0
app.example/app example.org/a@v1.0.0
app.example/app go@1.26.0
go@1.26.0 toolchain@go1.26.0
example.org/a@v1.0.0 example.org/pruned@v0.3.0
`
	want := []string{"example.org/a", "example.org/b/v2", "example.org/pruned"}
	if got := modulePaths(output); !slices.Equal(got, want) {
		t.Errorf("modulePaths = %q, want %q", got, want)
	}
}

func TestPublishedModuleStandsAlone(t *testing.T) {
	const version = "v0.1.0-dev.7"
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module " + prefix + "outer\n\ngo 1.26.0\n\n" +
			"require " + prefix + "core v0.0.0\n\nrequire example.org/other v1.2.3\n\n" +
			"replace " + prefix + "core => ../core\n",
		"outer.go":         "package outer\n",
		"inner/go.mod":     "module " + prefix + "outer/inner\n",
		"inner/inner.go":   "package inner\n",
		"within/within.go": "package within\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	proxy := t.TempDir()
	if err := publish(proxy, module{prefix + "outer", dir, version}); err != nil {
		t.Fatal(err)
	}
	versions := filepath.Join(proxy, filepath.FromSlash(prefix), "outer", "@v")

	gomod := read(t, filepath.Join(versions, version+".mod"))
	for _, want := range []string{"core " + version, "example.org/other v1.2.3"} {
		if !strings.Contains(gomod, want) {
			t.Errorf("go.mod lacks %q:\n%s", want, gomod)
		}
	}
	if strings.Contains(gomod, "replace") {
		t.Errorf("go.mod still replaces:\n%s", gomod)
	}
	if got := read(t, filepath.Join(versions, "list")); got != version+"\n" {
		t.Errorf("list = %q", got)
	}

	files := unzip(t, read(t, filepath.Join(versions, version+".zip")))
	root := prefix + "outer@" + version + "/"
	if files[root+"go.mod"] != gomod {
		t.Errorf("go.mod in the zip differs from the one beside it:\n%s", files[root+"go.mod"])
	}
	for name, want := range map[string]bool{"outer.go": true, "within/within.go": true, "inner/inner.go": false} {
		if _, got := files[root+name]; got != want {
			t.Errorf("%s in the zip: %v, want %v", name, got, want)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func unzip(t *testing.T, data string) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader([]byte(data)), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	return files
}
