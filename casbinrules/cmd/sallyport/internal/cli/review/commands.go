// Package review has the commands for whoever approves a policy: what a change of it does,
// with all that a review needs in one report, and who may do what, as a table or a page.
package review

import "github.com/spf13/cobra"

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{newMatrix(), newDiff(), newCI(), newReport()}
}
