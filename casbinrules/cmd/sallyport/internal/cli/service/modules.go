package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
)

// projectPath begins the paths of all modules of this project.
const projectPath = "github.com/sallyport-go/sallyport/"

// tidyPatience bounds the time of go mod tidy, with all its downloads.
const tidyPatience = 10 * time.Minute

// release matches the version of a release, as opposed to that of a commit.
var release = regexp.MustCompile(`^v\d+\.\d+\.\d+(-(alpha|beta|rc|dev)\.\d+)?$`)

// released returns the version of this program if it is a release, otherwise "".
// All modules are released together, at one version.
func released() string {
	if v := command.Version(); release.MatchString(v) {
		return v
	}
	return ""
}

// tidy runs go mod tidy in a directory. If that fails, for instance offline or as
// long as the modules are not released, it says what to repeat.
func tidy(cmd *cobra.Command, dir string) {
	ctx, cancel := context.WithTimeout(cmd.Context(), tidyPatience)
	defer cancel()
	command.Say(cmd.ErrOrStderr(), "sallyport: go mod tidy\n")
	run := exec.CommandContext(ctx, "go", "mod", "tidy")
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err == nil {
		return
	}
	if text := bytes.TrimSpace(out); len(text) > 0 {
		command.Say(cmd.ErrOrStderr(), "%s\n", command.Plain(strings.ReplaceAll(string(text), "\t", "    ")))
	}
	repeat := "go mod tidy"
	if filepath.Clean(dir) != "." {
		repeat = "cd " + dir + " && go mod tidy"
	}
	command.Say(cmd.ErrOrStderr(), "sallyport: go mod tidy has failed (%v), so the service does not build yet. All files are there; repeat it once the modules can be downloaded:\n    %s\n",
		err, command.Plain(repeat))
	if released() == "" {
		command.Say(cmd.ErrOrStderr(), "sallyport: this program was built in a clone, whose modules are not released: \"sallyport init --force --checkout CLONE\" takes them from there\n")
	}
}

// modulesIn returns the directories of the modules in a clone of this project by
// their paths, as a go.mod in the directory from names them.
func modulesIn(checkout, from string) (map[string]string, error) {
	root, err := filepath.Abs(checkout)
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err == nil {
		from, err = filepath.EvalSymlinks(from) // paths are relative to the real directory
	}
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (d.Name()[0] == '.' || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.Name() != "go.mod":
			return nil
		}
		text, err := os.ReadFile(name) //nolint:gosec // a folder of the user, who may read the file anyway
		if err != nil {
			return err
		}
		if path := modulePath(string(text)); strings.HasPrefix(path, projectPath) && !strings.HasPrefix(path, projectPath+"examples") {
			found[path], err = relative(from, filepath.Dir(name))
		}
		return err
	})
	if err == nil && len(found) == 0 {
		err = errors.New("it holds no module of Sallyport")
	}
	if err != nil {
		return nil, fmt.Errorf("--checkout %s: %w", checkout, err)
	}
	return found, nil
}

func modulePath(text string) string {
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return strings.Trim(fields[1], `"`)
		}
	}
	return ""
}

// relative returns a directory as written in a replace line: relative to from, with
// the leading dot that distinguishes it from a module.
func relative(from, dir string) (string, error) {
	rel, err := filepath.Rel(from, dir)
	if err != nil {
		return "", err
	}
	rel = filepath.ToSlash(rel)
	if !strings.HasPrefix(rel, "../") {
		rel = "./" + rel
	}
	if strings.ContainsAny(rel, " \t\"'`()") {
		return "", fmt.Errorf("folder %q cannot stand in a go.mod: it has a blank, quote or bracket", rel)
	}
	return rel, nil
}
