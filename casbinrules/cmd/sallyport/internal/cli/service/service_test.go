package service

import (
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
)

var (
	program = clitest.Of(Commands)
	run     = program.Run
)

const (
	exitOK    = command.ExitOK
	exitUsage = command.ExitUsage
)
