package doccheck

import (
	"regexp"
	"strings"
	"unicode"
)

// Mention is something a page says, and where.
type Mention struct {
	Line int
	Text string
}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	link     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	rowKey   = regexp.MustCompile("^\\| *`([^`]+)` *\\|")
)

// CodeSpans are the texts in backquotes outside of blocks.
func (p Page) CodeSpans() []Mention { return p.matches(codeSpan) }

// Links are the targets of inline links outside of blocks.
func (p Page) Links() []Mention { return p.matches(link) }

func (p Page) matches(re *regexp.Regexp) []Mention {
	var found []Mention
	for i, line := range p.Lines {
		for _, m := range re.FindAllStringSubmatch(line, -1) {
			found = append(found, Mention{i + 1, m[1]})
		}
	}
	return found
}

// RowKeys are the code spans that are alone in the first cell of a table row.
func RowKeys(lines []string) []string {
	var keys []string
	for _, line := range lines {
		if m := rowKey.FindStringSubmatch(line); m != nil {
			keys = append(keys, m[1])
		}
	}
	return keys
}

// Anchors are the fragments under which the page's headings can be reached:
// in lower case, blanks as "-", without other punctuation.
func (p Page) Anchors() []string {
	var anchors []string
	for _, line := range p.Lines {
		depth := headingDepth(line)
		if depth == 0 {
			continue
		}
		anchors = append(anchors, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, strings.TrimSpace(line[depth:])))
	}
	return anchors
}
