package stores

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"testing/fstest"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
	shared "github.com/sallyport-go/sallyport/core/source"
)

// candidate is a policy to be published, in files of fsys, or of the operating system if
// fsys is nil.
type candidate struct {
	fsys     fs.FS
	model    casbinrules.Model
	policies []string
	tests    []string
}

// check returns findings that speak against publishing a policy. A policy that
// instances would not load is an error, which cannot be overridden.
func (p *pushing) check(ctx context.Context, cmd *cobra.Command, c candidate, newest *shared.Content) (found []string, err error) {
	p.SetClock()
	opts, err := p.LoadOptions()
	if err != nil {
		return nil, err
	}
	findings, err := c.lint(ask.LintOptions(opts))
	if err != nil {
		return nil, err
	}
	result.WriteFindings(cmd.ErrOrStderr(), findings)
	counts := result.Severities(findings)
	if counts[casbinrules.SeverityError] > 0 {
		command.Say(cmd.ErrOrStderr(), "sallyport: nothing was published: no instance would load the policy\n")
		return nil, command.ErrFindings
	}
	if n := counts[casbinrules.SeverityWarning]; n > 0 && p.lint == "warning" {
		found = append(found, command.Quantity(n, "warning"))
	}
	a, err := p.Loaded(c.open(opts))
	if err != nil {
		return nil, err
	}
	failed, err := p.checkTests(ctx, cmd, a, c)
	if err != nil {
		return nil, err
	}
	if failed > 0 {
		found = append(found, command.Quantity(failed, "failed test"))
	}
	if newest == nil {
		return found, nil
	}
	more, err := p.checkEffect(ctx, cmd, a, newest)
	return append(found, more...), err
}

func (c *candidate) lint(opts []casbinrules.LintOption) ([]casbinrules.Finding, error) {
	if c.fsys == nil {
		return casbinrules.Lint(c.model, c.policies, opts...)
	}
	return casbinrules.LintFS(c.fsys, c.model, c.policies, opts...)
}

func (c *candidate) open(opts []casbinrules.Option) (*casbinrules.Authorizer, error) {
	if c.fsys == nil {
		return casbinrules.Open(c.model, c.policies, opts...)
	}
	return casbinrules.OpenFS(c.fsys, c.model, c.policies, opts...)
}

func (c *candidate) readFile(name string) ([]byte, error) {
	if c.fsys == nil {
		return os.ReadFile(name)
	}
	return fs.ReadFile(c.fsys, name)
}

// checkTests runs the tests of a policy and returns how many fail.
func (p *pushing) checkTests(ctx context.Context, cmd *cobra.Command, a *ask.Policy, c candidate) (failed int, err error) {
	if len(c.tests) == 0 {
		command.Say(cmd.ErrOrStderr(), "sallyport: note: there are no tests; write some into policy.tests beside the policy\n")
		return 0, nil
	}
	tests, err := policyfile.TestsIn(c.readFile, c.tests)
	if err != nil {
		return 0, err
	}
	results, err := p.RunTests(ctx, a, tests, p.allowUnknown)
	if err != nil {
		return 0, err
	}
	result.WriteWarnings(cmd.ErrOrStderr(), results)
	result.WriteTests(cmd.OutOrStdout(), results)
	return result.Failures(results), nil
}

// A policy that had at least shrinkFrom lines and keeps fewer than one in shrinkBy
// of them was more likely truncated by mistake than edited on purpose.
const (
	shrinkFrom = 10
	shrinkBy   = 2
)

func (p *pushing) checkEffect(ctx context.Context, cmd *cobra.Command, a *ask.Policy, newest *shared.Content) (found []string, err error) {
	unknown := func(note string, args ...any) ([]string, error) {
		command.Say(cmd.ErrOrStderr(), "sallyport: note: "+note+"\n", args...)
		if p.effect != "none" {
			found = append(found, "the effect is not known")
		}
		return found, nil
	}
	old, err := p.openContent(newest)
	if err != nil {
		return unknown("revision %d cannot be read as a policy, so nothing is compared: %s", newest.Revision, command.OneLine(err))
	}
	before, after := old.Version(), a.Version()
	had, has := before.Rules+before.RoleLinks, after.Rules+after.RoleLinks
	if had >= shrinkFrom && has*shrinkBy < had {
		found = append(found, fmt.Sprintf("the policy had %d lines and has %d", had, has))
	}
	r, err := effect.Compare(ctx, old, a, effect.Settings{Who: p.Who(ask.Who{}), Types: p.Types(), Limit: p.limit, Clock: p.Clock})
	if result.TooLarge(err) {
		return unknown("the effect is not known: %v", err)
	}
	if err != nil {
		return nil, err
	}
	result.WriteChanges(cmd.OutOrStdout(), r)
	switch {
	case result.FailsOn(p.effect, r.Widens(), len(r.Changes)):
		found = append(found, command.Quantity(len(r.Changes), "change")+" in effect")
	case p.effect != "none" && !r.Complete():
		found = append(found, result.ChangedRules(len(r.NotCompared))+" not compared")
	}
	return found, nil
}

func (p *pushing) openContent(c *shared.Content) (*ask.Policy, error) {
	opts, err := p.LoadOptions()
	if err != nil {
		return nil, err
	}
	of := unpacked(c)
	return p.Loaded(of.open(opts))
}

// unpacked returns the policy of a revision, in memory: a signal to stop would leave files
// behind, with everything that the store keeps secret.
func unpacked(c *shared.Content) candidate {
	files := fstest.MapFS{}
	in := candidate{fsys: files, model: casbinrules.ModelFile(policyfile.ModelName)}
	for _, f := range c.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Content, Mode: 0o444}
		switch path.Ext(f.Name) {
		case ".csv":
			in.policies = append(in.policies, f.Name)
		case ".tests":
			in.tests = append(in.tests, f.Name)
		}
	}
	return in
}
