package service

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/credentials"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

type beginning struct {
	dir, preset, framework, checkout string
	force                            bool
}

func newInit() *cobra.Command {
	var b beginning
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a policy to begin with, or a whole service",
		Long: `init writes model.conf, policy.csv and policy.tests into DIR, by default this
folder, with comments on what stands where. It overwrites nothing without --force.

Presets: rbac has roles with path patterns; rbac-deny lets a line deny, too;
rbac-tenants keeps tenants apart; rbac-tenants-patterns has lines for all tenants,
or for those that begin alike, too.

With --framework it also writes a service that asks the policy: main.go, go.mod,
sallyport.yaml, a development key pair and a .gitignore for its private half; and
runs "go mod tidy". A key that is there is never overwritten. The service then
answers 401, 200 and 403:

    go run .
    curl -i http://127.0.0.1:8080/reports
    curl -i -H "Authorization: Bearer $(sallyport token erin)" http://127.0.0.1:8080/reports
    curl -i -H "Authorization: Bearer $(sallyport token sam)" http://127.0.0.1:8080/reports

Until the modules are released, --checkout takes them from a clone.`,
		Example: "  sallyport init access\n  sallyport init --framework gin",
		Args:    command.AtMostOne("a directory"),
	}
	f := cmd.Flags()
	f.StringVar(&b.preset, "preset", "rbac", "`model` to begin with: "+policyfile.PresetNames)
	f.StringVar(&b.framework, "framework", "", "write a service for this `framework`, too: "+strings.Join(starter.Frameworks, ", "))
	f.StringVar(&b.checkout, "checkout", "", "`folder` of a clone of Sallyport to take its modules from, by replace lines in go.mod")
	f.BoolVar(&b.force, "force", false, "overwrite files that are there, but no keys")
	_ = cmd.MarkFlagDirname("checkout") // fails for unknown flags only
	_ = cmd.RegisterFlagCompletionFunc("framework", cobra.FixedCompletions(starter.Frameworks, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b.dir = command.FolderIn(args)
		switch {
		case starter.Presets[b.preset] == nil:
			return command.Usagef("there is no preset %q: use one of %s", b.preset, policyfile.PresetNames)
		case b.framework != "" && !slices.Contains(starter.Frameworks, b.framework):
			return command.Usagef("there is no framework %q: use one of %s", b.framework, strings.Join(starter.Frameworks, ", "))
		case b.checkout != "" && b.framework == "":
			return command.Usagef("--checkout is for the go.mod of a service: name its --framework")
		}
		return b.run(cmd)
	}
	return cmd
}

func (b *beginning) run(cmd *cobra.Command) error {
	if err := os.MkdirAll(b.dir, 0o777); err != nil {
		return err
	}
	files, err := starter.Files(b.preset)
	if err != nil {
		return err
	}
	if b.framework != "" {
		app, err := b.app()
		if err != nil {
			return err
		}
		files = append(files, app...)
	}
	if err := b.write(files); err != nil {
		return err
	}
	if b.framework != "" {
		more, err := b.writeKeys()
		if err != nil {
			return err
		}
		files = append(files, more...)
	}
	for _, f := range files {
		command.Say(cmd.OutOrStdout(), "%s\n", command.Plain(filepath.Join(b.dir, f.Name)))
	}
	if b.framework != "" {
		tidy(cmd, b.dir)
		b.sayNext(cmd)
	}
	return nil
}

// inTheWay returns those of the names that already exist.
func (b *beginning) inTheWay(names []string) (found []string, err error) {
	for _, name := range names {
		name = filepath.Join(b.dir, name)
		if _, err := os.Lstat(name); err == nil {
			found = append(found, name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return found, nil
}

// write writes all files, or none if one of them, or a key, already exists.
func (b *beginning) write(files []starter.File) error {
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if b.framework != "" {
		names = append(names, starter.Key, starter.JWKS)
	}
	found, err := b.inTheWay(names)
	if err != nil {
		return err
	}
	if len(found) > 0 && !b.force {
		exist, them := "exists", "it"
		if len(found) > 1 {
			exist, them = "exist", "them"
		}
		return fmt.Errorf("%s already %s: choose another directory, or overwrite %s with --force", strings.Join(found, ", "), exist, them)
	}
	keys, err := b.inTheWay([]string{starter.Key, starter.JWKS})
	if err == nil && b.framework != "" && len(keys) == 1 {
		err = fmt.Errorf("%s is there without the other half of the pair, %s and %s: move it away, since no key is overwritten", keys[0], starter.Key, starter.JWKS)
	}
	if err != nil {
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if b.force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	for _, f := range files {
		if err := atomicfile.WriteNew(filepath.Join(b.dir, f.Name), flags, f.Text); err != nil {
			return err
		}
	}
	return nil
}

// writeKeys writes the development key pair, unless it exists, and the line that
// keeps the private half out of the repository.
func (b *beginning) writeKeys() (written []starter.File, err error) {
	ignored := filepath.Join(b.dir, starter.GitIgnore)
	fresh := atomicfile.NotThere(ignored)
	err = atomicfile.Edit(ignored, func(text []byte, _ bool) ([]byte, error) {
		if slices.Contains(strings.Split(string(text), "\n"), starter.Key) {
			return text, nil
		}
		if len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
		return append(text, starter.IgnoreLines...), nil
	})
	if err == nil && fresh {
		err = os.Chmod(ignored, 0o644) // no secret
	}
	if err != nil {
		return nil, err
	}
	written = []starter.File{{Name: starter.GitIgnore}}
	key := filepath.Join(b.dir, starter.Key)
	if !atomicfile.NotThere(key) {
		return written, nil // with --force
	}
	return append(written, starter.File{Name: starter.Key}, starter.File{Name: starter.JWKS}), credentials.DevelopmentPair(key, filepath.Join(b.dir, starter.JWKS))
}

func (b *beginning) sayNext(cmd *cobra.Command) {
	where, claim := "", ""
	if filepath.Clean(b.dir) != "." {
		where = "    cd " + b.dir + "\n"
	}
	if strings.HasPrefix(b.preset, "rbac-tenants") {
		claim = " --claim tenant=acme"
	}
	command.Say(cmd.ErrOrStderr(), "sallyport: next:\n%s    go run .\n    curl -i -H \"Authorization: Bearer $(sallyport token erin%s)\" http://127.0.0.1:8080/reports\n", command.Plain(where), claim)
}

func (b *beginning) app() ([]starter.File, error) {
	abs, err := filepath.Abs(b.dir)
	if err != nil {
		return nil, err
	}
	a := starter.App{Framework: b.framework, Preset: b.preset, Module: moduleName(filepath.Base(abs))}
	if b.checkout == "" {
		a.Version = released()
		return a.Files()
	}
	if a.Replaced, err = modulesIn(b.checkout, abs); err != nil {
		return nil, err
	}
	return a.Files()
}

// moduleName returns a module path made from the name of a directory.
func moduleName(folder string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, folder)
	return cmp.Or(strings.Trim(name, "-_"), "app")
}
