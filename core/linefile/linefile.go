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
// character after spaces and tabs is "#". A byte order mark is a finding of its
// own, since tools that edit a line could leave it in front of another one. After
// [MaxFindings] the rest is skipped.
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
		if blank := strings.TrimLeft(line, " \t"); blank != "" && blank[0] != '#' {
			entry(n, line)
		}
	}
}
