package policy

import (
	"bytes"
	"sync"
)

// source is what rules were read from. Where a field stands in it is only
// looked for when there is something to say about the field. It is safe for
// concurrent use.
type source struct {
	text []byte
	rows [][]string // in place of the text
	// starts are where every linesApart-th line of the text begins.
	starts []int
	once   sync.Once
}

const linesApart = 16

// column is where a field of a line begins, the first of the line being that
// of its kind.
func (s *source) column(line, number int) int {
	if s.rows != nil {
		return rowFields(nil, s.rows[line-1])[number].column
	}
	text, offset := trimmed(s.line(line))
	var room [8]field
	fields, _ := SplitLine(room[:0], text, offset) // which has gone well before
	return fields[number].column
}

// line is a line of the text, counted from 1, with what else follows its line
// feed.
func (s *source) line(n int) string {
	s.once.Do(func() {
		for at, line := 0, 0; at < len(s.text); line++ {
			if line%linesApart == 0 {
				s.starts = append(s.starts, at)
			}
			at += lengthOfLine(s.text[at:])
		}
	})
	at := s.starts[(n-1)/linesApart]
	for range (n - 1) % linesApart {
		at += lengthOfLine(s.text[at:])
	}
	line, _, _ := bytes.Cut(s.text[at:], []byte{'\n'})
	return string(line)
}

// lengthOfLine is that of the first line of a text, with its line feed.
func lengthOfLine(text []byte) int {
	if n := bytes.IndexByte(text, '\n'); n >= 0 {
		return n + 1
	}
	return len(text)
}

// Column is where a field of a rule begins, the kind being field 0.
func (r *reader) Column(of *Rule, field int) int {
	return r.sources[of.Source].column(int(of.Line), field)
}
