package editor

import (
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

const policy = clitest.Policy

var (
	program  = clitest.Of(Commands)
	expect   = program.Expect
	write    = clitest.Write
	readFile = clitest.ReadFile
	presets  = starter.Presets
)

const (
	exitOK       = command.ExitOK
	exitFindings = command.ExitFindings
)
