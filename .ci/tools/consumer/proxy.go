package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	modname "golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// publish writes a module to the proxy in dir, in the layout of the GOPROXY
// protocol (https://go.dev/ref/mod#goproxy-protocol).
func publish(dir string, m module) error {
	escaped, err := modname.EscapePath(m.path)
	if err != nil {
		return err
	}
	versions := filepath.Join(dir, escaped, "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		return err
	}
	gomod, err := publishedGoMod(m)
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": m.version, "Time": time.Now().UTC()})
	if err != nil {
		return err
	}
	zipped, err := archive(m, gomod)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list":              []byte(m.version + "\n"),
		m.version + ".info": info,
		m.version + ".mod":  gomod,
		m.version + ".zip":  zipped,
	} {
		if err := os.WriteFile(filepath.Join(versions, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// publishedGoMod is the module's go.mod as a release has it: sibling modules
// are required at the published version and nothing is replaced.
func publishedGoMod(m module) ([]byte, error) {
	name := filepath.Join(m.dir, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range file.Require {
		if !strings.HasPrefix(r.Mod.Path, prefix) {
			continue
		}
		if err := file.AddRequire(r.Mod.Path, m.version); err != nil {
			return nil, err
		}
	}
	for _, r := range file.Replace {
		if err := file.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return nil, err
		}
	}
	file.Cleanup()
	return file.Format()
}

// archive is the module's zip file. Modules nested in it are left out.
func archive(m module, gomod []byte) ([]byte, error) {
	checked, err := modzip.CheckDir(m.dir)
	if err != nil {
		return nil, err
	}
	var files []modzip.File
	for _, name := range checked.Valid {
		rel, err := filepath.Rel(m.dir, name)
		if err != nil {
			return nil, err
		}
		f := zipFile{name: filepath.ToSlash(rel), disk: name}
		if f.name == "go.mod" {
			f.content = gomod
		}
		files = append(files, f)
	}
	var zipped bytes.Buffer
	err = modzip.Create(&zipped, modname.Version{Path: m.path, Version: m.version}, files)
	return zipped.Bytes(), err
}

// zipFile is a file on disk, or content in its place.
type zipFile struct {
	name, disk string
	content    []byte
}

func (f zipFile) Path() string { return f.name }

func (f zipFile) Lstat() (fs.FileInfo, error) {
	info, err := os.Lstat(f.disk)
	if err != nil || f.content == nil {
		return info, err
	}
	return sizedInfo{info, int64(len(f.content))}, nil
}

func (f zipFile) Open() (io.ReadCloser, error) {
	if f.content != nil {
		return io.NopCloser(bytes.NewReader(f.content)), nil
	}
	return os.Open(f.disk)
}

// sizedInfo is file information with another size.
type sizedInfo struct {
	fs.FileInfo
	size int64
}

func (i sizedInfo) Size() int64 { return i.size }
