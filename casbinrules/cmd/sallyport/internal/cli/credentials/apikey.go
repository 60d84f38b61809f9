package credentials

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/core/apikey"
)

func newAPIKey() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "apikey",
		Short: "Make, list and revoke API keys",
		Long: `apikey keeps the key file that the scheme ApiKey is answered from. It holds no
key, only hashes, and may be edited by hand as well: comments and order stay.

The file is replaced as a whole or not at all, so a service that watches it never
reads half of it. A file with an error is left alone, with its findings on stderr
and exit code 1.`,
	}, newAPIKeyNew(), newAPIKeyList(), newAPIKeyRevoke())
}

// keyFileFlag adds the flag that names the key file, which is required.
func keyFileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "file", "f", "", "key `file`")
	_ = cmd.MarkFlagFilename("file") // fails for unknown flags only
	command.BeforeRun(cmd, func() error {
		if *file == "" {
			return command.Usagef("which key file? name it with --file")
		}
		return nil
	})
}

// loadKeys parses the text of a key file, which must have at least one key.
func loadKeys(cmd *cobra.Command, name string, text []byte) (*apikey.File, error) {
	f := new(apikey.File)
	if err := f.Load(name, text); err != nil {
		return nil, refuseKeys(cmd, err)
	}
	return f, nil
}

// refuseKeys prints what is wrong with a key file.
func refuseKeys(cmd *cobra.Command, err error) error {
	command.Say(cmd.ErrOrStderr(), "%s\nsallyport: the key file is refused and was not changed\n", command.Plain(err.Error()))
	return command.ErrFindings
}

func newAPIKeyNew() *cobra.Command {
	var (
		file, expires string
		info          apikey.Info
	)
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a key, and show it once",
		Long: `new makes a key, adds its hash to the end of the key file, and prints the key to
stdout: this once, since nobody can tell it from the hash. All else goes to
stderr. A file that is not there yet is created for its owner alone (mode 0600).`,
		Example: "  sallyport apikey new -f api.keys --owner ci-bot --roles editor --expires 90d",
		Args:    command.NoArguments("name the key file with -f, and the owner with --owner"),
	}
	keyFileFlag(cmd, &file)
	f := cmd.Flags()
	f.StringVar(&info.Owner, "owner", "", "`ID` of the principal that the key stands for")
	f.StringSliceVar(&info.Roles, "roles", nil, "`roles` that the key brings, separated by commas")
	f.StringSliceVar(&info.Scopes, "scopes", nil, "`scopes` of the key, separated by commas")
	f.StringVar(&info.Tenant, "tenant", "", "`tenant` that the key is for")
	f.StringVar(&expires, "expires", "", "`when` the key stops being good: a duration (90d, 12h), the last day (2027-01-31), or a time in RFC 3339 (default never)")
	f.StringVar(&info.Comment, "comment", "", "`text` that says what the key is for")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if info.Owner == "" {
			return command.Usagef("whose key? name the owner with --owner")
		}
		info.Created = time.Now()
		var err error
		if info.Expires, err = command.Expiry(expires, info.Created); err != nil {
			return err
		}
		return makeKey(cmd, file, info)
	}
	return cmd
}

// makeKey prints the key only once its hash is safely in the file.
func makeKey(cmd *cobra.Command, file string, info apikey.Info) error {
	var key string
	key, info.ID, info.Hash = apikey.Generate()
	if _, err := apikey.NewKey(info); err != nil {
		return command.Usage(err)
	}
	err := atomicfile.Edit(file, func(text []byte, _ bool) ([]byte, error) {
		text, err := apikey.Append(file, text, info)
		if err != nil {
			return nil, refuseKeys(cmd, err) // the new key itself is valid
		}
		return text, nil
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), key); err != nil {
		return fmt.Errorf("key %s was made and could not be shown, so revoke it: %w", info.ID, err)
	}
	until := "does not expire"
	if !info.Expires.IsZero() {
		until = "is good until " + info.Expires.UTC().Format(time.RFC3339)
	}
	command.Say(cmd.ErrOrStderr(), "sallyport: key %s of %s %s. It is not shown again.\n", info.ID, command.Plain(info.Owner), until)
	return nil
}

func newAPIKeyList() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List keys, with those expired and revoked",
		Long: `list prints the keys of a file in its order, without their hashes. The state of a
key is good, expired or revoked.`,
		Example: "  sallyport apikey list -f api.keys",
		Args:    command.NoArguments("name the key file with -f"),
	}
	keyFileFlag(cmd, &file)
	command.FormatFlag(cmd, &format, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read keys: %w%s", err, command.IfMissing(err, "sallyport apikey new makes one"))
		}
		keys, err := loadKeys(cmd, file, text)
		if err != nil {
			return err
		}
		var all []listedKey
		now := time.Now()
		for k := range keys.Keys() {
			all = append(all, list(k, now))
		}
		if format == "json" {
			return command.WriteJSON(cmd.OutOrStdout(), all)
		}
		return writeKeys(cmd.OutOrStdout(), all)
	}
	return cmd
}

// listedKey is what list prints about a key.
type listedKey struct {
	ID      string   `json:"id"`
	State   string   `json:"state"`
	Owner   string   `json:"owner"`
	Roles   []string `json:"roles,omitempty"`
	Scopes  []string `json:"scopes,omitempty"`
	Tenant  string   `json:"tenant,omitempty"`
	Created string   `json:"created,omitempty"`
	Expires string   `json:"expires,omitempty"`
	Revoked string   `json:"revoked,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Comment string   `json:"comment,omitempty"`
}

func list(k *apikey.Key, now time.Time) listedKey {
	i := k.Info()
	l := listedKey{
		ID: i.ID, State: "good", Owner: i.Owner, Roles: i.Roles, Scopes: i.Scopes, Tenant: i.Tenant, Reason: i.RevokedReason, Comment: i.Comment,
		Created: instant(i.Created), Expires: instant(i.Expires), Revoked: instant(i.Revoked),
	}
	switch {
	case l.Revoked != "":
		l.State = "revoked"
	case k.Expired(now):
		l.State = "expired"
	}
	return l
}

// instant returns a time as text, "" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// writeKeys writes a table. Its last column, the only one with free text, has the
// comment and why a key was revoked.
func writeKeys(w io.Writer, keys []listedKey) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tSTATE\tOWNER\tROLES\tSCOPES\tTENANT\tCREATED\tEXPIRES\tREMARKS") // Flush returns the error
	for _, k := range keys {
		remarks := k.Comment
		if k.Revoked != "" {
			remarks = strings.TrimSuffix("revoked "+k.Revoked+": "+k.Reason, ": ")
			if k.Comment != "" {
				remarks = k.Comment + "; " + remarks
			}
		}
		cells := []string{k.ID, k.State, k.Owner, strings.Join(k.Roles, ","), strings.Join(k.Scopes, ","), k.Tenant, k.Created, k.Expires, remarks}
		for i := range cells {
			if cells[i] == "" {
				cells[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

func newAPIKeyRevoke() *cobra.Command {
	var file, owner, reason string
	cmd := &cobra.Command{
		Use:   "revoke [ID...]",
		Short: "Revoke keys by their IDs, or all keys of an owner",
		Long: `revoke marks keys as revoked, with the time and a reason, and keeps their lines, so
that the file goes on telling whose they were. It prints the IDs of the keys it
has revoked; a key that is revoked already stays as it is.

The ID is what stands before the dot in a key.`,
		Example: "  sallyport apikey revoke -f api.keys sp_k3m4x2q7ab --reason 'laptop stolen'\n  sallyport apikey revoke -f api.keys --owner ci-bot",
		Args:    cobra.ArbitraryArgs,
	}
	keyFileFlag(cmd, &file)
	cmd.Flags().StringVar(&owner, "owner", "", "revoke all keys of the principal with this `ID`")
	cmd.Flags().StringVar(&reason, "reason", "", "`text` that says why")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		if (len(ids) == 0) == (owner == "") {
			return command.Usagef("which keys? give their IDs, or --owner for all keys of one")
		}
		for i, id := range ids {
			if !apikey.IsID(id) { // not quoted, since it may be a whole key
				return command.Usagef("argument %d is not the ID of a key: it is sp_ and ten letters, what stands before the dot", i+1)
			}
		}
		return revokeKeys(cmd, file, owner, reason, ids)
	}
	return cmd
}

func revokeKeys(cmd *cobra.Command, file, owner, reason string, ids []string) error {
	var revoked, before []string
	err := atomicfile.Edit(file, func(text []byte, found bool) ([]byte, error) {
		if !found {
			return nil, &fs.PathError{Op: "open", Path: file, Err: fs.ErrNotExist}
		}
		keys, err := loadKeys(cmd, file, text)
		if err != nil {
			return nil, err
		}
		missing := slices.Clone(ids)
		for k := range keys.Keys() {
			i := k.Info()
			if i.Owner != owner && !slices.Contains(ids, i.ID) {
				continue
			}
			missing = slices.DeleteFunc(missing, func(id string) bool { return id == i.ID })
			if i.Revoked.IsZero() {
				revoked = append(revoked, i.ID)
			} else {
				before = append(before, i.ID)
			}
		}
		switch {
		case len(missing) > 0:
			return nil, fmt.Errorf("%s has no key %s: nothing was revoked", file, missing[0])
		case len(revoked)+len(before) == 0:
			return nil, fmt.Errorf("%s has no key of %q: nothing was revoked", file, owner)
		}
		return apikey.Revoke(file, text, time.Now(), reason, revoked...)
	})
	if err != nil {
		return err
	}
	for _, id := range before {
		command.Say(cmd.ErrOrStderr(), "sallyport: key %s was revoked already\n", id)
	}
	return command.WriteList(cmd.OutOrStdout(), "text", revoked, command.Plain)
}
