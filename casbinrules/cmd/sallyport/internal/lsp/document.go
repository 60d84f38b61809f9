package lsp

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is what positions of the client count within a line.
type encoding string

// The encodings of LSP 3.17. UTF-16 is the one that every client has.
const (
	utf8Units  encoding = "utf-8"
	utf16Units encoding = "utf-16"
	utf32Units encoding = "utf-32"
)

// Kind is what a document holds.
type Kind int

// The kinds.
const (
	KindOther Kind = iota
	KindModel
	KindPolicy
	KindTests
)

// document is one file as the editor has it, or as it is on disk. It is
// immutable.
type document struct {
	uri, path string
	version   int
	kind      Kind
	text      string
	// starts are where the lines begin, as LSP counts lines: a carriage return
	// ends one, too. feeds are where they begin for Casbin, which knows line
	// feeds only. Without such carriage returns both are one slice.
	starts, feeds []int
	// raw is what the file holds where that is not what the editor shows of it:
	// with a byte order mark, or with bytes that are not UTF-8. It is "" for
	// others.
	raw string
	bom bool // the file begins with a byte order mark that the editor keeps to itself
}

func newDocument(uri, path string, version int, k Kind, text string) *document {
	d := &document{uri: uri, path: path, version: version, kind: k, text: text}
	d.index()
	return d
}

// index finds the lines.
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

// appendStarts appends where lines begin behind the line ends of text, which
// stands at offset.
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

// edited is the document after the changes of the client, which come one after
// the other.
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

// splice puts text in place of what is between two offsets. Only the lines it
// touches are looked at again.
func (d *document) splice(start, end int, text string) {
	first := d.lineAt(start)
	if first > 0 && start == d.starts[first] {
		first-- // whose line end may become part of another one
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
		made = made[:len(made)-1] // it is the first of the rest
	}
	for i := range rest {
		rest[i] += shift
	}
	d.starts = slices.Replace(d.starts, first+1, min(last, len(d.starts)), made...)
}

// lineAt is the line of LSP that an offset is in.
func (d *document) lineAt(offset int) int { return lineOf(d.starts, offset) }

func lineOf(starts []int, offset int) int {
	line, found := slices.BinarySearch(starts, offset)
	if !found {
		line--
	}
	return line
}

// offset is where a position is. One behind the end of a line is that end, one
// behind the last line the end of the text, and one inside a character is its
// beginning.
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

// position is where an offset is, for the client.
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

// unitsOf is how many units of an encoding the character takes that s begins
// with.
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

// rangeOf is the range between two offsets.
func (d *document) rangeOf(start, end int, enc encoding) span {
	return span{d.position(start, enc), d.position(end, enc)}
}

// lines is how many lines there are for Casbin, from 0.
func (d *document) lines() int { return len(d.feeds) }

// line is a line as Casbin counts them from 0, without what ends it.
func (d *document) line(n int) string { return lineText(d.text, d.feeds, n) }

// lineText is a line without what ends it.
func lineText(text string, starts []int, n int) string {
	end := len(text)
	if n+1 < len(starts) {
		end = starts[n+1]
	}
	return strings.TrimRight(text[starts[n]:end], "\r\n")
}

// content is what the file would hold if it were saved, as far as one can know.
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

// withDisk notes what the file holds that the editor does not show.
func (d *document) withDisk(content string) *document {
	made := *d
	made.raw, made.bom = "", false
	shown, bom := strings.CutPrefix(content, byteOrderMark)
	if content != d.text && string([]rune(shown)) == d.text {
		made.raw, made.bom = content, bom
	}
	return &made
}

// findingOffset is where in the text a finding is, whose line and column count
// from 1 in the content.
func (d *document) findingOffset(line, column int) int {
	if line < 1 || line > len(d.feeds) {
		return len(d.text)
	}
	start := d.feeds[line-1]
	own := d.line(line - 1)
	if line == 1 && strings.HasPrefix(own, byteOrderMark) && column > 1 {
		column += len(byteOrderMark) // which the reader of policies leaves out
	}
	if d.raw != "" {
		column = d.shownColumn(line, column)
	}
	return start + min(max(column-1, 0), len(own))
}

// shownColumn is a column of the raw content as the editor shows it: a byte that
// is not UTF-8 is a character of three bytes there.
func (d *document) shownColumn(line, column int) int {
	lines := strings.SplitN(strings.TrimPrefix(d.raw, byteOrderMark), "\n", line+1)
	if line > len(lines) {
		return column
	}
	own := lines[line-1]
	return len(string([]rune(own[:min(max(column-1, 0), len(own))]))) + 1
}
