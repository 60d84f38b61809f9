package lsp

import (
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// format formats a policy file like the command fmt. In other files it only removes
// trailing spaces, which is always safe. A file with an error is left alone.
func (s *server) format(q *query) (any, error) {
	d := q.doc
	var made string
	switch d.kind {
	case KindPolicy:
		text, err := casbinrules.FormatPolicy(d.path, []byte(strings.ReplaceAll(d.text, "\r\n", "\n")))
		if err != nil {
			return []textEdit{}, nil
		}
		made = string(text)
	case KindModel, KindTests:
		made = trimmedLines(d)
	default:
		return []textEdit{}, nil
	}
	if strings.Contains(d.text, "\r\n") {
		made = strings.ReplaceAll(made, "\n", "\r\n")
	}
	return difference(d, made, q.view.enc), nil
}

// trimmedLines removes trailing spaces, collapses consecutive empty lines, and ends the
// text with one line feed.
func trimmedLines(d *document) string {
	var b strings.Builder
	empty := true
	for n := range d.lines() {
		line := strings.TrimRight(d.line(n), " \t")
		if line != "" || !empty {
			b.WriteString(line + "\n")
		}
		empty = line == ""
	}
	if text := strings.TrimRight(b.String(), "\n"); text != "" {
		return text + "\n"
	}
	return ""
}

// difference returns edits that turn the document into text. If the number of lines stays
// the same, only changed lines are edited, so that cursors and marks elsewhere stay in
// place.
func difference(d *document, text string, enc encoding) []textEdit {
	edits := []textEdit{}
	before, after := strings.SplitAfter(d.text, "\n"), strings.SplitAfter(text, "\n")
	if len(before) != len(after) {
		first, last := 0, 0
		for first < min(len(before), len(after)) && before[first] == after[first] {
			first++
		}
		for last < min(len(before), len(after))-first && before[len(before)-1-last] == after[len(after)-1-last] {
			last++
		}
		start := len(strings.Join(before[:first], ""))
		end := len(d.text) - len(strings.Join(before[len(before)-last:], ""))
		return append(edits, textEdit{d.rangeOf(start, end, enc), strings.Join(after[first:len(after)-last], "")})
	}
	for i, offset := 0, 0; i < len(before); i++ {
		if before[i] != after[i] {
			from := strings.TrimRight(before[i], "\r\n")
			edits = append(edits, textEdit{d.rangeOf(offset, offset+len(from), enc), strings.TrimRight(after[i], "\r\n")})
		}
		offset += len(before[i])
	}
	return edits
}
