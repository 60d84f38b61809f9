package doccheck

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// index is the page that leads to all others, and the navigation of the site.
const index = "docs/README.md"

// indexRow is a row of its tables: what a reader wants, and the page.
var indexRow = regexp.MustCompile(`^\| [^|]+ \| \[[^\]]+\]\(([^)#]+\.md)\) \|$`)

// TestIndexLeadsToEveryPage: a page that the index does not name is found by
// nobody, and one that it names twice is in two places of the site.
func TestIndexLeadsToEveryPage(t *testing.T) {
	named := map[string]int{}
	for _, line := range pageNamed(t, index).Lines {
		if m := indexRow.FindStringSubmatch(line); m != nil {
			named["docs/"+m[1]]++
		}
	}
	for _, page := range documentation(t) {
		switch n := named[page.Name]; {
		case page.Name == index || page.Name == "README.md":
		case n == 0:
			t.Errorf("%s is not in %s: add a row \"| what a reader wants to do | [its title](%s) |\" to the table of its kind", page.Name, index, strings.TrimPrefix(page.Name, "docs/"))
		case n > 1:
			t.Errorf("%s is in %s %d times", page.Name, index, n)
		}
	}
}

// maxReadme is how many lines the README may have: what is more belongs on a
// page of its own.
const maxReadme = 250

// TestReadmeOrder: who decides whether to use this reads from the top and stops
// somewhere.
func TestReadmeOrder(t *testing.T) {
	readme := pageNamed(t, "README.md")
	if n := len(readme.Lines); n > maxReadme {
		t.Errorf("README.md has %d lines: at most %d", n, maxReadme)
	}
	var got []string
	for _, line := range readme.Lines {
		if headingDepth(line) == 2 {
			got = append(got, strings.TrimPrefix(line, "## "))
		}
	}
	if want := []string{"Why", "Set up", "Install", "In Go", "Verdicts", "A policy", "Links"}; !slices.Equal(got, want) {
		t.Errorf("README.md has the sections %q, want %q", got, want)
	}
}

// TestReadmeCommandsRun: every command of the README is run by .ci/readme.
func TestReadmeCommandsRun(t *testing.T) {
	count := 0
	for _, b := range pageNamed(t, "README.md").Blocks {
		if b.Language() != "sh" {
			continue
		}
		count++
		if !slices.Equal(b.Info, []string{"sh", "ci"}) {
			t.Errorf("README.md:%d: the block is not fenced as \"sh ci\", so .ci/readme does not run it", b.Line)
		}
	}
	if count == 0 {
		t.Error("README.md has no commands")
	}
}
