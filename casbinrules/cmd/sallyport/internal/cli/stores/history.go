package stores

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	shared "github.com/sallyport-go/sallyport/core/source"
)

func newPull() *cobra.Command {
	var (
		from     storeFlags
		revision int64
		force    bool
	)
	cmd := &cobra.Command{
		Use:   "pull [DIR]",
		Short: "Fetch a policy from a store, to edit and push it",
		Long: `pull writes the files of the newest revision into a folder, by default the one
where it is run, and notes there which revision that is, for "push". Files with
changes that are not in the store are not overwritten without --force, nor are
files of a newer revision than the store has without --revision.`,
		Args: command.AtMostOne("a folder"),
	}
	from.add(cmd)
	cmd.Flags().Int64Var(&revision, "revision", 0, "`number` of the revision (default the newest)")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite local changes")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir := command.FolderIn(args)
		if revision < 0 {
			return command.Usagef("--revision %d: must be at least 1, or 0 for the newest", revision)
		}
		return from.use(cmd, func(ctx context.Context, s shared.Store) error {
			c, err := contentAt(ctx, s, shared.Revision(revision))
			if err != nil {
				return err
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			before, err := readLocalCopy(dir, from.set)
			if err != nil {
				return err
			}
			if revision == 0 && before != nil && c.Revision < before.Revision {
				return fmt.Errorf("%w: it shows revision %d as the newest, and %s has revision %d: it was restored, or somebody withholds newer ones; give --revision %d to pull it all the same",
					shared.ErrStepBack, c.Revision, filepath.Clean(dir), before.Revision, c.Revision)
			}
			defer atomicfile.HoldSignals()()
			if err := pull(dir, before, c, force); err != nil {
				return err
			}
			if err := newLocalCopy(from.set, c).write(dir); err != nil {
				return err
			}
			command.Say(cmd.OutOrStdout(), "revision %d, %s\n", c.Revision, command.Quantity(len(c.Files), "file"))
			return nil
		})
	}
	return cmd
}

// contentAt returns the content of a revision, the newest if it is 0.
func contentAt(ctx context.Context, s shared.Store, r shared.Revision) (*shared.Content, error) {
	if r == 0 {
		got, err := s.Fetch(ctx, shared.State{})
		if err == nil && got.Content.Hash() != got.Hash {
			err = fmt.Errorf("revision %d has other files than were published", got.Revision)
		}
		return got.Content, err
	}
	c, _, err := s.At(ctx, r)
	return c, err
}

func newHistory() *cobra.Command {
	var (
		from   storeFlags
		limit  int
		before int64
		format string
	)
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List who has published what, when and why",
		Args:  command.NoArguments("name the store with --store"),
	}
	from.add(cmd)
	command.FormatFlag(cmd, &format, "text", "json")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many revisions are listed at most")
	cmd.Flags().Int64Var(&before, "before", 0, "list those before this `revision`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if limit < 1 {
			return command.Usagef("--limit %d: must be at least 1", limit)
		}
		if before < 0 {
			return command.Usagef("--before %d: must be at least 1, or 0 for the newest", before)
		}
		return from.use(cmd, func(ctx context.Context, s shared.Store) error {
			entries, err := s.History(ctx, shared.Revision(before), limit)
			if err != nil {
				return err
			}
			return command.WriteList(cmd.OutOrStdout(), format, entries, entryText)
		})
	}
	return cmd
}

func entryText(e shared.Entry) string {
	line := fmt.Sprintf("%d  %s  %s", e.Revision, e.Published.UTC().Format(time.RFC3339), e.Author)
	if e.Commit != "" {
		commit, dirty, _ := strings.Cut(e.Commit, "-")
		line += "  " + commit[:min(12, len(commit))]
		if dirty != "" {
			line += "-" + dirty
		}
	}
	if e.Restores != 0 {
		line += fmt.Sprintf("  restores revision %d", e.Restores)
	}
	if e.Message != "" {
		line += "  " + strings.Join(strings.Fields(e.Message), " ")
	}
	if e.Forced != "" {
		line += "  (forced: " + e.Forced + ")"
	}
	return command.LineOf(line)
}

func newShow() *cobra.Command {
	var (
		from storeFlags
		file string
	)
	cmd := &cobra.Command{
		Use:   "show REVISION",
		Short: "Show a revision of a store, or a file of it",
		Args:  command.Exactly(1, "the number of a revision"),
	}
	from.add(cmd)
	cmd.Flags().StringVar(&file, "file", "", "print this `file` as it was")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := revisionArgument(args[0])
		if err != nil {
			return err
		}
		return from.use(cmd, func(ctx context.Context, s shared.Store) error {
			c, e, err := s.At(ctx, r)
			if err != nil {
				return err
			}
			if file != "" {
				text, found := c.File(file)
				if !found {
					return fmt.Errorf("revision %d has no file %s; \"sallyport show %d\" lists those it has", r, file, r)
				}
				command.Say(cmd.OutOrStdout(), "%s", text)
				return nil
			}
			command.Say(cmd.OutOrStdout(), "%s\nhash %s\n", entryText(e), command.Plain(e.Hash))
			for _, f := range c.Files {
				command.Say(cmd.OutOrStdout(), "%8d bytes  %s\n", len(f.Content), command.Plain(f.Name))
			}
			return nil
		})
	}
	return cmd
}

func revisionArgument(text string) (shared.Revision, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, command.Usagef("%q is not the number of a revision: \"sallyport history\" lists them", text)
	}
	return shared.Revision(n), nil
}

func newRollback() *cobra.Command {
	p := new(pushing)
	cmd := &cobra.Command{
		Use:   "rollback REVISION",
		Short: "Publish a revision of the past again",
		Long: `rollback publishes the files of an older revision as the newest one, after the
checks that push makes; the history keeps both. Its tests are those of that
revision.`,
		Args: command.Exactly(1, "the number of a revision"),
	}
	p.ModelFlags(cmd)
	p.ConfigFlag(cmd, "")
	command.BeforeRun(cmd, p.FromConfig)
	_ = cmd.Flags().MarkHidden("model") // it is in the store
	p.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := revisionArgument(args[0])
		if err != nil {
			return err
		}
		return p.from.use(cmd, func(ctx context.Context, s shared.Store) error { return p.rollback(ctx, cmd, s, r) })
	}
	return cmd
}

func (p *pushing) rollback(ctx context.Context, cmd *cobra.Command, s shared.Store, r shared.Revision) error {
	c, e, err := s.At(ctx, r)
	if err != nil {
		return err
	}
	newest, err := newestOf(ctx, s)
	if err != nil {
		return err
	}
	if newest == nil {
		return shared.ErrEmpty
	}
	found, err := p.check(ctx, cmd, unpacked(c), newest)
	if err != nil {
		return err
	}
	publication := shared.Publication{Base: newest.Revision, Files: c.Files, Note: shared.Note{Commit: e.Commit, Restores: r}}
	return p.publish(ctx, cmd, s, publication, found, "")
}

// storeStatus is what --format json writes.
type storeStatus struct {
	Newest *shared.Entry `json:"newest"`
	Local  *localStatus  `json:"local,omitempty"`
}

type localStatus struct {
	Revision shared.Revision `json:"revision"`
	Changed  []string        `json:"changed,omitempty"`
}

func newStatus() *cobra.Command {
	var (
		from   storeFlags
		format string
	)
	cmd := &cobra.Command{
		Use:   "status [DIR]",
		Short: "Show the newest revision, and whether a folder is at it",
		Long: `status shows the newest revision of a store, which revision the files of a folder
were made from, and which of them have changed since. What an instance is at, its
own Status says, and every decision in its log.

The exit code is 1 when the folder is not at the newest revision.`,
		Args: command.AtMostOne("a folder"),
	}
	from.add(cmd)
	command.FormatFlag(cmd, &format, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir := command.FolderIn(args)
		return from.use(cmd, func(ctx context.Context, s shared.Store) error {
			st, err := statusOf(ctx, s, dir, from.set)
			if err != nil {
				return err
			}
			if format == "json" {
				err = command.WriteJSON(cmd.OutOrStdout(), st)
			} else {
				st.write(cmd.OutOrStdout(), filepath.Clean(dir))
			}
			return cmp.Or(err, command.FoundIf(st.behind()))
		})
	}
	return cmd
}

func statusOf(ctx context.Context, s shared.Store, dir, set string) (*storeStatus, error) {
	// A history may be read of a bundle that has expired, and is not the newest any more.
	if _, err := s.Fetch(ctx, shared.State{}); err != nil && !errors.Is(err, shared.ErrEmpty) {
		return nil, err
	}
	entries, err := s.History(ctx, 0, 1)
	if err != nil {
		return nil, err
	}
	st := new(storeStatus)
	if len(entries) > 0 {
		st.Newest = &entries[0]
	}
	local, err := readLocalCopy(dir, set)
	if err != nil || local == nil {
		return st, err
	}
	st.Local = &localStatus{Revision: local.Revision}
	st.Local.Changed, err = local.changed(dir)
	slices.Sort(st.Local.Changed)
	return st, err
}

func (st *storeStatus) behind() bool {
	return st.Local != nil && st.Local.Revision != st.newest()
}

// newest returns the newest revision of the store, 0 if it is empty.
func (st *storeStatus) newest() (r shared.Revision) {
	if st.Newest != nil {
		r = st.Newest.Revision
	}
	return r
}

func (st *storeStatus) write(w io.Writer, dir string) {
	if st.Newest == nil {
		command.Say(w, "the store is empty\n")
	} else {
		command.Say(w, "store: %s\n", entryText(*st.Newest))
	}
	switch {
	case st.Local == nil:
		return
	case st.Local.Revision > st.newest():
		command.Say(w, "%s: made from revision %d, which the store does not have: it is another store, or was restored\n", dir, st.Local.Revision)
	case st.behind():
		command.Say(w, "%s: made from revision %d, and others have published since: pull\n", dir, st.Local.Revision)
	default:
		command.Say(w, "%s: made from revision %d, the newest\n", dir, st.Local.Revision)
	}
	if len(st.Local.Changed) > 0 {
		command.Say(w, "changed here: %s\n", command.Plain(strings.Join(st.Local.Changed, ", ")))
	}
}
