// Package credentials has the commands for what gate one is answered from: API keys,
// passwords, the keys that tokens are signed with, and tokens to try a service.
package credentials

import "github.com/spf13/cobra"

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{newAPIKey(), newKeys(), newPasswd(), newToken()}
}
