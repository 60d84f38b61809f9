package policy

import "strings"

// field is one field of a policy line.
type field struct {
	Text   string
	column int // of its first byte, which is the quote if quoted
	quoted bool
}

// columnOf returns the column of a byte of the text.
func (f field) columnOf(at int) int {
	if !f.quoted {
		return f.column + at
	}
	return f.column + 1 + at + strings.Count(f.Text[:at], `"`) // which are doubled in the line
}

// lineError says why a line could not be split into fields.
type lineError struct {
	column        int
	Message, hint string
}

// SplitLine splits a trimmed policy line into fields as Casbin does: they are
// separated by commas, spaces before a field are dropped and those after it kept,
// and quotes are as in RFC 4180 §2. offset is the number of bytes before line in
// the file's line. The fields are appended to fields, and texts that are not parts of
// line to room, unless it is nil.
func SplitLine(fields []field, line string, offset int, room *strings.Builder) ([]field, *lineError) {
	for at := 0; ; {
		at += spaces(line[at:])
		f := field{column: offset + at + 1}
		var problem *lineError
		var next int
		if f.quoted = strings.HasPrefix(line[at:], `"`); f.quoted {
			f.Text, next, problem = quotedField(line, at, offset, room)
		} else {
			f.Text, next, problem = plainField(line, at, offset)
		}
		if problem != nil {
			return fields, problem
		}
		fields = append(fields, f)
		if next == len(line) {
			return fields, nil
		}
		at = next + 1
	}
}

// plainField parses an unquoted field; next is the index of its comma, or the end
// of the line.
func plainField(line string, at, offset int) (text string, next int, problem *lineError) {
	next = len(line)
	if comma := strings.IndexByte(line[at:], ','); comma >= 0 {
		next = at + comma
	}
	text = line[at:next]
	if quote := strings.IndexByte(text, '"'); quote >= 0 {
		return "", 0, &lineError{offset + at + quote + 1, `an unquoted field contains a quote`,
			`quote the whole field and double the quote inside: "a""b"`}
	}
	return text, next, nil
}

func quotedField(line string, at, offset int, room *strings.Builder) (text string, next int, problem *lineError) {
	for i := at + 1; i < len(line); i++ {
		switch {
		case line[i] != '"':
		case i+1 < len(line) && line[i+1] == '"':
			i++
		case i+1 == len(line) || line[i+1] == ',':
			// Within the field, quotes occur only in pairs.
			return unquoted(line[at+1:i], room), i + 1, nil
		default:
			return "", 0, &lineError{offset + i + 2, "text follows the closing quote of a field",
				`put a comma right after the quote, or double a quote inside the field: "a""b"`}
		}
	}
	return "", 0, &lineError{offset + at + 1, "a quoted field is not closed", "end it with a quote on the same line"}
}

var quotes = strings.NewReplacer(`""`, `"`)

// unquoted returns a text with one quote for each pair. Many share memory, of up to 64 KB.
func unquoted(text string, room *strings.Builder) string {
	if !strings.Contains(text, `""`) {
		return text
	}
	if room == nil {
		return quotes.Replace(text)
	}
	if room.Cap()-room.Len() < len(text) {
		size := max(len(text), min(2*room.Cap(), 1<<16))
		room.Reset() // its content stays in use
		room.Grow(size)
	}
	start := room.Len()
	_, _ = quotes.WriteString(room, text) // a Builder does not fail
	return room.String()[start:]
}
