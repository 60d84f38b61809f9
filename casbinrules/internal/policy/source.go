package policy

import (
	"bytes"
	"slices"
	"sync"
)

// source is a file or the rows that rules were read from. The column of a field is
// computed only for a finding about the field. It is safe for concurrent use.
type source struct {
	text []byte
	rows [][]string // instead of the text
	// before is the number of line feeds before each block of the text. Counting
	// them takes a tenth of the time of finding each.
	before []int32
	once   sync.Once
}

const blockSize = 512

// column returns the column of a field of a line, the first of which is the kind.
func (s *source) column(line, number int) int {
	if s.rows != nil {
		return rowFields(nil, s.rows[line-1])[number].column
	}
	text, offset := trimmed(s.line(line))
	var room [8]field
	fields, _ := SplitLine(room[:0], text, offset) // it was parsed successfully before
	return fields[number].column
}

// line returns the text from the beginning of a line, counted from 1, including
// what follows its line feed.
func (s *source) line(n int) string {
	s.once.Do(func() {
		count := 0
		s.before = make([]int32, 0, len(s.text)/blockSize+1)
		for block := range slices.Chunk(s.text, blockSize) {
			s.before = append(s.before, int32(count))
			count += bytes.Count(block, []byte{'\n'})
		}
	})
	at, left := 0, n-1 // line feeds before the line
	if i, _ := slices.BinarySearch(s.before, int32(left)); i > 0 {
		at, left = (i-1)*blockSize, left-int(s.before[i-1])
	}
	for range left {
		at += lengthOfLine(s.text[at:])
	}
	line, _, _ := bytes.Cut(s.text[at:], []byte{'\n'})
	return string(line)
}

// lengthOfLine returns the length of the first line of a text, with its line feed.
func lengthOfLine(text []byte) int {
	if n := bytes.IndexByte(text, '\n'); n >= 0 {
		return n + 1
	}
	return len(text)
}

// Column returns the column of a field of a rule; the kind is field 0.
func (r *reader) Column(of *Rule, field int) int {
	return r.sources[of.Source].column(int(of.Line), field)
}
