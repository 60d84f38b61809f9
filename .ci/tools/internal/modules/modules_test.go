package modules

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPublishedModuleStandsAlone(t *testing.T) {
	const version = "v0.1.0-dev.7"
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module " + Prefix + "outer\n\ngo 1.26.0\n\n" +
			"require " + Prefix + "core v0.0.0\n\nrequire example.org/other v1.2.3\n\n" +
			"replace " + Prefix + "core => ../core\n",
		"outer.go":         "package outer\n",
		"inner/go.mod":     "module " + Prefix + "outer/inner\n",
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
	if err := (Module{Prefix + "outer", dir, version}).Publish(proxy); err != nil {
		t.Fatal(err)
	}
	versions := filepath.Join(proxy, filepath.FromSlash(Prefix), "outer", "@v")

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
	root := Prefix + "outer@" + version + "/"
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
