package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	_ "github.com/sallyport-go/sallyport/casbinrules/setup/oidc"     // kinds of sign-ins
	_ "github.com/sallyport-go/sallyport/casbinrules/setup/postgres" // kinds of stores
	_ "github.com/sallyport-go/sallyport/casbinrules/setup/redis"
	_ "github.com/sallyport-go/sallyport/casbinrules/setup/telemetry" // kinds of observers
)

func newConfig() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "config",
		Short: "Check and show the configuration file of a guard",
		Long: `config is about the file, sallyport.yaml, that "sallyport serve" and programs
with package casbinrules/setup read.`,
	}, newConfigCheck(), newConfigShow(), newConfigSchema())
}

func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", policyfile.ConfigName, "configuration `file`")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails for unknown flags only
}

func newConfigCheck() *cobra.Command {
	var file string
	var offline bool
	timeout := 10 * time.Second
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with a configuration file",
		Long: `check opens all that the file names, as a program would, and says what is wrong
with it, with file, line, column and what to do. Warnings about the policy are
printed as well. The environment must have the variables that the file names.

Issuers, introspection, sign-in and stores are asked too: one that has not answered
within --timeout is a finding. With --offline they are not asked, and "no errors" is
about the file and the files that it names. A policy or credentials in a store are
opened in any case, for which it waits up to 30 s.`,
		Args: command.NoArguments("name the file with -c"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := setup.Open(file, setup.WithLogger(slog.New(warnings{slog.NewTextHandler(cmd.ErrOrStderr(), nil)})), setup.WithoutWrites())
			if err != nil {
				return refuseConfig(cmd, err)
			}
			verdict := "no errors; other services were not asked"
			if !offline {
				verdict = "no errors"
				ctx, cancel := context.WithTimeoutCause(cmd.Context(), timeout, fmt.Errorf("no answer within %v", timeout))
				defer cancel()
				err = s.Ready(ctx)
			}
			if err != nil {
				return errors.Join(refuseConfig(cmd, err), s.Close())
			}
			command.Say(cmd.OutOrStdout(), "%s: %s\n", file, verdict)
			return s.Close()
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&offline, "offline", false, "ask no issuers and no stores for sessions and the like")
	cmd.Flags().DurationVar(&timeout, "timeout", timeout, "how long to wait for the services that the file names")
	return cmd
}

// warnings passes warnings on. Errors are left out, since check returns them.
type warnings struct{ slog.Handler }

func (warnings) Enabled(_ context.Context, l slog.Level) bool { return l == slog.LevelWarn }

func (h warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{h.Handler.WithAttrs(a)} }

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }

// refuseConfig prints what is wrong with a configuration file. A file that cannot
// be read is an error, not a finding.
func refuseConfig(cmd *cobra.Command, err error) error {
	if _, ok := errors.AsType[*setup.Error](err); !ok {
		return err
	}
	command.Say(cmd.ErrOrStderr(), "%s\n", command.Plain(err.Error()))
	return command.ErrFindings
}

func newConfigShow() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print a configuration file with all defaults filled in",
		Long: `show prints the file with its defaults. Variables of the environment are shown
by name and secrets by where they come from, never by value.`,
		Args: command.NoArguments("name the file with -c"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := setup.Show(file)
			if err != nil {
				return refuseConfig(cmd, err)
			}
			command.Say(cmd.OutOrStdout(), "%s", text)
			return nil
		},
	}
	configFlag(cmd, &file)
	return cmd
}

func newConfigSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON schema of configuration files, for editors",
		Long: `schema prints a JSON schema (draft 7) of the file. Save it, and begin the file
with the line

    # yaml-language-server: $schema=sallyport.schema.json

so that editors complete keys and mark mistakes.`,
		Args: command.NoArguments("send its output to a file"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := setup.Schema()
			command.Say(cmd.OutOrStdout(), "%s", text)
			return err
		},
	}
}
