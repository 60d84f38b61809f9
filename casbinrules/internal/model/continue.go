package model

import (
	"strings"
)

// previousLine is the last line of the definition before a line.
type previousLine struct {
	number int // 0 if the section has none
	text   string
	// ended is the number of the empty line or comment that ended the definition
	// although its last line ends in a backslash, or 0.
	ended int
}

// isDefinition reports whether a line has the form "key = value".
func isDefinition(line string) bool {
	key, value, ok := strings.Cut(line, "=")
	return ok && IsWord(strings.TrimSpace(key)) && !strings.HasPrefix(value, "=")
}

// reportContinuation reports a line that continues the definition before it, but
// which Casbin does not read as part of that.
func (f *File) reportContinuation(line string, at Position, before previousLine) {
	code := CodeModelUnused
	if !strings.Contains(line, "=") {
		code = CodeModelSyntax // Casbin fails on it
	}
	const what = "the line is not a definition, and Casbin does not read it as part of the one before: "
	switch {
	case before.ended > 0:
		f.Report(at, code, "put the comment or blank line before the definition",
			what+"line %d ends that one, although line %d ends in a backslash", before.ended, before.number)
	case strings.HasSuffix(uncommented(before.text), `\`):
		f.Report(at, code, "leave out what follows the backslash", what+"the backslash of line %d is not its last character", before.number)
	default:
		f.Report(at, code, `end the line before in \, or write "key = value" if this is a definition`,
			what+"line %d lacks a backslash at its end", before.number)
	}
}

// uncommented returns a line without a comment at its end.
func uncommented(line string) string {
	if i := strings.IndexAny(line, "#;"); i >= 0 {
		line = line[:i]
	}
	return strings.TrimSpace(line)
}
