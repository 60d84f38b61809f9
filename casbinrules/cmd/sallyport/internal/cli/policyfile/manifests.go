package policyfile

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/manifest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/memfile"
)

// manifests are the files of a policy of which some are YAML with embedded
// policies. Those are read like policy files in which each rule is at its place in
// the YAML.
type manifests struct {
	base fs.FS
	keys map[string][]string // of the YAML files, by name
	// found are the policies read from them, by name.
	found map[string]*manifest.Policy
}

// SplitManifests splits policies, as given, into files and the keys of those in
// YAML; keys is nil if there are none.
func SplitManifests(policies []string) (files []string, keys map[string][]string) {
	for _, p := range policies {
		file, key, ok := manifest.Split(p)
		if info, err := os.Stat(p); err == nil && (file != p || info.IsDir()) {
			file, ok = p, false // a file or a directory with that name
		}
		files = distinct.Add(files, file)
		if ok {
			if keys == nil {
				keys = map[string][]string{}
			}
			keys[file] = append(keys[file], key)
		}
	}
	return files, keys
}

// openManifests loads a policy that is wholly or partly in YAML.
func (s *Source) openManifests(in *manifests, m casbinrules.Model, files []string, opts []casbinrules.Option) (*ask.Policy, error) {
	a, err := s.Loaded(casbinrules.OpenFS(in, m, files, opts...))
	if err != nil {
		return nil, err
	}
	a.Alone, err = s.roleOfEverybody(in)
	return a, err
}

// roleOfEverybody returns the role in policy.default, as credentials would name it.
func (s *Source) roleOfEverybody(in *manifests) (string, error) {
	role, place, err := in.defaultRole()
	if err != nil || role == "" {
		return "", err
	}
	short, prefixed := strings.CutPrefix(role, s.RolePrefix)
	switch {
	case s.AsCasbin || s.WithoutTokenRoles:
		return "", fmt.Errorf("%s: policy.default gives everybody the role %s, which means nothing with --as-casbin or --without-token-roles", place, role)
	case !prefixed:
		return "", fmt.Errorf("%s: policy.default gives everybody the role %s, which does not begin with the role prefix %s", place, role, s.RolePrefix)
	}
	return short, nil
}

// hostFiles is the operating system's file system with its usual paths.
type hostFiles struct{}

func (hostFiles) Open(name string) (fs.File, error) { return os.Open(name) }

// Open implements fs.FS.
func (m *manifests) Open(name string) (fs.File, error) {
	keys := m.keys[name]
	if keys == nil {
		return m.base.Open(name)
	}
	text, err := fs.ReadFile(m.base, name)
	if err != nil {
		return nil, err
	}
	p, err := manifest.Read(name, text, keys)
	if err != nil {
		return nil, err
	}
	if m.found == nil {
		m.found = map[string]*manifest.Policy{}
	}
	m.found[name] = p
	return memfile.Open(name, p.CSV), nil
}

// defaultRole returns everybody's role, with its place, once the files were read.
func (m *manifests) defaultRole() (role, place string, err error) {
	for _, p := range m.found {
		if p.DefaultRole == "" {
			continue
		}
		if role != "" && role != p.DefaultRole {
			return "", "", fmt.Errorf("%s: policy.default is %s here, and %s at %s", p.Place, p.DefaultRole, role, place)
		}
		role, place = p.DefaultRole, p.Place
	}
	return role, place, nil
}
