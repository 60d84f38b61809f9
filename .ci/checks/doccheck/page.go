// Package doccheck holds the documentation to the code.
//
// Its tests read README.md and docs/*.md of the repository and fail when a Go
// snippet does not compile, a link leads nowhere, a name or a test that a page
// mentions is gone, or a table differs from what the code says. There is
// nothing to run: go test ./.ci/checks/doccheck.
//
// What a page can say to the tests:
//
//   - A block of Go that begins with package is compiled as a program. One
//     without func main is part of every program on its page, and a block
//     "go PAGE" of the program on that page.
//   - Any other block of Go is declarations or statements, a piece of a
//     program. Readers see what it needs beside that: a page has at most one
//     block "go shared", with what its pieces import and what stands for the
//     reader's own code. Each piece is compiled behind that.
//   - A block "csv MODEL" is a policy for the ready model of that name. A third
//     word is the code of a finding that the policy must have.
//   - A code span such as `core.NewGuard` or `TestConformance` names something
//     that must exist. The parts of `TestX/group/case` behind the first must be
//     string literals in some Go file.
package doccheck

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Page is one file of the documentation.
type Page struct {
	// Name is the path from the root of the repository, with slashes.
	Name string
	// Lines are the lines of the file with all fenced blocks and HTML comments
	// left blank, so that their numbers stay.
	Lines  []string
	Blocks []Block
}

// Block is a fenced block.
type Block struct {
	// Line is the number of the first line inside, from 1.
	Line int
	// Info are the words behind the fence; the first is the language.
	Info []string
	Text string
}

// Language is the first word behind the fence, or "".
func (b Block) Language() string {
	if len(b.Info) == 0 {
		return ""
	}
	return b.Info[0]
}

// ReadPages reads README.md and docs/*.md below root.
func ReadPages(root string) ([]Page, error) {
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		return nil, err
	}
	names = append([]string{filepath.Join(root, "README.md")}, names...)
	var pages []Page
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		short, err := filepath.Rel(root, name)
		if err != nil {
			return nil, err
		}
		page, err := ParsePage(filepath.ToSlash(short), string(text))
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	return pages, nil
}

const (
	fence        = "```"
	commentStart = "<!--"
	commentEnd   = "-->"
)

// ParsePage splits a page. Fences and comments begin at the start of a line.
func ParsePage(name, text string) (Page, error) {
	p := Page{Name: name}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		var end int
		switch line := lines[i]; {
		case strings.HasPrefix(line, fence):
			if end = find(lines, i+1, func(s string) bool { return strings.TrimRight(s, " ") == fence }); end < 0 {
				return p, fmt.Errorf("%s:%d: the block has no end", name, i+1)
			}
			p.Blocks = append(p.Blocks, Block{
				Line: i + 2,
				Info: strings.Fields(line[len(fence):]),
				Text: join(lines[i+1 : end]),
			})
		case strings.HasPrefix(line, commentStart):
			if end = find(lines, i, func(s string) bool { return strings.HasSuffix(s, commentEnd) }); end < 0 {
				return p, fmt.Errorf("%s:%d: the comment has no end", name, i+1)
			}
		default:
			p.Lines = append(p.Lines, line)
			continue
		}
		p.Lines = append(p.Lines, make([]string, end-i+1)...)
		i = end
	}
	return p, nil
}

func find(lines []string, from int, is func(string) bool) int {
	for i := from; i < len(lines); i++ {
		if is(lines[i]) {
			return i
		}
	}
	return -1
}

func join(lines []string) string {
	return strings.Join(append(lines[:len(lines):len(lines)], ""), "\n")
}

// Section is the lines below the heading, up to the next one of its depth or
// less; nil when there is no such heading.
func (p Page) Section(heading string) []string {
	for i, line := range p.Lines {
		depth := headingDepth(line)
		if depth == 0 || strings.TrimSpace(line[depth:]) != heading {
			continue
		}
		end := find(p.Lines, i+1, func(s string) bool { d := headingDepth(s); return d > 0 && d <= depth })
		if end < 0 {
			end = len(p.Lines)
		}
		return p.Lines[i+1 : end]
	}
	return nil
}

// headingDepth is the number of "#" of a heading, 0 for other lines.
func headingDepth(line string) int {
	text := strings.TrimLeft(line, "#")
	depth := len(line) - len(text)
	if depth > 6 || !strings.HasPrefix(text, " ") {
		return 0
	}
	return depth
}
