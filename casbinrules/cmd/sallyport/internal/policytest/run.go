package policytest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core"
)

// Result is the result of a test.
type Result struct {
	Test    Test
	Allowed bool
	// Err says why the answer does not count, or is nil.
	Err error
	// Why explains an answer other than the expected one.
	Why *casbinrules.Explanation
	// Asked is the question of the test as a gate would ask it.
	Asked ask.Question
	// Hints say how the words were interpreted. Warnings are about words that make the test
	// prove nothing.
	Hints, Warnings []string
}

// Passed reports whether the answer counts and is the expected one.
func (r Result) Passed() bool { return r.Err == nil && r.Allowed == r.Test.Allow }

// Runner runs tests.
type Runner struct {
	// Canonical returns a question as a gate would ask it, with a note about what changed;
	// the error is for a question that no gate would ask.
	Canonical func(ask.Question) (ask.Question, string, error)
	// Lenient lets a test that expects a denial pass even if a name in it is probably
	// misspelt.
	Lenient bool
}

// Run runs the tests against a policy. The error is for a decision that could not be
// explained.
func (run Runner) Run(ctx context.Context, a *ask.Policy, tests []Test) ([]Result, error) {
	results := make([]Result, len(tests))
	names := ask.NewNames(a)
	for i, t := range tests {
		r := run.Read(t, names)
		if r.Err == nil {
			var d core.Decision
			d, r.Err = ask.DecideReadable(ctx, a, r.Asked)
			r.Allowed = d.Allowed
		}
		if r.Err == nil {
			r.Err = r.check(ctx, a, names, run.Lenient)
		}
		if !r.Passed() && r.Err == nil {
			e, err := ask.Explain(ctx, a, r.Asked)
			if err != nil {
				return nil, fmt.Errorf("%s: explain: %w", t.Place(), err)
			}
			r.Why = &e
		}
		results[i] = r
	}
	return results, nil
}

// Read determines the question of a test without asking it.
func (run Runner) Read(t Test, names *ask.Names) Result {
	r := Result{Test: t}
	oriented, hint, err := names.Orient(t.Question)
	if err != nil {
		r.Err = err
		return r
	}
	r.Test.Question = oriented
	asked, note, err := run.Canonical(oriented)
	if err != nil {
		r.Err = err
		return r
	}
	r.Asked = asked
	for _, h := range []string{hint, note} {
		if h != "" {
			r.Hints = append(r.Hints, h)
		}
	}
	return r
}

// check returns an error for a test whose answer does not depend on the names it uses.
func (r *Result) check(ctx context.Context, a *ask.Policy, names *ask.Names, lenient bool) error {
	wrong := names.Misfits(r.Asked, r.Test.NoTenant)
	if !r.Test.Allow {
		problems := names.Unknown(r.Asked, r.Test.Stranger)
		if !r.Allowed && !r.Test.Stranger && len(r.Asked.Roles) == 0 && r.Asked.Subject != ask.Anonymous {
			of := r.Asked
			of.Roles = []string{of.Subject}
			d, err := ask.Decide(ctx, a, of)
			if err != nil {
				return err
			}
			if d.Allowed {
				problems = append(problems, ask.Problem{Slip: true, Text: fmt.Sprintf(
					"%[1]q is the name of a role that may, and a user by that name is refused whatever the role may: name somebody who has the role, as in sam[%[2]s], or write %[2]s[] for a user of that name", of.Subject, quote(of.Subject, ",[]"))})
			}
		}
		for _, p := range problems {
			if p.Slip && !lenient {
				wrong = append(wrong, p.Text)
			} else {
				r.Warnings = append(r.Warnings, p.Text)
			}
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}
