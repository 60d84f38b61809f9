package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/core/apikey"
)

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
		Args:    noArguments("name the key file with -f, and the owner with --owner"),
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
		switch {
		case file == "":
			return usagef("which key file? name it with --file")
		case info.Owner == "":
			return usagef("whose key? name the owner with --owner")
		}
		info.Created = time.Now()
		var err error
		if info.Expires, err = expiry(expires, info.Created); err != nil {
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
		return &usageError{err}
	}
	err := editFile(file, func(text []byte, _ bool) ([]byte, error) {
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
	say(cmd.ErrOrStderr(), "sallyport: key %s of %s %s. It is not shown again.\n", info.ID, plain(info.Owner), until)
	return nil
}
