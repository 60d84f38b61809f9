package inspect

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
	"github.com/sallyport-go/sallyport/core/watch"
)

// testRun is one run of the command test or, with --watch, several.
type testRun struct {
	policyfile.Source
	flags                 policyfile.Source // as the command line has it
	args                  []string          // the files that it names
	files                 []string
	format                string
	least                 float64
	lenient, cover, watch bool
}

// settleAll determines the policy and the files of tests.
func (t *testRun) settleAll() error {
	var dir string
	if len(t.args) > 0 {
		dir = filepath.Dir(t.args[0])
	}
	t.Source = t.flags
	if err := t.Settle(dir); err != nil {
		return err
	}
	if t.files = t.args; len(t.files) > 0 {
		return nil
	}
	var err error
	if t.files, err = policyfile.TestsBeside(t.Files()); err == nil && len(t.files) == 0 {
		err = command.Usagef("there is no *.tests beside the policy: name a file of tests")
	}
	return err
}

func (t *testRun) run(ctx context.Context, cmd *cobra.Command) error {
	tests, err := policyfile.ReadTests(t.files)
	if err != nil {
		return err
	}
	a, err := t.Open(filepath.Dir(t.files[0]))
	if err != nil {
		return err
	}
	results, err := t.RunTests(ctx, a, tests, t.lenient)
	if err != nil {
		return err
	}
	result.WriteWarnings(cmd.ErrOrStderr(), results)
	var covered *policytest.Coverage
	if t.cover || t.least > 0 {
		if covered, err = policytest.NewCoverage(ctx, a, results); err != nil {
			return err
		}
	}
	if t.format == "json" {
		err = command.WriteJSON(cmd.OutOrStdout(), result.Summarize(results, covered))
	} else {
		result.WriteTests(cmd.OutOrStdout(), results)
		if covered != nil {
			result.WriteCoverage(cmd.OutOrStdout(), covered, t.least)
		}
	}
	return cmp.Or(err, command.FoundIf(result.Failures(results) > 0 || covered != nil && covered.Percent < t.least))
}

// runAndWatch runs the tests at each change of a file, until ctx ends. The error is
// that of the last run, which was printed.
func (t *testRun) runAndWatch(ctx context.Context, cmd *cobra.Command) error {
	options := []watch.Option{watch.WithSuffixes(".csv"), watch.WithErrorObserver(func(err error) {
		command.Say(cmd.ErrOrStderr(), "sallyport: %s\n", command.OneLine(err))
	})}
	var last error
	for runs := 0; ; {
		paths, err := t.watched()
		if err != nil {
			return err
		}
		read, err := watch.Read(paths, options[0])
		if err != nil {
			return err
		}
		var broken error // why the configuration is of no use
		elsewhere := make(chan *testRun, 1)
		again := func(ctx context.Context, _ watch.Snapshot) error {
			if t.reconfigured() {
				next := *t
				if broken = next.settleAll(); broken == nil {
					_, broken = next.watched()
				}
				if t.Text = next.Text; broken == nil {
					elsewhere <- &next
					return nil
				}
			}
			runs++
			command.Say(cmd.ErrOrStderr(), "run %d at %s\n", runs, time.Now().Format(time.TimeOnly))
			if last = broken; last == nil {
				last = t.run(ctx, cmd)
			}
			if last != nil && !errors.Is(last, command.ErrFindings) {
				last = command.Tell(cmd, last)
			}
			return nil
		}
		if err := again(ctx, read); err != nil {
			return err
		}
		w, err := watch.New(paths, again, append(options, watch.WithCurrentSnapshot(read))...)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(w.Close(), last) // no run is in progress any more
		case next := <-elsewhere:
			if err := w.Close(); err != nil {
				return err
			}
			t = next
		}
	}
}

// reconfigured reports whether the configuration file is no longer what it was.
func (t *testRun) reconfigured() bool {
	if t.Config == "" {
		return false
	}
	text, err := os.ReadFile(t.Config)
	return err == nil && string(text) != t.Text // a file that is missing comes back
}

// watched returns the files and directories that a run reads.
func (t *testRun) watched() ([]string, error) {
	m, policies, err := t.Find(filepath.Dir(t.files[0]))
	if err != nil {
		return nil, err
	}
	paths, _ := policyfile.SplitManifests(policies)
	paths = append(paths, t.files...)
	if t.Config != "" {
		paths = append(paths, t.Config)
	}
	if m.Text() == "" {
		paths = append(paths, m.Name())
	}
	return paths, nil
}
