package probing

import (
	"fmt"
	"io"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/printable"
	"github.com/sallyport-go/sallyport/core/probe"
)

// Result is what a run found, ready to be written.
type Result struct {
	Target   string      `json:"target"`
	Direct   string      `json:"direct,omitempty"`
	Requests int         `json:"requests"`
	Findings []Finding   `json:"findings"`
	Table    []probe.Row `json:"table"`
	Notes    []string    `json:"notes"`
	table    probe.Table
}

// Finding is a finding with a command that shows it.
type Finding struct {
	probe.Finding
	Curl string `json:"curl"`
	// Known reports that the baseline contains the finding.
	Known bool `json:"known,omitempty"`
}

// NewResult returns the result of a report on target.
func NewResult(target, direct string, r *probe.Report, s probe.Settings, known Baseline) Result {
	result := Result{Target: target, Direct: direct, Requests: len(r.Exchanges), Findings: []Finding{}, Notes: r.Notes, table: r.Table()}
	result.table.Expect(&s)
	result.Table = result.table.Rows
	if result.Notes == nil {
		result.Notes = []string{}
	}
	origin := target
	if s.Base != "" {
		origin = strings.TrimSuffix(strings.TrimSuffix(target, "/"), s.Base)
	}
	for _, f := range r.Findings {
		result.Findings = append(result.Findings, Finding{f, f.Curl(origin, s.Identities), known.Has(f)})
	}
	return result
}

// New returns the number of findings that are not in the baseline.
func (r Result) New() int {
	n := 0
	for _, f := range r.Findings {
		if !f.Known {
			n++
		}
	}
	return n
}

// Paint colours a word of the text format according to its kind.
type Paint func(kind, word string) string

// WriteText writes the result for people: the table of statuses, the findings
// with a command each, and what could not be judged.
func (r Result) WriteText(w io.Writer, paint Paint) error {
	var b strings.Builder
	if table := r.table.String(); table != "" {
		for line := range strings.Lines(table) {
			b.WriteString(oneLine(strings.TrimSuffix(line, "\n")) + "\n")
		}
		b.WriteByte('\n')
	}
	for _, f := range r.Findings {
		code := paint("code", f.Code)
		if f.Known {
			code += " (known)"
		}
		fmt.Fprintf(&b, "%s  %s %s as %s\n    got %s, want %s\n    %s\n    %s\n\n", code, f.Method, oneLine(f.Path), oneLine(f.As), oneLine(f.Got), oneLine(f.Want), oneLine(f.Detail), oneLine(f.Curl))
	}
	for _, n := range r.Notes {
		b.WriteString(paint("note", "note") + ": " + oneLine(n) + "\n")
	}
	b.WriteString(r.Summary() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Evaluated reports whether any route gave an answer to evaluate: not only 404, 405,
// 429, or that of an outage.
func (r Result) Evaluated() bool {
	for _, row := range r.Table {
		for _, status := range row.Status {
			switch status {
			case "404", "405", "429", "502", "503", "504":
			default:
				return true
			}
		}
	}
	return false
}

// Summary returns a one-line summary of the result.
func (r Result) Summary() string {
	text := fmt.Sprintf("%s in %d requests to %s", printable.Count(len(r.Findings), "finding"), r.Requests, r.Target)
	if known := len(r.Findings) - r.New(); known > 0 {
		text += fmt.Sprintf(", %d of them in the baseline", known)
	}
	return text
}

// oneLine returns a text from a service, which cannot forge lines of the output.
func oneLine(s string) string { return printable.Text(s, "") }
