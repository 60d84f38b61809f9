// Package editor has the commands for whoever writes policies: the language server that
// editors start, and the alignment of columns.
package editor

import "github.com/spf13/cobra"

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{newFmt(), newLSP()}
}
