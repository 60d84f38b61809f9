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
	Tool       Tool     `json:"tool"`
	ColumnKind string   `json:"columnKind"`
	Results    []Result `json:"results"`
}

// Tool is the tool that ran (§3.18).
type Tool struct {
	Driver Driver `json:"driver"`
}

// Driver describes the tool itself, without extensions (§3.19).
type Driver struct {
	Name           string `json:"name"`
	InformationURI string `json:"informationUri"`
	Rules          []Rule `json:"rules"`
}

// Rule describes a code of findings (§3.49).
type Rule struct {
	ID string `json:"id"`
}

// Result is one finding (§3.27).
type Result struct {
	RuleID    string     `json:"ruleId"`
	RuleIndex int        `json:"ruleIndex"`
	Level     string     `json:"level"`
	Message   Message    `json:"message"`
	Locations []Location `json:"locations"`
}

// Message is a text for people (§3.11).
type Message struct {
	Text string `json:"text"`
}

// Location is a place in a file (§3.28).
type Location struct {
	Physical PhysicalLocation `json:"physicalLocation"`
}

// PhysicalLocation is a file with a region in it (§3.29).
type PhysicalLocation struct {
	Artifact ArtifactLocation `json:"artifactLocation"`
	Region   Region           `json:"region"`
}

// ArtifactLocation is a file, by a URI relative to where the tool ran, or an
// absolute one (§3.4).
type ArtifactLocation struct {
	URI string `json:"uri"`
}

// Region is a position in a file; line and column count from 1 (§3.30).
type Region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
}

// New returns a log of findings. column returns the column of a finding in characters, the
// unit of SARIF.
func New(findings []casbinrules.Finding, column func(casbinrules.Finding) int) Log {
	run := Run{
		Tool: Tool{Driver{
			Name:           "sallyport",
			InformationURI: "https://github.com/sallyport-go/sallyport",
			Rules:          []Rule{},
		}},
		ColumnKind: "unicodeCodePoints",
		Results:    []Result{},
	}
	for _, f := range findings {
		index := slices.Index(run.Tool.Driver.Rules, Rule{f.Code})
		if index < 0 {
			index = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, Rule{f.Code})
		}
		text := f.Message
		if f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
		run.Results = append(run.Results, Result{
			RuleID: f.Code, RuleIndex: index, Level: f.Severity.String(),
			Message: Message{text},
			Locations: []Location{{PhysicalLocation{
				ArtifactLocation{uri(f.File)},
				Region{max(f.Line, 1), max(column(f), 1)},
			}}},
		})
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
