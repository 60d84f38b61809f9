package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
)

func newTest() *cobra.Command {
	var (
		s      source
		format string
	)
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Run the tests kept beside a policy",
		Long: `test runs tests of a policy, one a line:

    allow erin[editor] PATCH /reports/7   # editors change reports
    deny  victor       PATCH /reports/7   # viewers do not

Each begins with what is expected, and goes on with the user and, in brackets,
the roles that its credentials bring; then action and object. Where the model has
tenants, "in TENANT" follows the user. The user anonymous is a request without
credentials. A word with blanks in it is quoted. An action with a lower-case
letter is one that the application names itself, and no request method.

Without -p the policy is the policy.csv beside the first file. Failures are
printed with the explanation of the decision; the exit code is then 1.`,
		Example: "  sallyport test policy.tests",
		Args:    arguments(cobra.MinimumNArgs(1)),
	}
	s.flags(cmd)
	formatFlag(cmd, &format, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		tests, err := readTests(args)
		if err != nil {
			return err
		}
		a, err := s.open(filepath.Dir(args[0]))
		if err != nil {
			return err
		}
		results, err := runTests(cmd.Context(), a, tests)
		if err != nil {
			return err
		}
		if format == "json" {
			err = writeJSON(cmd.OutOrStdout(), summary(results))
		} else {
			err = writeResults(cmd.OutOrStdout(), results)
		}
		if err == nil && failures(results) > 0 {
			return errFindings
		}
		return err
	}
	return cmd
}

func readTests(files []string) ([]policytest.Test, error) {
	var tests []policytest.Test
	var errs []error
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read tests: %w", err)
		}
		read, err := policytest.Parse(file, string(text))
		errs = append(errs, err)
		tests = append(tests, read...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("tests that cannot be read, none was run:\n%w", err)
	}
	if len(tests) == 0 {
		return nil, fmt.Errorf("there is no test in %s: write one such as \"allow erin GET /reports\"", strings.Join(files, ", "))
	}
	return tests, nil
}

// result is what came of a test. why is set for failures only.
type result struct {
	test    policytest.Test
	allowed bool
	err     error
	why     *casbinrules.Explanation
}

func (r result) passed() bool { return r.err == nil && r.allowed == r.test.Allow }

func runTests(ctx context.Context, a *casbinrules.Authorizer, tests []policytest.Test) ([]result, error) {
	results := make([]result, len(tests))
	for i, t := range tests {
		d, err := ask.Decide(ctx, a, t.Question)
		results[i] = result{test: t, allowed: d.Allowed, err: err}
		if err != nil || d.Allowed == t.Allow {
			continue
		}
		e, err := ask.Explain(ctx, a, t.Question)
		if err != nil {
			return nil, fmt.Errorf("%s: explain: %w", t.Place(), err)
		}
		results[i].why = &e
	}
	return results, nil
}

func failures(results []result) int {
	n := 0
	for _, r := range results {
		if !r.passed() {
			n++
		}
	}
	return n
}

func writeResults(w io.Writer, results []result) error {
	paint := paletteFor(w)
	var b strings.Builder
	for _, r := range results {
		if r.passed() {
			continue
		}
		fmt.Fprintf(&b, "%s: %s: %s\n", plain(r.test.Place()), paint.red("FAIL"), plain(r.test.String()))
		if r.err != nil {
			fmt.Fprintf(&b, "  error: %s\n", oneLine(r.err))
		} else {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(r.why.String(), "\n", "\n  "))
		}
	}
	failed := failures(results)
	passed := fmt.Sprintf("%d passed", len(results)-failed)
	lost := fmt.Sprintf("%d failed", failed)
	if failed > 0 {
		lost = paint.red(lost)
	} else {
		passed = paint.green(passed)
	}
	fmt.Fprintf(&b, "%s, %s\n", passed, lost)
	_, err := io.WriteString(w, b.String())
	return err
}

// jsonTests is what --format json writes.
type jsonTests struct {
	Passed int        `json:"passed"`
	Failed int        `json:"failed"`
	Tests  []jsonTest `json:"tests"`
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
	Explain  *casbinrules.Explanation `json:"explanation,omitempty"`
}

func summary(results []result) jsonTests {
	s := jsonTests{Failed: failures(results), Tests: make([]jsonTest, len(results))}
	s.Passed = len(results) - s.Failed
	for i, r := range results {
		t := jsonTest{File: r.test.File, Line: r.test.Line, Test: r.test.String(), Expected: verdict(r.test.Allow),
			Got: verdict(r.allowed), Passed: r.passed(), Why: r.test.Why, Explain: r.why}
		if r.err != nil {
			t.Got, t.Error = "error", oneLine(r.err)
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
