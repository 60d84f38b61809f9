package casbinrules

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// load reads model and policy into a snapshot.
func load(fsys fs.FS, m Model, policies []string, c *config) (*snapshot, error) {
	m, err := m.read(fsys)
	if err != nil {
		return nil, err
	}
	files, err := policyFiles(fsys, policies)
	if err != nil {
		return nil, err
	}
	s := readSchema(m)
	s.checkOptions(c)
	if len(s.file.findings) > 0 {
		sortFindings(s.file.findings, nil)
		return nil, &FindingsError{s.file.findings}
	}
	r := newPolicyReader(s)
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		r.read(file, data)
	}
	graphs := newGraphs(s, r.rules, c)
	r.checkPolicy(files[0], c)
	r.checkRoles(graphs)
	if len(r.findings) > 0 {
		sortFindings(r.findings, files)
		return nil, &FindingsError{r.findings}
	}
	return newSnapshot(s, r.rules, graphs, c)
}

// policyFiles lists the files meant by policies.
func policyFiles(fsys fs.FS, policies []string) ([]string, error) {
	if len(policies) == 0 {
		return nil, errors.New("no policy file is given")
	}
	var files []string
	for _, name := range policies {
		info, err := fs.Stat(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		entries, err := fs.ReadDir(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		before := len(files)
		for _, e := range entries {
			if !e.IsDir() && strings.HasSuffix(e.Name(), ".csv") {
				files = append(files, path.Join(name, e.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("read policy: directory %s holds no .csv file", name)
		}
	}
	return files, nil
}

// newGraphs follows the role links of every kind of g lines.
func newGraphs(s *schema, rules []*rule, c *config) map[string]*graph {
	byKind := map[string][]*rule{}
	for _, r := range rules {
		byKind[r.kind()] = append(byKind[r.kind()], r)
	}
	graphs := map[string]*graph{}
	for kind, width := range s.roles {
		prefix := ""
		if kind == "g" {
			prefix = c.rolePrefix
		}
		graphs[kind] = newGraph(byKind[kind], width == 3, prefix)
	}
	return graphs
}

func sortFindings(findings []Finding, files []string) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(files, a.File), slices.Index(files, b.File)),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Message, b.Message))
	})
}
