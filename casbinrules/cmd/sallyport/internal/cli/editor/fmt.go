package editor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
)

func newFmt() *cobra.Command {
	var write, check bool
	cmd := &cobra.Command{
		Use:   "fmt [FILE|DIR...]",
		Short: "Align the columns of policy files",
		Long: `fmt aligns the columns of policy files and keeps rules, comments and their order.
Blanks go in front of fields, where they do not count; behind them they would be
part of the value. A directory stands for its .csv files. Without a file it reads
stdin.

The result goes to stdout, or with -w into the file, as a whole or not at all.
With --check it lists the files that are not formatted and exits with 1. A file
with an error is left alone.`,
		Example: "  sallyport fmt -w policy.csv\n  sallyport fmt --check policies/",
	}
	cmd.Flags().BoolVarP(&write, "write", "w", false, "write the result into the file")
	cmd.Flags().BoolVar(&check, "check", false, "list files that are not formatted, and exit with 1")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if write && check {
			return command.Usagef("-w writes and --check does not: use one of them")
		}
		if len(args) == 0 && write {
			return command.Usagef("-w needs a file to write")
		}
		files, texts, err := textsToFormat(cmd.InOrStdin(), args)
		if err != nil {
			return err
		}
		return formatFiles(cmd.OutOrStdout(), files, texts, write, check)
	}
	return cmd
}

// textsToFormat reads the policy files that names stand for, or else stdin.
func textsToFormat(stdin io.Reader, names []string) (files []string, texts [][]byte, err error) {
	if len(names) == 0 {
		text, err := io.ReadAll(stdin)
		if err != nil {
			err = fmt.Errorf("read stdin: %w", err)
		}
		return []string{"stdin"}, [][]byte{text}, err
	}
	if files, err = policyFiles(names); err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("read policy: %w", err)
		}
		texts = append(texts, text)
	}
	return files, texts, nil
}

// formatFiles formats all files before it writes the first one.
func formatFiles(stdout io.Writer, files []string, before [][]byte, write, check bool) error {
	after := make([][]byte, len(files))
	var refused casbinrules.FindingsError
	for i, file := range files {
		var err error
		after[i], err = casbinrules.FormatPolicy(file, before[i])
		if found, ok := errors.AsType[*casbinrules.FindingsError](err); ok {
			refused.Findings = append(refused.Findings, found.Findings...)
		} else if err != nil {
			return err
		}
	}
	if len(refused.Findings) > 0 {
		return &refused
	}
	changed := false
	for i, file := range files {
		same := bytes.Equal(before[i], after[i])
		changed = changed || !same
		switch {
		case check && !same:
			command.Say(stdout, "%s\n", command.Plain(file))
		case check:
		case !write:
			command.Say(stdout, "%s", after[i])
		case !same:
			err := atomicfile.Edit(file, func(now []byte, found bool) ([]byte, error) {
				if !found || !bytes.Equal(now, before[i]) && !bytes.Equal(now, after[i]) { // the file may be named twice
					return nil, fmt.Errorf("write %s: %w", file, atomicfile.ErrChangedMeanwhile)
				}
				return after[i], nil
			})
			if err != nil {
				return err
			}
		}
	}
	return command.FoundIf(check && changed)
}

// policyFiles returns the files that names stand for, as in casbinrules.Open.
func policyFiles(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		if filepath.Ext(name) == ".tests" {
			return nil, command.Usagef("%s holds tests: fmt aligns only policies", name)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		inside, err := policyfile.FilesIn(name, ".csv")
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		if len(inside) == 0 {
			return nil, fmt.Errorf("directory %s holds no .csv file", name)
		}
		files = append(files, inside...)
	}
	return slices.Compact(files), nil
}
