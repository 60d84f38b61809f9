package probing

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/probe"
)

// Baseline is a list of known findings.
type Baseline []Known

// Known identifies a finding in a baseline.
type Known struct {
	Code   string `json:"code"`
	Method string `json:"method"`
	Path   string `json:"path"`
	As     string `json:"as"`
}

// ReadBaseline reads a file written by [Result.Baseline].
func ReadBaseline(file string) (Baseline, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read baseline: %w; write one with --write-baseline", err)
	}
	var b struct {
		Findings Baseline `json:"findings"`
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("read baseline: %s: %w", file, err)
	}
	return b.Findings, nil
}

// Has reports whether a finding is in the baseline.
func (b Baseline) Has(f probe.Finding) bool {
	return slices.Contains(b, Known{f.Code, f.Method, f.Path, f.As})
}

// Baseline returns a file in which all findings of the result are known. It is sorted, so
// that changes to it can be reviewed.
func (r Result) Baseline() ([]byte, error) {
	b := Baseline{}
	for _, f := range r.Findings {
		b = append(b, Known{f.Code, f.Method, f.Path, f.As})
	}
	key := func(k Known) string { return k.Path + " " + k.Method + " " + k.As + " " + k.Code }
	slices.SortFunc(b, func(x, y Known) int { return strings.Compare(key(x), key(y)) })
	text, err := json.MarshalIndent(map[string]any{"findings": b}, "", "  ")
	return append(text, '\n'), err
}
