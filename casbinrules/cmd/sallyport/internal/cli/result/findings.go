// Package result shows what linting, testing and comparing policies have found: as text
// in colours, for JSON, and as findings at lines of the policy.
package result

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
)

// WriteFindings writes findings of lint, a line each.
func WriteFindings(w io.Writer, findings []casbinrules.Finding) {
	paint := command.PaletteFor(w)
	for _, f := range findings {
		severity := f.Severity.String()
		painted := severity
		switch f.Severity {
		case casbinrules.SeverityError:
			painted = paint.Red(severity)
		case casbinrules.SeverityWarning:
			painted = paint.Yellow(severity)
		}
		command.Say(w, "%s\n", strings.Replace(f.String(), ": "+severity+": "+f.Code+": ", ": "+painted+": "+f.Code+": ", 1))
	}
}

// Severities counts findings by severity.
func Severities(findings []casbinrules.Finding) map[casbinrules.Severity]int {
	counts := map[casbinrules.Severity]int{}
	for _, f := range findings {
		counts[f.Severity]++
	}
	return counts
}

// Finding is a finding for output as JSON.
type Finding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// Findings returns findings for output as JSON.
func Findings(findings []casbinrules.Finding) []Finding {
	list := make([]Finding, len(findings))
	for i, f := range findings {
		list[i] = Finding{f.File, f.Line, f.Column, f.Severity.String(), f.Code, f.Message, f.Hint}
	}
	return list
}

// Columns counts columns in characters, and caches the lines of each file.
type Columns map[string][]string

// Characters returns the column of f in characters, or in bytes if the file can no
// longer be read.
func (c Columns) Characters(f casbinrules.Finding) int {
	lines, ok := c[f.File]
	if !ok {
		if text, err := os.ReadFile(f.File); err == nil {
			lines = strings.Split(string(text), "\n")
		}
		c[f.File] = lines
	}
	if f.Line < 1 || f.Line > len(lines) || f.Column < 1 || f.Column > len(lines[f.Line-1]) {
		return f.Column
	}
	return utf8.RuneCountInString(lines[f.Line-1][:f.Column-1]) + 1
}

// ChangeFinding returns a finding about access that somebody gains or loses.
func ChangeFinding(gains bool, text string, at casbinrules.RuleText) casbinrules.Finding {
	code := "access-lost"
	if gains {
		code = "access-gained"
	}
	return casbinrules.Finding{Severity: casbinrules.SeverityWarning, Code: code, Message: text, File: at.File, Line: at.Line, Column: 1}
}

// Lines are the lines of a policy by place.
type Lines map[string]casbinrules.RuleText

// LinesByPlace returns the lines of a policy.
func LinesByPlace(a *ask.Policy) Lines {
	lines := Lines{}
	for _, rule := range a.Rules() {
		lines[rule.Place()] = rule.RuleText
	}
	return lines
}

// At returns the line with a place. A line of the old policy is not among them, and
// neither is one that a log names: the beginning of the file first stands for it.
func (l Lines) At(place string, old bool, first string) casbinrules.RuleText {
	if line, ok := l[place]; ok && !old {
		return line
	}
	return casbinrules.RuleText{File: first, Line: 1}
}
