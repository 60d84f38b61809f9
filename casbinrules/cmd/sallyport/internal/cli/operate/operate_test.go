package operate

import (
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
)

const policy = clitest.Policy

var (
	program = clitest.Of(Commands)
	run     = program.Run
	expect  = program.Expect
	write   = clitest.Write
)

type outcome = clitest.Outcome

const (
	exitOK       = command.ExitOK
	exitFindings = command.ExitFindings
	exitUsage    = command.ExitUsage
)
