// Command sallyport checks, explains, tests and displays policies, probes running
// services, and guards any service behind a proxy.
//
// Run "sallyport --help" for the commands. The exit code is 0 if all is well, 1 if
// there are findings, failed tests or requests that cannot be decided, and 2 if the
// command could not do what was asked.
package main

import (
	"os"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
