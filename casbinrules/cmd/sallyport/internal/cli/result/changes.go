package result

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
)

// WriteChanges writes what a comparison has found.
func WriteChanges(w io.Writer, r *effect.Report) {
	paint := command.PaletteFor(w)
	for _, c := range r.Changes {
		command.Say(w, "%s\n", paint.Change(c.Gains, ChangeText(c)))
	}
	for _, rule := range r.NotCompared {
		command.Say(w, "%s\n", paint.Yellow("not compared: "+SideOf(rule.Old)+" "+command.Plain(rule.String())))
	}
	for _, gap := range r.Gaps {
		command.Say(w, "  because %s\n", command.Plain(gap))
	}
	switch gained, lost := GainedAndLost(r); {
	case len(r.Changes) > 0:
		command.Say(w, "%d gained, %d lost, in %d requests compared\n", gained, lost, r.Asked)
	case !r.Complete():
		command.Say(w, "no change seen in %d requests compared, and %s not compared\n", r.Asked, ChangedRules(len(r.NotCompared)))
	default:
		command.Say(w, "no change in effect, in %d requests compared\n", r.Asked)
	}
	if only := Narrowed(r); only != "" {
		command.Say(w, "note: compared with %s alone; nothing is known of others\n", command.Plain(only))
	}
}

// SideOf returns the name of one of the two policies of a comparison.
func SideOf(old bool) string {
	if old {
		return "old"
	}
	return "new"
}

// RuleOf returns the line that causes a change, in brackets, or "".
func RuleOf(rule string, old bool) string {
	if rule == "" {
		return ""
	}
	return " (" + SideOf(old) + " " + rule + ")"
}

// Narrowed returns what --claim and --tenant have limited a comparison to, or "".
func Narrowed(r *effect.Report) string {
	var only []string
	for _, name := range slices.Sorted(maps.Keys(r.OnlyAttributes)) {
		only = append(only, name+"="+strings.Join(r.OnlyAttributes[name], " or "))
	}
	if len(r.OnlyTenants) > 0 {
		only = append(only, "tenant "+strings.Join(r.OnlyTenants, " or "))
	}
	return strings.Join(only, " and ")
}

// ChangedRules returns a text such as "2 changed rules".
func ChangedRules(n int) string { return command.Quantity(n, "changed rule") }

// ChangeText returns a text such as "viewer gains DELETE /reports/:id (new
// policy.csv:14)".
func ChangeText(c effect.Change) string {
	var b strings.Builder
	b.WriteString(c.Subject)
	if c.Tenant != "" {
		b.WriteString(" in " + c.Tenant)
	}
	if attributes := AttributesText(c.Attributes); attributes != "" {
		b.WriteString(" " + attributes)
	}
	verb, too := "loses", "so do "
	if c.Gains {
		verb = "gains"
	}
	if len(c.Also) == 1 {
		too = "so does "
	}
	fmt.Fprintf(&b, " %s %s %s", verb, strings.Join(c.Actions, ", "), c.Object)
	if c.From != "" {
		b.WriteString(" from " + c.From)
	}
	b.WriteString(RuleOf(c.Rule, c.Old))
	if len(c.Also) > 0 {
		b.WriteString("; " + too + strings.Join(c.Also, ", "))
	}
	return b.String()
}

// AttributesText returns a text such as "age=16 or 17 region=eu", sorted by name.
// Of many values it has the first few.
func AttributesText(attributes map[string][]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		values := attributes[name]
		text := name + "=" + strings.Join(values[:min(len(values), maxShownValues)], " or ")
		if more := len(values) - maxShownValues; more > 0 {
			text += fmt.Sprintf(" or %d more", more)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// maxShownValues is the maximum number of values of one attribute in a line.
const maxShownValues = 5

// FailsOn reports whether changes in effect are what --fail-on is for.
func FailsOn(failOn string, widens bool, changes int) bool {
	return failOn == "widen" && widens || failOn == "change" && changes > 0
}

// FailOnFlag adds the flag that says which effect exit code 1 is for.
func FailOnFlag(cmd *cobra.Command, failOn *string) {
	cmd.Flags().StringVar(failOn, "fail-on", "", "what exit code 1 is for: widen, change")
	command.BeforeRun(cmd, func() error {
		if *failOn != "" && *failOn != "widen" && *failOn != "change" {
			return command.Usagef("--fail-on knows widen and change, and not %q", *failOn)
		}
		return nil
	})
}

// GainedAndLost returns how many changes give access, and how many take it.
func GainedAndLost(r *effect.Report) (gained, lost int) {
	for _, c := range r.Changes {
		if c.Gains {
			gained++
		}
	}
	return gained, len(r.Changes) - gained
}

// TooLarge reports whether two policies need more requests than are to be compared.
func TooLarge(err error) bool {
	_, ok := errors.AsType[*effect.TooLargeError](err)
	return ok
}
