package lsp

import (
	"strings"
	"unicode"
)

// field is one field of a policy line, possibly malformed.
type field struct {
	text string
	// start and end are its byte offsets in the line. They include the quotes of a quoted
	// field, and the trailing spaces of an unquoted one, which are part of its value.
	start, end int
	quoted     bool
}

// splitFields splits a policy line like the loader does, but without giving up on errors:
// an unclosed quote extends to the end of the line. Comments and empty lines have no
// fields.
func splitFields(line string) []field {
	rest := strings.TrimRightFunc(line, unicode.IsSpace)
	at := len(rest) - len(strings.TrimLeftFunc(rest, unicode.IsSpace))
	if at == len(rest) || rest[at] == '#' {
		return nil
	}
	fields := make([]field, 0, strings.Count(rest, ",")+1)
	for {
		at += len(rest[at:]) - len(strings.TrimLeftFunc(rest[at:], unicode.IsSpace))
		f := field{start: at}
		if strings.HasPrefix(rest[at:], `"`) {
			f.quoted = true
			f.text, f.end = quotedField(rest, at)
		} else {
			f.end = len(rest)
			if comma := strings.IndexByte(rest[at:], ','); comma >= 0 {
				f.end = at + comma
			}
			f.text = rest[at:f.end]
		}
		fields = append(fields, f)
		if f.end >= len(rest) {
			return fields
		}
		at = f.end + 1
	}
}

// quotedField parses the quoted field that begins at at.
func quotedField(line string, at int) (text string, end int) {
	var b strings.Builder
	for i := at + 1; i < len(line); i++ {
		if line[i] != '"' {
			b.WriteByte(line[i])
			continue
		}
		if i+1 < len(line) && line[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		end = len(line) // includes any text that wrongly follows the quote
		if comma := strings.IndexByte(line[i:], ','); comma >= 0 {
			end = i + comma
		}
		return b.String(), end
	}
	return b.String(), len(line)
}
