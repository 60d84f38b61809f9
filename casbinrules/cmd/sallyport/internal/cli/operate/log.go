package operate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/replay"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

func newLog() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "log",
		Short: "Verify a decision log",
		Long:  `log is about the files that package core/decisionlog writes.`,
	}, newLogVerify())
}

func newLogVerify() *cobra.Command {
	var (
		format      string
		keys, heads []string
		partial     bool
	)
	cmd := &cobra.Command{
		Use:   "verify LOG...",
		Short: "Find what was changed in a decision log",
		Long: `verify reads a decision log with a chain of hashes, with the files that it was
renamed to before, and finds any line that was changed, removed, swapped or
inserted, and what was cut off the end up to the last signed head, as

    file:line: code: message

--key is the public key that heads are verified with, in PEM, or the secret of a
chain signed by HMAC; it may be repeated where keys were changed. A log with signed
heads needs it. --head names a copy of decisions.jsonl.head that was kept elsewhere.
--partial says that newer files are not given.

The exit code is 1 when something is wrong.`,
		Example: "  sallyport log verify --key decisions.pub decisions.jsonl",
		Args:    command.AtLeast(1, "a decision log"),
	}
	command.FormatFlag(cmd, &format, "text", "json")
	f := cmd.Flags()
	f.StringArrayVar(&keys, "key", nil, "`file` of a key to verify heads with; may be repeated")
	f.StringArrayVar(&heads, "head", nil, "`file` of a head that was kept elsewhere; may be repeated")
	f.BoolVar(&partial, "partial", false, "newer files of the log are not given")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		opts, err := verifyOptions(keys, heads, partial)
		if err != nil {
			return err
		}
		v, files, err := verifyLogs(args, opts)
		if errors.Is(err, decisionlog.ErrKeyNeeded) {
			return command.Usagef("the log has signed heads: give the key to verify them with --key")
		}
		if err != nil {
			return err
		}
		if format == "json" {
			err = command.WriteJSON(cmd.OutOrStdout(), v)
		} else {
			writeVerification(cmd.OutOrStdout(), v, len(files))
		}
		return cmp.Or(err, command.FoundIf(len(v.Findings) > 0))
	}
	return cmd
}

func verifyOptions(keys, heads []string, partial bool) ([]decisionlog.VerifyOption, error) {
	var opts []decisionlog.VerifyOption
	for _, name := range keys {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read key: %w", err)
		}
		k, err := decisionlog.ParseKey(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		opts = append(opts, decisionlog.WithVerificationKeys(k))
	}
	for _, name := range heads {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read head: %w", err)
		}
		opts = append(opts, decisionlog.WithKnownHead(text))
	}
	if partial {
		opts = append(opts, decisionlog.WithoutEnd())
	}
	return opts, nil
}

// verifyLogs verifies logs together with their renamed files, and once more if one
// was renamed meanwhile.
func verifyLogs(logs []string, opts []decisionlog.VerifyOption) (v *decisionlog.Verification, files []string, err error) {
	const tries = 5
	if files, err = replay.Files(logs); err != nil {
		return nil, nil, err
	}
	for range tries {
		v, err = decisionlog.Verify(files, opts...)
		now, listErr := replay.Files(logs)
		if listErr != nil || slices.Equal(files, now) {
			break
		}
		files = now
	}
	return v, files, err
}

func writeVerification(w io.Writer, v *decisionlog.Verification, files int) {
	paint := command.PaletteFor(w)
	for _, f := range v.Findings {
		command.Say(w, "%s\n", strings.Replace(command.Plain(f.String()), ": "+f.Code+": ", ": "+paint.Red(f.Code)+": ", 1))
	}
	command.Say(w, "%s in %s, numbers %d to %d: ", command.Quantity(v.Lines, "line"), command.Quantity(files, "file"), v.First, v.Last)
	switch {
	case len(v.Findings) > 0:
		command.Say(w, "%s\n", paint.Red(command.Quantity(len(v.Findings), "finding")))
	case v.Signed > 0:
		command.Say(w, "%s; signed up to number %d\n", paint.Green("nothing was changed"), v.Signed)
	default:
		command.Say(w, "all hashes are right; nothing is signed, so anyone who can write the files could have computed them\n")
	}
	if v.First > 1 {
		command.Say(w, "note: numbers 1 to %d are not among these files\n", v.First-1)
	}
	if v.Signed > 0 && v.Last > v.Signed+1 {
		command.Say(w, "note: no head vouches yet for numbers %d to %d\n", v.Signed+1, v.Last)
	}
	if n := v.QueueFull + v.WriteFailed; n > 0 {
		command.Say(w, "note: the log says that it lacks %d decisions\n", n)
	}
	if v.LostAtMost > 0 {
		command.Say(w, "note: up to %d decisions were lost when processes were killed\n", v.LostAtMost)
	}
}
