package stores

import (
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

const policy = clitest.Policy

var (
	program  = clitest.Of(Commands)
	run      = program.Run
	expect   = program.Expect
	wants    = program.Wants
	write    = clitest.Write
	readFile = clitest.ReadFile
	edit     = clitest.Edit
	presets  = starter.Presets
)

const (
	exitOK    = command.ExitOK
	exitUsage = command.ExitUsage
)

type brokenPipe = clitest.BrokenPipe
