// Package service has the commands about a service and its sallyport.yaml: to begin with
// one, check its configuration, describe its answers, and run the guard for a proxy.
package service

import "github.com/spf13/cobra"

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{newConfig(), newServe(), newOpenAPI(), newInit()}
}
