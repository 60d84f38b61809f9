package credentials

import (
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
)

const policy = clitest.Policy

var (
	program  = clitest.Of(Commands)
	run      = program.Run
	good     = program.Good
	expect   = program.Expect
	write    = clitest.Write
	readFile = clitest.ReadFile
)

type brokenPipe = clitest.BrokenPipe

const (
	exitOK       = command.ExitOK
	exitFindings = command.ExitFindings
	exitUsage    = command.ExitUsage
)
