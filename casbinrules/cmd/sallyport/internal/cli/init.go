package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

func newInit() *cobra.Command {
	var (
		preset string
		force  bool
	)
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Write a commented model, policy and tests to begin with",
		Long: `init writes model.conf, policy.csv and policy.tests into DIR, with comments on
what stands where. It overwrites nothing without --force.

Presets: rbac has roles with path patterns; rbac-deny lets a line deny, too;
rbac-tenants keeps tenants apart.`,
		Args: exactly(1, "a directory"),
	}
	cmd.Flags().StringVar(&preset, "preset", "rbac", "`model` to begin with: "+presetNames)
	cmd.Flags().BoolVar(&force, "force", false, "overwrite files that are there")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		model := presets[preset]
		if model == nil {
			return usagef("there is no preset %q: use one of %s", preset, presetNames)
		}
		files, err := starter.Files(preset, model())
		if err != nil {
			return err
		}
		if err := writeStarter(args[0], files, force); err != nil {
			return err
		}
		for _, f := range files {
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), plain(filepath.Join(args[0], f.Name))); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// writeStarter writes all files, or none when one of them is there.
func writeStarter(dir string, files []starter.File, force bool) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		if _, err := os.Lstat(name); err == nil && !force {
			return fmt.Errorf("%s is there already: choose another directory, or overwrite it with --force", name)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	for _, f := range files {
		if err := writeNew(filepath.Join(dir, f.Name), flags, f.Text); err != nil {
			return err
		}
	}
	return nil
}

func writeNew(name string, flags int, text string) error {
	f, err := os.OpenFile(name, flags, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
