package policy

import (
	"strings"
	"sync"
)

// source is what rules were read from. Where a field stands in it is only
// looked for when there is something to say about the field. It is safe for
// concurrent use.
type source struct {
	text string
	data []byte     // in place of the text
	rows [][]string // in place of both
	// starts are where the lines of the text begin.
	starts []int
	once   sync.Once
}

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
		if s.data != nil {
			s.text, s.data = string(s.data), nil
		}
		s.starts = append(make([]int, 0, strings.Count(s.text, "\n")+2), 0)
		for end := 0; ; {
			feed := strings.IndexByte(s.text[end:], '\n')
			if feed < 0 {
				break
			}
			end += feed + 1
			s.starts = append(s.starts, end)
		}
		s.starts = append(s.starts, len(s.text)+1)
	})
	return s.text[s.starts[n-1] : s.starts[n]-1]
}

// Column is where a field of a rule begins, the kind being field 0.
func (r *reader) Column(of *Rule, field int) int {
	return r.sources[of.Source].column(int(of.Line), field)
}
