// Command sallyport checks, explains, tests and draws policy files, probes
// running services, and guards any service behind a proxy.
//
// Run "sallyport --help" for the commands. Exit codes are 0 when all is well, 1
// when there are findings, failed tests or requests that cannot be decided, and
// 2 when the command could not do what was asked.
package main

import (
	"os"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
