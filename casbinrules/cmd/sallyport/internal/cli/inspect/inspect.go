// Package inspect has the commands that ask one policy: what is wrong with it, what it
// decides and why, who may do what, and whether its tests pass.
package inspect

import "github.com/spf13/cobra"

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{newLint(), newExplain(), newObjects(), newSubjects(), newCheck(), newTest()}
}
