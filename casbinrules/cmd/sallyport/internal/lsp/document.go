package lsp

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is the unit in which the client counts positions within a line.
type encoding string

// The encodings of LSP 3.17. Every client supports UTF-16.
const (
	utf8Units  encoding = "utf-8"
	utf16Units encoding = "utf-16"
	utf32Units encoding = "utf-32"
)

// Kind is the kind of content that a document has.
type Kind int

// The kinds.
const (
	KindOther Kind = iota
	KindModel
	KindPolicy
	KindTests
)

// document is a file as the editor has it, or as it is on disk. It is immutable.
type document struct {
	uri, path string
	version   int
	kind      Kind
	text      string
	// starts holds the offsets of the lines as LSP defines them, where a carriage return
	// alone also ends a line. feeds holds those of the lines as Casbin defines them, ended
	// by line feeds only. Without lone carriage returns both share one slice.
	starts, feeds []int
	// raw is the file's content on disk if it differs from what the editor shows, because
	// of a byte order mark or bytes that are not UTF-8. Otherwise it is "".
	raw string
	bom bool // the file begins with a byte order mark, which the editor does not show
}

func newDocument(uri, path string, version int, k Kind, text string) *document {
	d := &document{uri: uri, path: path, version: version, kind: k, text: text}
	d.index()
	return d
}

func (d *document) index() {
	d.starts = appendStarts(make([]int, 1, strings.Count(d.text, "\n")+1), d.text, 0)
	d.indexFeeds()
}

func (d *document) indexFeeds() {
	d.feeds = d.starts
	if n := strings.Count(d.text, "\n"); n != len(d.starts)-1 {
		d.feeds = make([]int, 1, n+1)
		for i := range len(d.text) {
			if d.text[i] == '\n' {
				d.feeds = append(d.feeds, i+1)
			}
		}
	}
}

// appendStarts appends the offset after each line ending in text, which itself begins at
// offset.
func appendStarts(starts []int, text string, offset int) []int {
	for i := 0; ; {
		n := strings.IndexAny(text[i:], "\r\n")
		if n < 0 {
			return starts
		}
		i += n + 1
		if text[i-1] == '\r' && i < len(text) && text[i] == '\n' {
			i++
		}
		starts = append(starts, offset+i)
	}
}

// edited returns the document with the client's changes applied in order.
func (d *document) edited(version int, changes []contentChange, enc encoding) *document {
	made := &document{uri: d.uri, path: d.path, version: version, kind: d.kind, text: d.text, bom: d.bom}
	made.starts = slices.Clone(d.starts)
	for _, c := range changes {
		if c.Range == nil {
			made.text = c.Text
			made.starts = appendStarts(made.starts[:1], made.text, 0)
			continue
		}
		start, end := made.offset(c.Range.Start, enc), made.offset(c.Range.End, enc)
		made.splice(min(start, end), max(start, end), c.Text)
	}
	made.indexFeeds()
	return made
}

// splice replaces the text between two offsets. It re-indexes only the lines that this
// affects.
func (d *document) splice(start, end int, text string) {
	first := d.lineAt(start)
	if first > 0 && start == d.starts[first] {
		first-- // its line ending may merge with an adjacent one
	}
	last := d.lineAt(end) + 1
	shift := len(text) - (end - start)
	d.text = d.text[:start] + text + d.text[end:]
	from, to := d.starts[first], len(d.text)
	if last < len(d.starts) {
		to = d.starts[last] + shift
	}
	made := appendStarts(nil, d.text[from:to], from)
	rest := d.starts[min(last, len(d.starts)):]
	if len(made) > 0 && made[len(made)-1] == to && len(rest) > 0 {
		made = made[:len(made)-1] // it is the first element of the rest
	}
	for i := range rest {
		rest[i] += shift
	}
	d.starts = slices.Replace(d.starts, first+1, min(last, len(d.starts)), made...)
}

// lineAt returns the LSP line that contains offset.
func (d *document) lineAt(offset int) int { return lineOf(d.starts, offset) }

func lineOf(starts []int, offset int) int {
	line, found := slices.BinarySearch(starts, offset)
	if !found {
		line--
	}
	return line
}

// offset converts a position to an offset. A position past the end of a line or of the text
// is that end; one inside a character is the start of the character.
func (d *document) offset(p position, enc encoding) int {
	if p.Line < 0 {
		return 0
	}
	if p.Line >= len(d.starts) {
		return len(d.text)
	}
	line := lineText(d.text, d.starts, p.Line)
	units := max(p.Character, 0)
	for i, c := range line {
		size := unitsOf(c, enc, line[i:])
		if units < size {
			return d.starts[p.Line] + i
		}
		units -= size
	}
	return d.starts[p.Line] + len(line)
}

// position converts an offset to a position for the client.
func (d *document) position(offset int, enc encoding) position {
	offset = min(max(offset, 0), len(d.text))
	at := d.lineAt(offset)
	units := 0
	part := d.text[d.starts[at]:offset]
	for i, c := range part {
		units += unitsOf(c, enc, part[i:])
	}
	return position{at, units}
}

// unitsOf returns the length of the first character of s in units of enc.
func unitsOf(c rune, enc encoding, s string) int {
	switch enc {
	case utf8Units:
		_, n := utf8.DecodeRuneInString(s)
		return n
	case utf32Units:
		return 1
	}
	return max(utf16.RuneLen(c), 1)
}

// rangeOf converts two offsets to a range for the client.
func (d *document) rangeOf(start, end int, enc encoding) span {
	return span{d.position(start, enc), d.position(end, enc)}
}

// lines returns the number of lines as Casbin counts them.
func (d *document) lines() int { return len(d.feeds) }

// line returns line n as Casbin counts lines, from 0, without its line ending.
func (d *document) line(n int) string { return lineText(d.text, d.feeds, n) }

// lineText returns line n without its line ending.
func lineText(text string, starts []int, n int) string {
	end := len(text)
	if n+1 < len(starts) {
		end = starts[n+1]
	}
	return strings.TrimRight(text[starts[n]:end], "\r\n")
}

// content returns the best guess at what saving the document would write.
func (d *document) content() string {
	switch {
	case d.raw != "":
		return d.raw
	case d.bom:
		return byteOrderMark + d.text
	}
	return d.text
}

const byteOrderMark = "\ufeff"

// withDisk records the content on disk that the editor does not show.
func (d *document) withDisk(content string) *document {
	made := *d
	made.raw, made.bom = "", false
	shown, bom := strings.CutPrefix(content, byteOrderMark)
	if content != d.text && string([]rune(shown)) == d.text {
		made.raw, made.bom = content, bom
	}
	return &made
}

// findingOffset converts a finding's line and column, which count from 1 in the content on
// disk, to an offset in the text.
func (d *document) findingOffset(line, column int) int {
	if line < 1 || line > len(d.feeds) {
		return len(d.text)
	}
	start := d.feeds[line-1]
	own := d.line(line - 1)
	if line == 1 && strings.HasPrefix(own, byteOrderMark) && column > 1 {
		column += len(byteOrderMark) // the policy parser strips it
	}
	if d.raw != "" {
		column = d.shownColumn(line, column)
	}
	return start + min(max(column-1, 0), len(own))
}

// shownColumn converts a column of the raw content to one of the text that the editor
// shows, where each invalid byte is U+FFFD, three bytes long.
func (d *document) shownColumn(line, column int) int {
	lines := strings.SplitN(strings.TrimPrefix(d.raw, byteOrderMark), "\n", line+1)
	if line > len(lines) {
		return column
	}
	own := lines[line-1]
	return len(string([]rune(own[:min(max(column-1, 0), len(own))]))) + 1
}
