// Package sarif writes findings as SARIF 2.1.0, which code hosts show beside the lines that
// the findings are about.
package sarif

import (
	"net/url"
	"path/filepath"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
)

const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// Log is a SARIF log with one run (SARIF 2.1.0 §3.13).
type Log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []Run  `json:"runs"`
}

// Run is what one tool found (§3.14).
type Run struct {
	Tool struct { // §3.18
		Driver struct { // §3.19
			Name           string `json:"name"`
			InformationURI string `json:"informationUri"`
			Rules          []Rule `json:"rules"`
		} `json:"driver"`
	} `json:"tool"`
	ColumnKind string   `json:"columnKind"`
	Results    []Result `json:"results"`
}

// Rule is a code of findings (§3.49).
type Rule struct {
	ID string `json:"id"`
}

// Result is one finding (§3.27).
type Result struct {
	RuleID    string   `json:"ruleId"`
	RuleIndex int      `json:"ruleIndex"`
	Level     string   `json:"level"`
	Message   struct { // §3.11
		Text string `json:"text"`
	} `json:"message"`
	Locations []Location `json:"locations"`
}

// Location is a place in a file (§3.28).
type Location struct {
	Physical struct { // §3.29
		Artifact struct { // §3.4
			URI string `json:"uri"` // relative to where the tool ran, or absolute
		} `json:"artifactLocation"`
		Region struct { // §3.30; both count from 1
			StartLine   int `json:"startLine"`
			StartColumn int `json:"startColumn"`
		} `json:"region"`
	} `json:"physicalLocation"`
}

// New returns a log of findings. column returns the column of a finding in characters, the
// unit of SARIF.
func New(findings []casbinrules.Finding, column func(casbinrules.Finding) int) Log {
	run := Run{ColumnKind: "unicodeCodePoints", Results: []Result{}}
	tool := &run.Tool.Driver
	tool.Name, tool.InformationURI, tool.Rules = "sallyport", "https://github.com/sallyport-go/sallyport", []Rule{}
	for _, f := range findings {
		index := slices.Index(tool.Rules, Rule{f.Code})
		if index < 0 {
			index = len(tool.Rules)
			tool.Rules = append(tool.Rules, Rule{f.Code})
		}
		var at Location
		at.Physical.Artifact.URI = uri(f.File)
		at.Physical.Region.StartLine, at.Physical.Region.StartColumn = max(f.Line, 1), max(column(f), 1)
		r := Result{RuleID: f.Code, RuleIndex: index, Level: f.Severity.String(), Locations: []Location{at}}
		r.Message.Text = f.Message
		if f.Hint != "" {
			r.Message.Text += " (" + f.Hint + ")"
		}
		run.Results = append(run.Results, r)
	}
	return Log{Schema: schema, Version: "2.1.0", Runs: []Run{run}}
}

// uri converts a path to a URI reference (§3.4.3).
func uri(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
		return u.String()
	}
	return u.EscapedPath()
}
