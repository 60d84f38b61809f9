package modules

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// repository is where the folders of all modules and packages are.
const repository = "../../.."

// TestDependabotSeesEveryFolder: each go.mod and each package.json is in a folder
// that .github/dependabot.yml names.
func TestDependabotSeesEveryFolder(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "repository", ".github", "dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	watched := dependabot(string(text))
	found := map[string]int{}
	err = filepath.WalkDir(repository, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == ".build" || d.Name() == "node_modules" || d.Name() == "testdata"):
			return filepath.SkipDir
		}
		ecosystem := map[string]string{"go.mod": "gomod", "package.json": "npm"}[d.Name()]
		if ecosystem == "" {
			return nil
		}
		found[ecosystem]++
		folder, err := filepath.Rel(repository, filepath.Dir(file))
		if err != nil {
			return err
		}
		folder = "/" + filepath.ToSlash(folder)
		for _, pattern := range watched[ecosystem] {
			if within(strings.Split(pattern, "/"), strings.Split(folder, "/")) {
				return nil
			}
		}
		t.Errorf(".github/dependabot.yml: no directory of %s covers %s", ecosystem, folder)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found["gomod"] < 20 || found["npm"] == 0 {
		t.Errorf("found %v: not the whole repository", found)
	}
}

var (
	ecosystemLine = regexp.MustCompile(`^ *- package-ecosystem: "?([a-z-]+)"?$`)
	directoryLine = regexp.MustCompile(`^ *director(?:y|ies): (.*)$`)
	directoryName = regexp.MustCompile(`/[^"', \]]*`)
)

// dependabot are the directories of each ecosystem in a dependabot.yml.
func dependabot(text string) map[string][]string {
	watched := map[string][]string{}
	ecosystem := ""
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " #")
		line = strings.TrimRight(line, " ")
		if m := ecosystemLine.FindStringSubmatch(line); m != nil {
			ecosystem = m[1]
		} else if m := directoryLine.FindStringSubmatch(line); m != nil {
			watched[ecosystem] = append(watched[ecosystem], directoryName.FindAllString(m[1], -1)...)
		}
	}
	return watched
}

// within reports whether a folder is one of those that a pattern of Dependabot
// names: "**" is any number of folders, and no wildcard is a hidden folder.
func within(pattern, folder []string) bool {
	switch {
	case len(pattern) == 0:
		return len(folder) == 0
	case pattern[0] == "**" && within(pattern[1:], folder):
		return true
	case len(folder) == 0 || strings.HasPrefix(folder[0], ".") && !strings.HasPrefix(pattern[0], "."):
		return false
	case pattern[0] == "**":
		return within(pattern, folder[1:])
	}
	ok, err := path.Match(pattern[0], folder[0])
	return err == nil && ok && within(pattern[1:], folder[1:])
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		pattern, folder string
		want            bool
	}{
		{"/**/*", "/core", true},
		{"/**/*", "/core/source/redis", true},
		{"/**/*", "/.ci/tools", false},
		{"/**/*", "/core/.hidden", false},
		{"/.ci/*", "/.ci/tools", true},
		{"/.ci/*", "/.ci/checks/mcp", false},
		{"/.ci/site", "/.ci/site", true},
		{"/.ci/site", "/.ci", false},
	} {
		if got := within(strings.Split(tt.pattern, "/"), strings.Split(tt.folder, "/")); got != tt.want {
			t.Errorf("within(%q, %q) = %v", tt.pattern, tt.folder, got)
		}
	}
}
