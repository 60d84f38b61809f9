// Package operate has the commands for whoever runs a service: what its logs and metrics
// say, whether a decision log is whole, what another policy would decide, and which
// answers of the service are wrong.
package operate

import "github.com/spf13/cobra"

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{newProbe(), newDoctor(), newLog(), newReplay()}
}
