package policyfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
)

// ReadTests reads files of tests.
func ReadTests(files []string) ([]policytest.Test, error) { return TestsIn(os.ReadFile, files) }

// TestsIn is [ReadTests] with another way to read a file.
func TestsIn(readFile func(name string) ([]byte, error), files []string) ([]policytest.Test, error) {
	var tests []policytest.Test
	var errs []error
	for _, file := range files {
		text, err := readFile(file)
		if err != nil {
			return nil, fmt.Errorf("read tests: %w%s", err, command.IfMissing(err, "sallyport init writes some"))
		}
		read, err := policytest.Parse(file, string(text))
		errs = append(errs, err)
		tests = append(tests, read...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("tests that cannot be read, none was run:\n%w", err)
	}
	if len(tests) == 0 {
		return nil, fmt.Errorf("there is no test in %s: write one such as \"allow erin /reports GET\"", strings.Join(files, ", "))
	}
	return tests, nil
}

// RunTests runs tests of a policy; with lenient, misspelt names are warnings.
func (s *Source) RunTests(ctx context.Context, a *ask.Policy, tests []policytest.Test, lenient bool) ([]policytest.Result, error) {
	return policytest.Runner{Canonical: s.Canonical, Lenient: lenient}.Run(ctx, a, tests)
}

// TestsBeside returns the *.tests files in the directories of policies, each once.
func TestsBeside(policies []string) ([]string, error) {
	var folders, files []string
	for _, p := range policies {
		folder := filepath.Clean(FolderOf(p))
		if slices.Contains(folders, folder) {
			continue
		}
		folders = append(folders, folder)
		inside, err := FilesIn(folder, ".tests")
		if err != nil {
			return nil, fmt.Errorf("look for tests: %w", err)
		}
		files = append(files, inside...)
	}
	return files, nil
}

// SyntaxErrors returns the syntax errors in tests as findings.
func SyntaxErrors(err error) ([]casbinrules.Finding, bool) {
	var all []casbinrules.Finding
	for _, e := range policytest.Errors(err) {
		all = append(all, casbinrules.Finding{
			File: e.File, Line: e.Line, Column: e.Column, Severity: casbinrules.SeverityError, Code: TestSyntax, Message: e.Message,
		})
	}
	return all, len(all) > 0
}

// TestSyntax is the code of a test with a syntax error.
const TestSyntax = "test_syntax"
