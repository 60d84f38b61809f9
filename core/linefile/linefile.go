// Package linefile reads files that hold one entry a line, as password files,
// key files and revocation lists do, and collects what is wrong with them. It is
// for authors of schemes and verifiers that read such a file.
package linefile

import (
	"errors"
	"fmt"
	"strings"
)

// MaxFindings is how many findings one file may have before the rest of it is
// not read: a file of another kind does not become an error of its size.
const MaxFindings = 100

// Reader reads one file. It is for one goroutine.
type Reader struct {
	name     string
	findings []error
}

// New reads a file of which findings speak as name.
func New(name string) *Reader { return &Reader{name: name} }

// Report adds a finding, "name:line: message". A message repeats nothing that may
// be a secret: a line that makes no sense may be anything, even a password.
func (r *Reader) Report(line int, format string, args ...any) {
	r.findings = append(r.findings, fmt.Errorf("%s:%d: %w", r.name, line, fmt.Errorf(format, args...)))
}

// Err is all findings, joined with [errors.Join], or nil.
func (r *Reader) Err() error { return errors.Join(r.findings...) }

// Each calls entry with the lines of text and their numbers, counted from 1,
// without line breaks of LF or CRLF. Left out are blank lines and those whose
// first character after spaces and tabs is "#". A byte order mark is a finding
// of its own, since tools that edit a line would keep it in front of another.
// After [MaxFindings] the rest is not read.
func (r *Reader) Each(text string, entry func(n int, line string)) {
	rest, marked := strings.CutPrefix(text, "\uFEFF")
	if marked {
		r.Report(1, "begins with a byte order mark: save the file as UTF-8 without one")
	}
	n := 0
	for line := range strings.Lines(rest) {
		n++
		if len(r.findings) >= MaxFindings {
			r.Report(n, "not read: there are %d findings before it", len(r.findings))
			return
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if blank := strings.TrimLeft(line, " \t"); blank != "" && blank[0] != '#' {
			entry(n, line)
		}
	}
}
