package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/core/apikey"
)

func newAPIKey() *cobra.Command {
	return group(&cobra.Command{
		Use:   "apikey",
		Short: "Make, list and revoke API keys",
		Long: `apikey keeps the key file that the scheme ApiKey is answered from. It holds no
key, only hashes, and may be edited by hand as well: comments and order stay.

The file is replaced as a whole or not at all, so a service that watches it never
reads half of it. A file with an error is left alone, with its findings on stderr
and exit code 1.`,
	}, newAPIKeyNew(), newAPIKeyList(), newAPIKeyRevoke())
}

// keyFileFlag adds the flag that names the key file.
func keyFileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "file", "f", "", "key `file`")
	_ = cmd.MarkFlagFilename("file") // fails for unknown flags only
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
	say(cmd.ErrOrStderr(), "%s\nsallyport: the key file is refused and was not changed\n", plain(err.Error()))
	return errFindings
}

// expiry parses when a key expires: after a number of days or another duration, at
// a time, or at the end of a day in UTC; "" is never.
func expiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parseExpiry(text, now)
	switch {
	case err != nil:
		return time.Time{}, usagef("--expires %q is neither a duration such as 90d or 12h nor a date such as 2027-01-31", text)
	case !t.After(now):
		return time.Time{}, usagef("--expires %q is past: it would never be good", text)
	}
	return t, nil
}

func parseExpiry(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if number, found := strings.CutSuffix(text, "d"); found {
		d, err := time.ParseDuration(number + "h")
		if err != nil || d.Hours() > 36500 || strings.ContainsAny(number, "hmsµun.") {
			return time.Time{}, errors.New("no number of days")
		}
		return now.Add(24 * d), nil
	}
	d, err := time.ParseDuration(text)
	return now.Add(d), err
}
