package model

import (
	"strings"
)

// lineBefore is the last line of the definition in front of a line.
type lineBefore struct {
	number int // 0 when there is none in the section
	text   string
	// ended is the line, empty or a comment, that ended the definition though
	// it was to go on; 0 when there is none.
	ended int
}

// isDefinition reports whether a line has the form "key = value".
func isDefinition(line string) bool {
	key, value, ok := strings.Cut(line, "=")
	return ok && IsWord(strings.TrimSpace(key)) && !strings.HasPrefix(value, "=")
}

// reportContinuation reports a line that is not a definition of its own, but the
// rest of the one before, of which Casbin does not read it as part.
func (f *File) reportContinuation(line string, at Position, before lineBefore) {
	code := CodeModelUnused
	if !strings.Contains(line, "=") {
		code = CodeModelSyntax // on which Casbin fails
	}
	const what = "the line is no definition of its own, and not part of the one before: "
	switch {
	case before.ended > 0:
		f.Report(at, code, "put the comment or blank line before the definition",
			what+"line %d ends it though line %d ends in a backslash", before.ended, before.number)
	case strings.HasSuffix(uncommented(before.text), `\`):
		f.Report(at, code, "leave out what follows the backslash", what+"the backslash of line %d is not its last character", before.number)
	default:
		f.Report(at, code, `end the line before in \, or write "key = value" if this is a definition`,
			what+"line %d lacks a backslash at its end", before.number)
	}
}

// uncommented is a line without the comment behind it.
func uncommented(line string) string {
	if i := strings.IndexAny(line, "#;"); i >= 0 {
		line = line[:i]
	}
	return strings.TrimSpace(line)
}
