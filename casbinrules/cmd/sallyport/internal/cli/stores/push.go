package stores

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/git"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	shared "github.com/sallyport-go/sallyport/core/source"
)

// pushing is what push and rollback share.
type pushing struct {
	policyfile.Source
	from                        storeFlags
	tests, files                []string
	author, commit, message     string
	lint, effect                string
	limit                       int
	base, atLeast               int64
	dryRun, force, allowUnknown bool
}

func (p *pushing) flags(cmd *cobra.Command) {
	p.from.add(cmd)
	p.from.addSigning(cmd)
	f := cmd.Flags()
	f.StringVar(&p.author, "author", "", "`who` publishes (default git's user.name and user.email, or $USER)")
	f.StringVarP(&p.message, "message", "M", "", "`why`")
	f.BoolVar(&p.force, "force", false, "publish in spite of warnings, failed tests and effects; they are recorded")
	f.BoolVar(&p.dryRun, "dry-run", false, "check, and publish nothing")
	f.BoolVar(&p.allowUnknown, "allow-unknown", false, "warn of misspelt names in tests only")
	f.IntVar(&p.limit, "limit", 10_000_000, "how many requests are asked at most")
	f.Int64Var(&p.atLeast, "at-least", 0, "least `revision` to become, after a backup was restored")
	command.ChoiceFlag(cmd, &p.lint, "lint", "least `severity` that refuses: ", "warning", "error")
	command.ChoiceFlag(cmd, &p.effect, "fail-on", "what `effect` refuses: ", "none", "widen", "change")
}

func newPush() *cobra.Command {
	p := &pushing{base: -1}
	cmd := &cobra.Command{
		Use:   "push",
		Short: "Publish a policy to all instances that share a store",
		Long: `push publishes model, policy and tests to a store, from which all instances take
them. Before anything is written

  - the policy is linted, as by "sallyport lint",
  - the tests beside it, *.tests, or those given with --tests, are run,
  - what it changes is compared with the newest revision, as by "sallyport diff".

What is found refuses it, with exit code 1. --force publishes all the same and
records in the history what was found; what instances would refuse to load cannot
be forced.

The store takes it only if nobody else has published since the revision that was
edited. That is the one which "pull" or "push" left in the folder of the policy,
in ` + localName + `, or --base. If the newest revision holds the very same files, as after a
push whose answer was lost, there is nothing to publish.

A store "file:PATH" is a bundle in one file, signed with the --key, which any web
server can hand out to instances.

In the store the model is called model.conf, and each file by the last part of its
name. Files that are neither model, policy nor tests stay as they are there; --file
adds or replaces one.`,
		Example: "  sallyport push --store postgres://publisher@db.example/app?sslmode=verify-full -M \"editors may archive\"",
		Args:    command.NoArguments("name the policy with -p"),
	}
	p.Source.Flags(cmd)
	p.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&p.tests, "tests", nil, "`file` of tests; may be repeated (default *.tests beside the policy)")
	f.StringArrayVar(&p.files, "file", nil, "other `file` to publish, such as one of users; may be repeated")
	f.Int64Var(&p.base, "base", -1, "`revision` that was edited (default what pull or push left)")
	f.StringVar(&p.commit, "commit", "", "`commit` of the files (default that of git)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return p.from.use(cmd, func(ctx context.Context, s shared.Store) error { return p.push(ctx, cmd, s) })
	}
	return cmd
}

// push publishes the files of a folder.
func (p *pushing) push(ctx context.Context, cmd *cobra.Command, s shared.Store) error {
	m, policies, err := p.Find("")
	if err != nil {
		return err
	}
	if err := p.CheckAttributes(m); err != nil {
		return err
	}
	if _, keys := policyfile.SplitManifests(policies); keys != nil {
		return command.Usagef("push publishes policy files: write the policy of %s into a .csv file", policyfile.PlainPath(policies[0]))
	}
	dir := policyfile.FolderOf(policies[0])
	newest, err := newestOf(ctx, s)
	if err != nil {
		return err
	}
	base, err := p.baseOf(dir, newest)
	conflict, conflicts := errors.AsType[*shared.ConflictError](err)
	if err != nil && !conflicts {
		return err
	}
	if len(p.tests) == 0 {
		if p.tests, err = policyfile.TestsBeside(policies); err != nil {
			return err
		}
	}
	files, err := p.collect(m, policies, newest)
	if err != nil {
		return err
	}
	if conflicts {
		if shared.HashFiles(files) != newest.Hash() {
			return conflict
		}
		if !p.dryRun { // the answer to an earlier push was lost
			p.keepCopy(cmd, dir, newest.Revision, files)
		}
		command.Say(cmd.OutOrStdout(), "nothing to publish: revision %d holds these files\n", newest.Revision)
		return nil
	}
	found, err := p.check(ctx, cmd, candidate{model: m, policies: policies, tests: p.tests}, newest)
	if err != nil {
		return err
	}
	// What was checked was read again, and perhaps in another state.
	now, err := p.collect(m, policies, newest)
	if err != nil {
		return err
	}
	if shared.HashFiles(now) != shared.HashFiles(files) {
		return errors.New("the files were changed while they were checked: nothing was published, so try again")
	}
	found = append(found, removed(newest, files)...)
	if p.commit == "" {
		p.commit = git.CommitOf(dir)
	}
	publication := shared.Publication{Base: base, Files: files, Note: shared.Note{Commit: p.commit}}
	return p.publish(ctx, cmd, s, publication, found, dir)
}

// newestOf returns the newest content of a store, nil if it is empty.
func newestOf(ctx context.Context, s shared.Store) (*shared.Content, error) {
	got, err := s.Fetch(ctx, shared.State{})
	if errors.Is(err, shared.ErrEmpty) {
		return nil, nil
	}
	return got.Content, err
}

// baseOf returns the revision that was edited.
func (p *pushing) baseOf(dir string, newest *shared.Content) (shared.Revision, error) {
	at := shared.Revision(0)
	if newest != nil {
		at = newest.Revision
	}
	base := at
	switch local, err := readLocalCopy(dir, p.from.set); {
	case err != nil:
		return 0, err
	case p.base >= 0:
		base = shared.Revision(p.base)
	case local != nil:
		base = local.Revision
	case newest != nil:
		return 0, fmt.Errorf("the store is at revision %d, and nothing says which one was edited here: run \"sallyport pull\" into a folder and edit there, or give --base %d if that is the one", at, at)
	}
	if base > at {
		return 0, fmt.Errorf("this was made from revision %d, and the store is at revision %d: it is another store, or was restored, and nothing was published; give --base %d if these files are to follow there", base, at, at)
	}
	if base != at {
		return 0, &shared.ConflictError{Base: base, Newest: at}
	}
	return base, nil
}

// collect reads what is to be published. Files other than model, policies and tests
// stay as they are in the newest revision.
func (p *pushing) collect(m casbinrules.Model, policies []string, newest *shared.Content) ([]shared.File, error) {
	model := []byte(m.Text())
	if m.Text() == "" {
		var err error
		if model, err = os.ReadFile(m.Name()); err != nil {
			return nil, err
		}
	}
	files := []shared.File{{Name: policyfile.ModelName, Content: model}}
	var paths []string
	for _, path := range policies {
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			paths = append(paths, path)
			continue
		}
		inside, err := policyfile.FilesIn(path, ".csv")
		if err != nil {
			return nil, err
		}
		paths = append(paths, inside...)
	}
	for _, path := range slices.Concat(paths, p.tests, p.files) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, shared.File{Name: filepath.Base(path), Content: text})
	}
	if newest != nil {
		for _, f := range newest.Files {
			named := slices.ContainsFunc(files, func(g shared.File) bool { return g.Name == f.Name })
			if !named && !policyfile.IsPolicyFile(f.Name) {
				files = append(files, f)
			}
		}
	}
	_, err := shared.NewContent(1, files)
	return files, err
}

// removed returns findings about policy files of the newest revision that would be
// removed: their rules, such as denials, may be meant to stay.
func removed(newest *shared.Content, files []shared.File) []string {
	if newest == nil {
		return nil
	}
	var found []string
	for _, f := range newest.Files {
		if policyfile.IsPolicyFile(f.Name) && !slices.ContainsFunc(files, func(g shared.File) bool { return g.Name == f.Name }) {
			found = append(found, fmt.Sprintf("the file %s would be removed from the store: name it with -p as well", command.Plain(f.Name)))
		}
	}
	return found
}

// publish publishes what was checked, unless there are findings.
func (p *pushing) publish(ctx context.Context, cmd *cobra.Command, s shared.Store, publication shared.Publication, found []string, dir string) error {
	if len(found) > 0 && !p.force {
		command.Say(cmd.ErrOrStderr(), "sallyport: nothing was published: %s (--force publishes all the same, and records it)\n", strings.Join(found, "; "))
		return command.ErrFindings
	}
	if p.dryRun {
		command.Say(cmd.OutOrStdout(), "nothing was published: --dry-run\n")
		return nil
	}
	if err := command.OutputError(cmd); err != nil {
		return err // what it changes could not be shown
	}
	publication.Author, publication.Message = cmp.Or(p.author, git.Author()), p.message
	publication.Forced = strings.Join(found, "; ")
	publication.AtLeast = shared.Revision(max(p.atLeast, 0))
	e, err := s.Publish(ctx, publication)
	if err != nil {
		return err
	}
	if dir != "" {
		p.keepCopy(cmd, dir, e.Revision, publication.Files)
	}
	command.Say(cmd.OutOrStdout(), "published revision %d by %s\n", e.Revision, command.Plain(e.Author))
	return nil
}

// keepCopy notes in a folder that a revision, which was published, was made from its files.
func (p *pushing) keepCopy(cmd *cobra.Command, dir string, r shared.Revision, files []shared.File) {
	c, err := shared.NewContent(r, files)
	if err == nil {
		err = newLocalCopy(p.from.set, c).write(dir)
	}
	if err != nil {
		command.Say(cmd.ErrOrStderr(), "sallyport: published, but %v: give --base %d next time\n", err, r)
	}
}
