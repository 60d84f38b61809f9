package policyfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FolderOf returns the directory that a policy is or that it is in.
func FolderOf(policy string) string {
	policy = PlainPath(policy)
	if info, err := os.Stat(policy); err == nil && info.IsDir() {
		return policy
	}
	return filepath.Dir(policy)
}

// FilesIn returns the files in a directory whose names end with suffix, sorted.
// Names are not patterns, and may contain anything. The suffix in other letters is an
// error: such a file would be left out without a word.
func FilesIn(folder, suffix string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		switch file := filepath.Join(folder, e.Name()); {
		case e.IsDir() || e.Name()[0] == '.' || !strings.HasSuffix(strings.ToLower(e.Name()), suffix):
		case !strings.HasSuffix(e.Name(), suffix):
			return nil, fmt.Errorf("%s: only names that end in %s are read, in these letters: rename it or remove it", file, suffix)
		default:
			files = append(files, file)
		}
	}
	return files, nil
}

// PlainPath returns the path of a policy without the key of a YAML file.
func PlainPath(policy string) string {
	files, _ := SplitManifests([]string{policy})
	return files[0]
}

// IsPolicyFile reports whether a file is a model, a policy, or tests of one.
func IsPolicyFile(name string) bool {
	return slices.Contains([]string{".csv", ".conf", ".tests"}, filepath.Ext(name))
}
