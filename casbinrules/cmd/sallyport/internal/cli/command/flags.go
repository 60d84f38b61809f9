package command

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// FormatFlag adds --format with its choices, of which the first is the default.
func FormatFlag(cmd *cobra.Command, format *string, choices ...string) {
	ChoiceFlag(cmd, format, "format", "`form` of the output: ", choices...)
}

// ChoiceFlag adds a flag whose value is one of choices, by default the first.
func ChoiceFlag(cmd *cobra.Command, value *string, name, usage string, choices ...string) {
	cmd.Flags().StringVar(value, name, choices[0], usage+strings.Join(choices, ", "))
	// It fails for unknown flags only.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
	BeforeRun(cmd, func() error {
		if !slices.Contains(choices, *value) {
			return Usagef("there is no %s %q: use one of %s", name, *value, strings.Join(choices, ", "))
		}
		return nil
	})
}

// BeforeRun adds a check of flags, which comes before those that were added earlier.
func BeforeRun(cmd *cobra.Command, check func() error) {
	others := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if err := check(); err != nil || others == nil {
			return err
		}
		return others(cmd, args)
	}
}

// Expiry reads --expires as [ParseExpiry] does, and refuses what is past; "" is never,
// the zero time.
func Expiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := ParseExpiry(text, now)
	switch {
	case err != nil:
		return time.Time{}, Usagef("--expires %q is neither a duration such as 90d or 12h nor a date such as 2027-01-31", text)
	case !t.After(now):
		return time.Time{}, Usagef("--expires %q is past: it would never be good", text)
	}
	return t, nil
}

// ParseExpiry parses when something ends: after a number of days or another duration, at
// a time, or at the end of a day in UTC.
func ParseExpiry(text string, now time.Time) (time.Time, error) {
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
