package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/core/apikey"
)

func newAPIKeyList() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List keys, with those expired and revoked",
		Long: `list prints the keys of a file in its order, without their hashes. The state of a
key is good, expired or revoked.`,
		Example: "  sallyport apikey list -f api.keys",
		Args:    noArguments("name the key file with -f"),
	}
	keyFileFlag(cmd, &file)
	formatFlag(cmd, &format, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if file == "" {
			return usagef("which key file? name it with --file")
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read keys: %w%s", err, ifMissing(err, "sallyport apikey new makes one"))
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
			return writeJSON(cmd.OutOrStdout(), all)
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
