package result

import (
	"fmt"
	"io"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
)

// WriteWarnings writes hints and warnings about tests.
func WriteWarnings(stderr io.Writer, results []policytest.Result) {
	for _, r := range results {
		for _, h := range r.Hints {
			command.Say(stderr, "%s: hint: %s\n", command.Plain(r.Test.Place()), command.Plain(h))
		}
		for _, w := range r.Warnings {
			command.Say(stderr, "%s: warning: %s\n", command.Plain(r.Test.Place()), command.Plain(w))
		}
	}
}

// Failures returns how many tests have failed.
func Failures(results []policytest.Result) int {
	n := 0
	for _, r := range results {
		if !r.Passed() {
			n++
		}
	}
	return n
}

// WriteTests writes the tests that have failed, and how many have not.
func WriteTests(w io.Writer, results []policytest.Result) {
	paint := command.PaletteFor(w)
	for _, r := range results {
		if r.Passed() {
			continue
		}
		command.Say(w, "%s: %s: %s\n", command.Plain(r.Test.Place()), paint.Red("FAIL"), command.Plain(r.Test.String()))
		if r.Err != nil {
			command.Say(w, "  error: %s\n", command.OneLine(r.Err))
		} else {
			command.Say(w, "  %s\n", strings.ReplaceAll(r.Why.String(), "\n", "\n  "))
		}
	}
	failed := Failures(results)
	passed := fmt.Sprintf("%d passed", len(results)-failed)
	lost := fmt.Sprintf("%d failed", failed)
	if failed > 0 {
		lost = paint.Red(lost)
	} else {
		passed = paint.Green(passed)
	}
	command.Say(w, "%s, %s\n", passed, lost)
}

// WriteCoverage writes the lines that no test covers, and how many percent are.
func WriteCoverage(w io.Writer, c *policytest.Coverage, least float64) {
	paint := command.PaletteFor(w)
	for _, r := range c.NotCovered {
		command.Say(w, "%s: %s\n", paint.Yellow("not covered"), command.Plain(r.String()))
	}
	command.Say(w, "coverage: %d of %d lines, %.1f%%", c.Covered, c.Lines, c.Percent)
	if c.Percent < least {
		command.Say(w, "%s", paint.Red(fmt.Sprintf(", less than %v%%", least)))
	}
	command.Say(w, "\n")
}

// Tests are the results of tests for output as JSON.
type Tests struct {
	Passed int        `json:"passed"`
	Failed int        `json:"failed"`
	Tests  []jsonTest `json:"tests"`
	// Coverage is set with --cover.
	Coverage *policytest.Coverage `json:"coverage,omitempty"`
}

type jsonTest struct {
	File     string                   `json:"file"`
	Line     int                      `json:"line"`
	Test     string                   `json:"test"`
	Expected string                   `json:"expected"`
	Got      string                   `json:"got"`
	Passed   bool                     `json:"passed"`
	Why      string                   `json:"why,omitempty"`
	Error    string                   `json:"error,omitempty"`
	Warnings []string                 `json:"warnings,omitempty"`
	Explain  *casbinrules.Explanation `json:"explanation,omitempty"`
}

// Summarize returns results for output as JSON, with what they cover unless that is nil.
func Summarize(results []policytest.Result, covered *policytest.Coverage) Tests {
	s := Tests{Coverage: covered, Failed: Failures(results), Tests: make([]jsonTest, len(results))}
	s.Passed = len(results) - s.Failed
	for i, r := range results {
		t := jsonTest{File: r.Test.File, Line: r.Test.Line, Test: r.Test.String(), Expected: verdict(r.Test.Allow),
			Got: verdict(r.Allowed), Passed: r.Passed(), Why: r.Test.Why, Explain: r.Why, Warnings: r.Warnings}
		if r.Err != nil {
			t.Got, t.Error = "error", command.OneLine(r.Err)
		}
		s.Tests[i] = t
	}
	return s
}

func verdict(allowed bool) string {
	if allowed {
		return "allow"
	}
	return "deny"
}
