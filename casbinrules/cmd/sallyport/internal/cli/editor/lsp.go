package editor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/lsp"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
)

func newLSP() *cobra.Command {
	var (
		s      policyfile.Source
		routes string
	)
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Check and complete policy files in an editor",
		Long: `lsp is a language server, which editors start and speak to on stdin and stdout in
the Language Server Protocol 3.17. It knows model files (model.conf), policy files
(.csv) and policy tests (.tests), and says about them what lint and test do, while
they are typed. The page docs/editors.md has the settings for editors.

A file belongs to the policy that a sallyport.yaml in its folder, or above it in
the workspace, names. Without one that is policy.csv with the model.conf beside it,
and for other .csv files all of the folder. Flags go before that, and what
the editor sends as initializationOptions, with the same names, before flags.`,
		Args: command.NoArguments("editors start it"),
	}
	s.PolicyFlags(cmd)
	cmd.Flags().StringVar(&routes, "routes", "", "JSON `file` with the routes of the application")
	cmd.Flags().Bool("stdio", true, "speak on stdin and stdout, which is all there is")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := command.UntilSignal(cmd.Context())
		defer stop()
		if _, err := s.LoadOptions(); err != nil {
			return err
		}
		err := lsp.Serve(ctx, cmd.InOrStdin(), command.Underlying(cmd.OutOrStdout()), lsp.Settings{Model: s.Model, Policy: s.Policies, Routes: routes, Options: s.Options}, lsp.Config{
			Version: command.Version(), Find: findProject, Test: testForEditor, Explain: explainForEditor,
		})
		if err != nil {
			command.Say(cmd.ErrOrStderr(), "sallyport: %s\n", command.Plain(err.Error()))
			return command.ErrFindings // the protocol requires exit code 1
		}
		return nil
	}
	return cmd
}

// projectFinder finds the policy that a file belongs to.
type projectFinder struct {
	lsp.Lookup
	policyfile.Source
	// skipped says which configuration or routes could not be read; "" if there are none.
	skipped string
}

func findProject(l lsp.Lookup) (lsp.Project, error) {
	f := projectFinder{Lookup: l, Source: policyfile.Source{Model: l.Model, Options: l.Options}}
	f.Attribute = nil
	for _, a := range l.Attribute {
		if err := f.AddAttribute(a); err != nil {
			return lsp.Project{}, err
		}
	}
	p, err := f.find()
	if err == nil {
		err = f.readRoutes(&p)
	}
	p.Skipped = f.skipped
	return p, err
}

func (f *projectFinder) find() (lsp.Project, error) {
	if len(f.Policy) > 0 {
		p, err := f.configured()
		if err != nil || f.Kind == lsp.KindTests || belongs(p, f.File) {
			return p, err
		}
	}
	if p, found, err := f.fromConfiguration(); found || err != nil {
		return p, err
	}
	return f.beside()
}

// absolute returns a path of the settings, which is relative to the first folder of
// the workspace.
func (f *projectFinder) absolute(path string) string {
	if !filepath.IsAbs(path) && len(f.Dirs) > 0 {
		return filepath.Join(f.Dirs[0], path)
	}
	if made, err := filepath.Abs(path); err == nil {
		return made
	}
	return path
}

// configured returns the policy of the settings.
func (f *projectFinder) configured() (lsp.Project, error) {
	var p lsp.Project
	for _, name := range f.Policy {
		p.Policies = append(p.Policies, f.absolute(name))
	}
	dir := p.Policies[0]
	if info, err := fs.Stat(f.FS, dir); err != nil || !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	return f.withModel(p, dir)
}

// withModel adds the model: that of the settings, or model.conf in a folder.
func (f *projectFinder) withModel(p lsp.Project, dir string) (lsp.Project, error) {
	var err error
	if p.Options, err = f.LoadOptions(); err != nil {
		return p, err
	}
	p.Read = f.Source.Options
	name := filepath.Join(dir, policyfile.ModelName)
	switch preset := starter.Presets[f.Model]; {
	case preset != nil:
		p.Model = preset()
		return p, nil
	case f.Model != "":
		name = f.absolute(f.Model)
	}
	if !f.exists(name) {
		p.Why = fmt.Sprintf("there is no %s: say in the settings which model file the policy is for, or one of %s", name, policyfile.PresetNames)
		return p, nil
	}
	p.Model = casbinrules.ModelFile(name)
	return p, nil
}

// fromConfiguration returns the policy of a sallyport.yaml, if the file belongs to
// it. A configuration that cannot be read has no policy, and is reported.
func (f *projectFinder) fromConfiguration() (p lsp.Project, found bool, err error) {
	for dir := filepath.Dir(f.File); ; dir = filepath.Dir(dir) {
		name := filepath.Join(dir, policyfile.ConfigName)
		text, err := fs.ReadFile(f.FS, name)
		if err == nil {
			var c policyfile.Source
			if err = c.Take(name, text); err == nil {
				made := projectFinder{Lookup: f.Lookup, Source: c}
				find := made.beside // a copy of what a store holds
				if made.Policy = c.Policies; len(c.Policies) > 0 {
					find = made.configured
				}
				if p, err = find(); err != nil || f.Kind == lsp.KindTests || belongs(p, f.File) {
					return p, true, err
				}
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, setup.ErrNoPolicy) {
			f.skipped = fmt.Sprintf("%s is not used: %s", name, command.Plain(err.Error()))
		}
		if !f.inWorkspace(filepath.Dir(dir)) || filepath.Dir(dir) == dir {
			return lsp.Project{}, false, nil
		}
	}
}

func (f *projectFinder) inWorkspace(dir string) bool {
	return slices.ContainsFunc(f.Dirs, func(root string) bool {
		return dir == root || strings.HasPrefix(dir, strings.TrimSuffix(root, string(filepath.Separator))+string(filepath.Separator))
	})
}

// beside returns the policy in the directory of the file.
func (f *projectFinder) beside() (lsp.Project, error) {
	dir := filepath.Dir(f.File)
	policy := filepath.Join(dir, policyfile.PolicyName)
	var p lsp.Project
	switch {
	case f.Kind == lsp.KindPolicy && f.exists(policy):
		p.Policies = []string{f.File}
	case f.Kind == lsp.KindPolicy && filepath.Ext(f.File) != ".csv":
		p.Policies = []string{f.File}
	case f.exists(policy):
		p.Policies = []string{policy}
	case f.hasPolicies(dir):
		p.Policies = []string{dir}
	}
	if f.Kind != lsp.KindModel {
		return f.withModel(p, dir)
	}
	if filepath.Base(f.File) != policyfile.ModelName {
		p.Policies = nil // nothing tells that it is for these
	}
	f.Model = f.File
	return f.withModel(p, dir)
}

// belongs reports whether a file is a project's model or one of its policies.
func belongs(p lsp.Project, file string) bool {
	return filepath.Clean(p.Model.Name()) == file || slices.ContainsFunc(p.Policies, func(name string) bool {
		name = filepath.Clean(name)
		return name == file || filepath.Dir(file) == name && filepath.Ext(file) == ".csv"
	})
}

func (f *projectFinder) exists(name string) bool {
	_, err := fs.Stat(f.FS, name)
	return err == nil
}

func (f *projectFinder) hasPolicies(dir string) bool {
	entries, err := fs.ReadDir(f.FS, dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return filepath.Ext(e.Name()) == ".csv" })
}

// readRoutes adds the routes of the settings, with which the policy is compared, or
// those of a routes.json beside the policy, which are only proposed.
func (f *projectFinder) readRoutes(p *lsp.Project) error {
	if f.Routes != "" {
		var err error
		p.CompareRoutes = true
		p.Routes, err = policyfile.ReadRoutesIn(f.FS, f.absolute(f.Routes))
		return err
	}
	var unread error
	for _, dir := range []string{filepath.Dir(f.File), filepath.Dir(filepath.Dir(f.File))} {
		routes, err := policyfile.ReadRoutesIn(f.FS, filepath.Join(dir, "routes.json"))
		if err == nil {
			p.Routes = routes
			return nil
		}
		if f.inWorkspace(dir) && !errors.Is(err, fs.ErrNotExist) {
			unread = err
		}
	}
	if unread != nil && f.skipped == "" {
		f.skipped = "no routes are proposed: " + command.Plain(unread.Error())
	}
	return nil
}

// testForEditor runs the tests in a text. Without a policy it only parses them.
func testForEditor(ctx context.Context, p lsp.Project, a *casbinrules.Authorizer, name, text string) ([]lsp.TestResult, error) {
	tests, err := policytest.Parse(name, text)
	var found []lsp.TestResult
	unreadable, _ := policyfile.SyntaxErrors(err)
	for _, f := range unreadable {
		found = append(found, lsp.TestResult{Line: f.Line, Column: f.Column, Code: f.Code, Text: f.Message})
	}
	if a == nil {
		return found, nil
	}
	s := policyfile.Source{Options: p.Read}
	results, err := s.RunTests(ctx, &ask.Policy{Authorizer: a}, tests, false)
	if err != nil {
		return found, err
	}
	for _, r := range results {
		made := lsp.TestResult{Line: r.Test.Line, Column: 1}
		switch {
		case r.Err != nil:
			made.Code, made.Text = "test_error", command.OneLine(r.Err)
		case !r.Passed():
			made.Code, made.Text = "test_failed", r.Why.String()
		case len(r.Warnings) > 0:
			made.Code, made.Warning, made.Text = "test_unknown_name", true, strings.Join(r.Warnings, "; ")
		}
		found = append(found, made)
	}
	return found, nil
}

// explainForEditor explains the result of the test on a line.
func explainForEditor(ctx context.Context, p lsp.Project, a *casbinrules.Authorizer, line string) (string, error) {
	tests, err := policytest.Parse("", line)
	if err != nil || len(tests) != 1 {
		return "", err
	}
	s := policyfile.Source{Options: p.Read}
	policy := &ask.Policy{Authorizer: a}
	r := policytest.Runner{Canonical: s.Canonical}.Read(tests[0], ask.NewNames(policy))
	if r.Err != nil {
		return "", r.Err
	}
	e, err := ask.Explain(ctx, policy, r.Asked)
	return e.String(), err
}
