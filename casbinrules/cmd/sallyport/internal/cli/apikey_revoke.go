package cli

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/core/apikey"
)

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
		switch {
		case file == "":
			return usagef("which key file? name it with --file")
		case (len(ids) == 0) == (owner == ""):
			return usagef("which keys? give their IDs, or --owner for all keys of one")
		}
		for i, id := range ids {
			if !apikey.IsID(id) { // not quoted, since it may be a whole key
				return usagef("argument %d is not the ID of a key: it is sp_ and ten letters, what stands before the dot", i+1)
			}
		}
		return revokeKeys(cmd, file, owner, reason, ids)
	}
	return cmd
}

func revokeKeys(cmd *cobra.Command, file, owner, reason string, ids []string) error {
	var revoked, before []string
	err := editFile(file, func(text []byte, found bool) ([]byte, error) {
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
		say(cmd.ErrOrStderr(), "sallyport: key %s was revoked already\n", id)
	}
	for _, id := range revoked {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), id); err != nil {
			return err
		}
	}
	return nil
}
