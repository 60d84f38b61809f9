package stores

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/git"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/replay"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// redisTimeout bounds one answer of Redis.
const redisTimeout = 10 * time.Second

// listed is the number of revocations that are read at a time.
const listed = 1000

func newRevoke() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "revoke",
		Short: "Revoke tokens and sessions at all instances of a service",
		Long: `revoke appends to the log of revocations that the instances of a service follow.
It returns when the store has it; instances that are connected to the store know
within milliseconds, and all others as soon as they are.`,
		Example: `  sallyport revoke user alice -M "a laptop was lost"
  sallyport revoke token 3f2a9c01 --issuer https://issuer.example --expires-in 1h
  sallyport revoke list`,
	},
		newRevokeEntry("user NAME", "Revoke what a user has, by the principal or by the subject at the issuer", 1, "the name of a user",
			func(e *revoke.Entry, args []string, before time.Time) { e.Subject, e.IssuedBefore = args[0], before }),
		newRevokeEntry("token JTI", "Revoke one token by its identifier", 1, "the identifier (jti) of a token",
			func(e *revoke.Entry, args []string, _ time.Time) { e.ID = args[0] }),
		newRevokeEntry("all", "Revoke what everybody has", 0, "",
			func(e *revoke.Entry, _ []string, before time.Time) { e.All, e.IssuedBefore = true, before }),
		newRevokeList())
}

// newRevokeEntry returns a command that appends the entry that fill makes of its
// arguments.
func newRevokeEntry(use, short string, arguments int, what string, fill func(e *revoke.Entry, args []string, before time.Time)) *cobra.Command {
	var (
		to              stateFlags
		issuer, message string
		before          string
		expires         time.Duration
	)
	args := command.NoArguments("it is about everybody")
	if arguments > 0 {
		args = command.Exactly(arguments, what)
	}
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	to.add(cmd)
	cmd.Flags().StringVar(&issuer, "issuer", "", "only tokens of this `issuer`, and sessions begun with one of its tokens (default any)")
	cmd.Flags().StringVarP(&message, "message", "M", "", "`text` that says why, for \"revoke list\"")
	cmd.Flags().DurationVar(&expires, "expires-in", 0, "when the revocation may be forgotten: how long tokens and sessions live at most (default never)")
	if !strings.HasPrefix(use, "token") {
		cmd.Flags().StringVar(&before, "before", "", "only what was issued up to this `time`, such as 2026-11-22T08:15:00Z (default now)")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		now := time.Now()
		limit, e := now, revoke.Entry{Issuer: issuer}
		if before != "" {
			var err error
			if limit, err = time.Parse(time.RFC3339, before); err != nil {
				return command.Usagef("--before %q: write it like 2026-11-22T08:15:00Z", before)
			}
		}
		if expires < 0 {
			return command.Usagef("--expires-in %v: must be above 0", expires)
		}
		if expires > 0 {
			e.Expires = now.Add(expires)
		}
		fill(&e, args, limit)
		if replay.IsPseudonym(e.Subject) {
			return command.Usagef("%s is a pseudonym, which no token and no session has: give the name that it stands for", e.Subject)
		}
		note := git.Author()
		if message != "" {
			note += ": " + message
		}
		return to.use(cmd, func(ctx context.Context, s state) error {
			p, err := s.Revocations().Append(ctx, note, e)
			if err == nil {
				command.Say(cmd.OutOrStdout(), "%d  %s\n", p.Number, command.Plain(e.String()))
				if p.Number == 1 && !cmd.Flags().Changed("service") {
					command.Say(cmd.ErrOrStderr(), "sallyport: note: it is the first of the service %q in this store; if the instances have another name, give it with --service\n", to.service)
				}
			}
			return err
		})
	}
	return cmd
}

func newRevokeList() *cobra.Command {
	var from stateFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is revoked, by whom and why",
		Long: `list prints the revocations that have not expired, the oldest first: number, time,
who has revoked and why, and the revocation as in a file of revocations.`,
		Args: command.NoArguments("name the store with --store"),
	}
	from.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return from.use(cmd, func(ctx context.Context, s state) error {
			return listRevocations(ctx, s.Revocations(), cmd.OutOrStdout())
		})
	}
	return cmd
}

func listRevocations(ctx context.Context, log revoke.Log, out io.Writer) error {
	var at revoke.Position
	for {
		records, err := log.Read(ctx, at, listed)
		if err != nil {
			return err
		}
		var b strings.Builder
		for _, r := range records {
			at = r.Position
			if !r.Expires.IsZero() && !time.Now().Before(r.Expires) {
				continue
			}
			by := r.Note
			if r.By != "" {
				by = strings.TrimSuffix(r.By+" "+by, " ")
			}
			b.WriteString(command.LineOf(fmt.Sprintf("%d  %s  %s  %s", r.Number, r.Added.UTC().Format(time.RFC3339), by, r.Entry)) + "\n")
		}
		if _, err := io.WriteString(out, b.String()); err != nil || len(records) < listed {
			return err
		}
	}
}
