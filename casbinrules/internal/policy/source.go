package policy

import (
	"bytes"
	"strings"
	"sync"
)

// source is a file or the rows that rules were read from. The column of a field is
// computed only for a finding about the field. It is safe for concurrent use.
type source struct {
	text   []byte
	rows   [][]string // instead of the text
	starts []int      // of every lineStep-th line, once needed
	once   sync.Once
}

// lineStep bounds what a reload allocates for the column of one finding: with the starts of
// all lines these are 8 MB in a policy of 200,000 lines.
const lineStep = 64

// column returns the column of a field of a line, the first of which is the kind.
func (s *source) column(line, number int) int {
	if s.rows != nil {
		return rowFields(nil, s.rows[line-1])[number].column
	}
	raw := s.line(line)
	var room [8]field
	fields, _ := SplitLine(room[:0], strings.TrimSpace(raw), spaces(raw), nil) // it was parsed successfully before
	return fields[number].column
}

// line returns a line, counted from 1.
func (s *source) line(n int) string {
	s.once.Do(func() {
		at, count := 0, 0
		for line := range bytes.Lines(s.text) {
			if count%lineStep == 0 {
				s.starts = append(s.starts, at)
			}
			at, count = at+len(line), count+1
		}
	})
	line, left, _ := bytes.Cut(s.text[s.starts[(n-1)/lineStep]:], []byte{'\n'})
	for range (n - 1) % lineStep {
		line, left, _ = bytes.Cut(left, []byte{'\n'})
	}
	return string(line)
}

// Column returns the column of a field of a rule; the kind is field 0.
func (r *reader) Column(of Rule, field int) int {
	return r.sources[of.Source()].column(int(of.Line), field)
}
