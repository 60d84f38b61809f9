package review

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/git"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/junit"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sarif"
)

// review is the result of ci. Checks that were not run are nil, and named in NotRun.
type review struct {
	Passed   bool     `json:"passed"`
	Problems []string `json:"problems"` // reasons for exit code 1
	Policies []string `json:"policies"`
	// Base is the commit with which the effect was compared.
	Base     *namedCommit     `json:"base,omitempty"`
	Findings []result.Finding `json:"findings"`
	Tests    *result.Tests    `json:"tests,omitempty"`
	Effect   *effect.Report   `json:"effect,omitempty"`
	NotRun   []notRun         `json:"not_run,omitempty"`

	findings []casbinrules.Finding
	policy   *ask.Policy         // nil if it was refused
	results  []policytest.Result // nil if no test was run
	covered  *policytest.Coverage
	level    string
	least    float64
	failOn   string
}

type notRun struct {
	Check string `json:"check"`
	Why   string `json:"why"`
	// Problem reports that the check was requested, so that this is not a pass.
	Problem bool `json:"problem,omitempty"`
}

func (r *review) skip(check, why string) {
	r.NotRun = append(r.NotRun, notRun{Check: check, Why: command.Plain(why)})
}

// lack adds a check that was requested but could not be run.
func (r *review) lack(check, why, problem string) {
	r.skip(check, why)
	r.NotRun[len(r.NotRun)-1].Problem = true
	r.Problems = append(r.Problems, problem)
}

// problem adds a problem of which there are n, if n is not 0.
func (r *review) problem(n int, what string) {
	switch first, rest, _ := strings.Cut(what, " "); {
	case n == 0:
	case n > 1 && (first == "error" || first == "change"):
		r.Problems = append(r.Problems, strings.TrimSpace(fmt.Sprintf("%d %ss %s", n, first, rest)))
	default:
		r.Problems = append(r.Problems, command.Quantity(n, what))
	}
}

func (r *review) write(w io.Writer, format string) error {
	switch format {
	case "markdown":
		command.Say(w, "%s", r.comment())
	case "json":
		r.Passed, r.Findings = len(r.Problems) == 0, result.Findings(r.findings)
		if r.results != nil {
			tests := result.Summarize(r.results, r.covered)
			r.Tests = &tests
		}
		return command.WriteJSON(w, r)
	case "sarif":
		return command.WriteJSON(w, sarif.New(inRepository(r.allFindings(), result.Columns{}.Characters)))
	case "junit":
		return junit.Write(w, r.suites()...)
	default:
		r.writeText(w)
	}
	return nil
}

// inRepository returns findings with paths relative to the top of the git
// repository, where tools that read SARIF look for files, and column for them.
func inRepository(findings []casbinrules.Finding, column func(casbinrules.Finding) int) ([]casbinrules.Finding, func(casbinrules.Finding) int) {
	repo, err := git.Open(".")
	if err != nil {
		return findings, column
	}
	findings = slices.Clone(findings)
	here := map[string]string{} // paths from here, by paths from the top
	for i, f := range findings {
		if filepath.IsAbs(f.File) || f.File == "" {
			continue
		}
		if name, err := repo.Name(f.File); err == nil {
			here[name], findings[i].File = f.File, name
		}
	}
	return findings, func(f casbinrules.Finding) int {
		f.File = cmp.Or(here[f.File], f.File)
		return column(f)
	}
}

func (r *review) writeText(w io.Writer) {
	result.WriteFindings(w, r.findings)
	if r.results != nil {
		result.WriteWarnings(w, r.results)
		result.WriteTests(w, r.results)
		result.WriteCoverage(w, r.covered, r.least)
	}
	if r.Effect != nil {
		command.Say(w, "since %s (%.12s):\n", command.Plain(r.Base.Revision), r.Base.Commit)
		result.WriteChanges(w, r.Effect)
	}
	paint := command.PaletteFor(w)
	for _, n := range r.NotRun {
		command.Say(w, "%s: %s\n", paint.Yellow("not run: "+n.Check), n.Why)
	}
	if len(r.Problems) == 0 {
		command.Say(w, "%s\n", paint.Green("no problems"))
	} else {
		command.Say(w, "%s\n", paint.Red("problems: "+strings.Join(r.Problems, ", ")))
	}
}

// allFindings returns those of lint, and the rest of the report as findings: failed
// tests, changes in effect, and lines that no test covers.
func (r *review) allFindings() []casbinrules.Finding {
	all := r.findings
	for _, t := range r.results {
		if !t.Passed() {
			all = append(all, casbinrules.Finding{
				File: t.Test.File, Line: t.Test.Line, Column: 1, Severity: casbinrules.SeverityError, Code: "failed-test",
				Message: t.Test.String() + ": " + failure(t),
			})
		}
	}
	if r.Effect != nil {
		lines := result.LinesByPlace(r.policy)
		for _, c := range r.Effect.Changes {
			all = append(all, result.ChangeFinding(c.Gains, result.ChangeText(c), lines.At(c.Rule, c.Old, r.Policies[0])))
		}
		for _, rule := range r.Effect.NotCompared {
			f := casbinrules.Finding{Severity: casbinrules.SeverityWarning, Code: "not-compared", File: rule.File, Line: rule.Line, Column: 1, Message: "what this line changes is not known: " + rule.Text}
			if rule.Old {
				f.File, f.Line = r.Policies[0], 1
			}
			all = append(all, f)
		}
	}
	if r.covered != nil {
		for _, rule := range r.covered.NotCovered {
			all = append(all, casbinrules.Finding{File: rule.File, Line: rule.Line, Column: 1, Severity: casbinrules.SeverityNote, Code: "uncovered-rule", Message: "no test depends on " + rule.Text})
		}
	}
	return all
}

// suites returns the checks that were run as JUnit suites.
func (r *review) suites() []junit.Suite {
	lint := junit.Suite{Name: "sallyport lint"}
	for _, f := range r.findings {
		c := junit.Case{Name: f.Code + " at " + fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column), Class: "lint." + f.Code}
		if f.Severity == casbinrules.SeverityNote || f.Severity == casbinrules.SeverityWarning && r.level == "error" {
			c.Skipped = f.Severity.String() + ": " + f.Message
		} else {
			c.Failure = &junit.Failure{Message: f.Message, Type: f.Severity.String(), Text: f.String() + "\n"}
		}
		lint.Cases = append(lint.Cases, c)
	}
	if len(lint.Cases) == 0 {
		lint.Cases = append(lint.Cases, junit.Case{Name: "no findings", Class: "lint"})
	}
	suites := []junit.Suite{lint}
	if r.results != nil {
		suites = append(suites, r.testSuite())
	}
	if r.Effect != nil {
		suites = append(suites, r.effectSuite())
	}
	for _, n := range r.NotRun {
		c := junit.Case{Name: n.Check, Class: n.Check, Skipped: "not run: " + n.Why}
		if n.Problem {
			c.Skipped, c.Failure = "", &junit.Failure{Message: "not run: " + n.Why, Type: "not run"}
		}
		suites = append(suites, junit.Suite{Name: "sallyport " + n.Check, Cases: []junit.Case{c}})
	}
	return suites
}

func (r *review) effectSuite() junit.Suite {
	diff := junit.Suite{Name: "sallyport diff"}
	for _, c := range r.Effect.Changes {
		one := junit.Case{Name: result.ChangeText(c), Class: "diff"}
		if result.FailsOn(r.failOn, c.Gains, 1) {
			one.Failure = &junit.Failure{Message: result.ChangeText(c), Type: "effect"}
		}
		diff.Cases = append(diff.Cases, one)
	}
	for _, rule := range r.Effect.NotCompared {
		one := junit.Case{Name: "not compared: " + rule.String(), Class: "diff"}
		if why := strings.Join(r.Effect.Gaps, "; "); r.unknownIsProblem() {
			one.Failure = &junit.Failure{Message: why, Type: "not compared"}
		} else {
			one.Skipped = "not compared: " + why
		}
		diff.Cases = append(diff.Cases, one)
	}
	if len(diff.Cases) == 0 {
		diff.Cases = []junit.Case{{Name: "no change in effect", Class: "diff"}}
	}
	return diff
}

// unknownIsProblem reports whether rules that were not compared are a problem: if
// effects were to be refused, or if nothing was compared at all.
func (r *review) unknownIsProblem() bool {
	return !r.Effect.Complete() && (r.failOn != "none" || r.Effect.Asked == 0)
}

func (r *review) testSuite() junit.Suite {
	suite := junit.Suite{Name: "sallyport test"}
	for _, t := range r.results {
		c := junit.Case{Name: t.Test.Place() + ": " + t.Test.String(), Class: "test." + t.Test.File}
		if !t.Passed() {
			c.Failure = &junit.Failure{Message: failure(t), Type: "failed test"}
			if t.Why != nil {
				c.Failure.Text = t.Why.String() + "\n"
			}
		}
		suite.Cases = append(suite.Cases, c)
	}
	coverage := junit.Case{Name: fmt.Sprintf("coverage of %d lines", r.covered.Lines), Class: "coverage"}
	if r.covered.Percent < r.least {
		coverage.Failure = &junit.Failure{Message: fmt.Sprintf("%.1f%%, less than %v%%", r.covered.Percent, r.least), Type: "coverage"}
	}
	suite.Cases = append(suite.Cases, coverage)
	return suite
}

// failure says in one line why a test failed.
func failure(r policytest.Result) string {
	if r.Err != nil {
		return "error: " + command.OneLine(r.Err)
	}
	first, _, _ := strings.Cut(r.Why.String(), "\n")
	return first
}
