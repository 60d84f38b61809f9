// Package linefile reads files with one entry per line, such as password files, key
// files and revocation lists, and collects findings about them. It is for authors
// of schemes and verifiers that read such a file.
package linefile

import (
	"errors"
	"fmt"
	"strings"
)

// MaxFindings is the number of findings in a file after which the rest is skipped,
// so that the error for a file of another kind does not grow to the file's size.
const MaxFindings = 100

// Reader reads one file. It is for one goroutine.
type Reader struct {
	name     string
	findings []error
}

// New returns a reader for a file that findings call name.
func New(name string) *Reader { return &Reader{name: name} }

// Report adds a finding, "name:line: message". A message must not quote anything
// that may be a secret: a malformed line may be anything, even a password.
func (r *Reader) Report(line int, format string, args ...any) {
	r.findings = append(r.findings, fmt.Errorf("%s:%d: %w", r.name, line, fmt.Errorf(format, args...)))
}

// Err returns all findings, joined with [errors.Join], or nil.
func (r *Reader) Err() error { return errors.Join(r.findings...) }

// Each calls entry with the lines of text and their numbers, counted from 1,
// without line breaks of LF or CRLF. It skips blank lines and those whose first
// character after spaces, tabs and CR is "#". A byte order mark is a finding of its
// own, since tools that edit a line could leave it in front of another one, and so
// is a comment with a character that [Misleading] finds, such as all of a file whose
// lines end in CR. After [MaxFindings] the rest is skipped.
func (r *Reader) Each(text string, entry func(n int, line string)) {
	rest, marked := strings.CutPrefix(text, "\uFEFF")
	if marked {
		r.Report(1, "begins with a byte order mark: save the file as UTF-8 without one")
	}
	n := 0
	for line := range strings.Lines(rest) {
		n++
		if len(r.findings) >= MaxFindings {
			r.Report(n, "not read: there are already %d findings", len(r.findings))
			return
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		switch blank := strings.TrimLeft(line, " \t\r"); {
		case blank == "":
		case blank[0] != '#':
			entry(n, line)
		default:
			if _, c := Misleading(strings.TrimRight(line, "\r")); c != 0 {
				r.Report(n, "the comment contains the control character %U, and what an editor shows behind it is part of the comment: remove it, or end the line there", c)
			}
		}
	}
}

// Misleading returns the index of the first character of a line that makes editors
// show something other than is read, and that character, or -1 and 0. Behind some of
// them editors show a new line, although only a line feed begins one; others reverse
// the order of the letters behind them (UAX #14 LB4-LB6, UAX #9 §2). What looks like
// an entry may then be part of a comment.
func Misleading(line string) (at int, c rune) {
	for i, c := range line {
		switch {
		case c == '\r', c == '\v', c == '\f', c == '\u0085', c == '\u2028', c == '\u2029',
			'\u202a' <= c && c <= '\u202e', '\u2066' <= c && c <= '\u2069':
			return i, c
		}
	}
	return -1, 0
}
