package casbinrules

import "strings"

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
	return ok && isWord(strings.TrimSpace(key)) && !strings.HasPrefix(value, "=")
}

// reportContinuation reports a line that is no definition of its own, but the
// rest of the one before, of which Casbin does not read it as part.
func (f *modelFile) reportContinuation(line string, at position, before lineBefore) {
	code := codeModelUnused
	if !strings.Contains(line, "=") {
		code = codeModelSyntax // on which Casbin fails
	}
	const what = "the line is no definition of its own, and not part of the one before: "
	switch {
	case before.ended > 0:
		f.report(at, code, "put the comment or blank line before the definition",
			what+"line %d ends it though line %d ends in a backslash", before.ended, before.number)
	case strings.HasSuffix(uncommented(before.text), `\`):
		f.report(at, code, "leave out what follows the backslash", what+"the backslash of line %d is not its last character", before.number)
	default:
		f.report(at, code, `end the line before in \, or write "key = value" if this is a definition`,
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
