package policy

import (
	"bytes"
	"slices"
	"sync"
)

// source is what rules were read from. Where a field stands in it is only
// looked for when there is something to say about the field. It is safe for
// concurrent use.
type source struct {
	text []byte
	rows [][]string // in place of the text
	// before is how many line feeds stand in front of each block of the text, which
	// takes a tenth of the time that looking for each of them would.
	before []int32
	once   sync.Once
}

const blockSize = 512

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
		count := 0
		s.before = make([]int32, 0, len(s.text)/blockSize+1)
		for block := range slices.Chunk(s.text, blockSize) {
			s.before = append(s.before, int32(count))
			count += bytes.Count(block, []byte{'\n'})
		}
	})
	at, left := 0, n-1 // line feeds in front of the line
	if i, _ := slices.BinarySearch(s.before, int32(left)); i > 0 {
		at, left = (i-1)*blockSize, left-int(s.before[i-1])
	}
	for range left {
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
