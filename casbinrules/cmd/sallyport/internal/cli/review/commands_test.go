package review

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

const policy = clitest.Policy

var (
	program   = clitest.Of(Commands)
	run       = program.Run
	expect    = program.Expect
	write     = clitest.Write
	readFile  = clitest.ReadFile
	edit      = clitest.Edit
	commitAll = clitest.Commit
	presets   = starter.Presets
)

const (
	exitOK       = command.ExitOK
	exitFindings = command.ExitFindings
	exitUsage    = command.ExitUsage
)

// repositoryOf makes a git repository of files, with one commit on main.
func repositoryOf(t *testing.T, files map[string]string) (dir string, git func(args ...string)) {
	t.Helper()
	dir = write(t, files)
	return dir, commitAll(t, dir)
}

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// branchOff makes a branch with an empty commit, so that its base is not HEAD.
func branchOff(git func(args ...string)) {
	git("checkout", "-q", "-b", "branch")
	git("commit", "-q", "--allow-empty", "-m", "nothing")
}
