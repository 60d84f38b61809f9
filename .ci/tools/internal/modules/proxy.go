package modules

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

// Publish writes a module, as it is in its folder, to the proxy in dir.
// Siblings are required at the module's version and nothing is replaced.
func (m Module) Publish(dir string) error {
	gomod, err := m.Released()
	if err != nil {
		return err
	}
	zipped, err := archive(m, gomod)
	if err != nil {
		return err
	}
	return m.Add(dir, gomod, zipped)
}

// Add writes a module's go.mod and zip file to the proxy in dir, in the layout
// of the GOPROXY protocol (https://go.dev/ref/mod#goproxy-protocol).
func (m Module) Add(dir string, gomod, zipped []byte) error {
	escaped, err := modname.EscapePath(m.Path)
	if err != nil {
		return err
	}
	versions := filepath.Join(dir, escaped, "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": m.Version, "Time": time.Now().UTC()})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list":              []byte(m.Version + "\n"),
		m.Version + ".info": info,
		m.Version + ".mod":  gomod,
		m.Version + ".zip":  zipped,
	} {
		if err := os.WriteFile(filepath.Join(versions, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Released is the module's go.mod as a release has it: siblings are required at
// the module's version and nothing is replaced.
func (m Module) Released() ([]byte, error) {
	file, err := m.goMod()
	if err != nil {
		return nil, err
	}
	for _, r := range file.Replace {
		if err := file.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return nil, err
		}
	}
	file.Cleanup()
	return file.Format()
}

// Continued is the module's go.mod as it is after a release: siblings are
// required at the module's version, and still replaced by their folders.
func (m Module) Continued() ([]byte, error) {
	file, err := m.goMod()
	if err != nil {
		return nil, err
	}
	return file.Format()
}

// goMod is the module's go.mod with siblings at the module's version.
func (m Module) goMod() (*modfile.File, error) {
	file, err := m.parse()
	if err != nil {
		return nil, err
	}
	for _, r := range file.Require {
		if !strings.HasPrefix(r.Mod.Path, Prefix) {
			continue
		}
		if err := file.AddRequire(r.Mod.Path, m.Version); err != nil {
			return nil, err
		}
	}
	return file, nil
}

// archive is the module's zip file. Modules nested in it are left out.
func archive(m Module, gomod []byte) ([]byte, error) {
	checked, err := modzip.CheckDir(m.Dir)
	if err != nil {
		return nil, err
	}
	var files []modzip.File
	for _, name := range checked.Valid {
		rel, err := filepath.Rel(m.Dir, name)
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
	err = modzip.Create(&zipped, modname.Version{Path: m.Path, Version: m.Version}, files)
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
