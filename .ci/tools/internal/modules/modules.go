// Package modules knows the modules of a checkout, and publishes them to a
// module proxy made of files.
package modules

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// Prefix is what all module paths of the checkout share.
const Prefix = "github.com/sallyport-go/sallyport/"

// Module is a module of the checkout and the version it is published as.
type Module struct{ Path, Dir, Version string }

// Name is the path without the prefix that all share.
func (m Module) Name() string { return strings.TrimPrefix(m.Path, Prefix) }

// IsProgram reports whether the module is a command and no package.
func (m Module) IsProgram() bool {
	_, err := os.Stat(filepath.Join(m.Dir, "main.go"))
	return err == nil
}

// Siblings are the paths of the modules with the same prefix that go.mod
// requires.
func (m Module) Siblings() ([]string, error) {
	file, err := m.parse()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, r := range file.Require {
		if strings.HasPrefix(r.Mod.Path, Prefix) {
			paths = append(paths, r.Mod.Path)
		}
	}
	return paths, nil
}

func (m Module) parse() (*modfile.File, error) {
	name := filepath.Join(m.Dir, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return modfile.Parse(name, data, nil)
}

// All lists the modules of go.work, in its order.
func All(root, version string) ([]Module, error) {
	name := filepath.Join(root, "go.work")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, err
	}
	var all []Module
	for _, use := range work.Use {
		m := Module{Dir: filepath.Join(root, filepath.FromSlash(use.Path)), Version: version}
		file, err := m.parse()
		if err != nil {
			return nil, err
		}
		if m.Path = file.Module.Mod.Path; !strings.HasPrefix(m.Path, Prefix) {
			return nil, fmt.Errorf("%s: module %s: must begin with %s", file.Syntax.Name, m.Path, Prefix)
		}
		all = append(all, m)
	}
	return all, nil
}

// List lists the modules of go.work that are published. Examples and the
// project's own tools are not.
func List(root, version string) ([]Module, error) {
	all, err := All(root, version)
	if err != nil {
		return nil, err
	}
	var published []Module
	for _, m := range all {
		if top, _, _ := strings.Cut(m.Name(), "/"); top != "examples" && top != "ci" {
			published = append(published, m)
		}
	}
	return published, nil
}

// Environ is the environment of go commands that take modules from the proxy.
// Their module cache is in keep: other people's modules stay in it from run to
// run; those of the checkout, which are new each time, are removed.
func Environ(proxy, keep string) ([]string, error) {
	family := strings.TrimSuffix(Prefix, "/")
	cache := filepath.Join(keep, "modcache")
	for _, old := range []string{family, "cache/download/" + family} {
		if err := os.RemoveAll(filepath.Join(cache, filepath.FromSlash(old))); err != nil {
			return nil, fmt.Errorf("empty the module cache: %w", err)
		}
	}
	out, err := exec.Command("go", "env", "-json", "GOPROXY", "GOMODCACHE", "GONOSUMDB").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var goenv struct{ GOPROXY, GOMODCACHE, GONOSUMDB string }
	if err := json.Unmarshal(out, &goenv); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	// What the checkout's own build has downloaded serves as a second proxy.
	downloaded := filepath.Join(goenv.GOMODCACHE, "cache", "download")
	return append(os.Environ(),
		"GOWORK=off",
		// With -trimpath the build cache knows a package wherever it lies.
		"GOFLAGS=-mod=mod -modcacherw -buildvcs=false -trimpath",
		"GOMODCACHE="+cache,
		"GOPROXY=file://"+filepath.ToSlash(proxy)+",file://"+filepath.ToSlash(downloaded)+","+goenv.GOPROXY,
		"GONOSUMDB="+strings.Trim(goenv.GONOSUMDB+","+family, ","),
		// go get also tries the paths above a module's own. Where the
		// proxies do not have those it must not look for a repository.
		"GOVCS="+family+":off,public:git|hg,private:all",
	), nil
}
