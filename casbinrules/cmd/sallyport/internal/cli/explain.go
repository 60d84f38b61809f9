package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

func newExplain() *cobra.Command {
	var (
		s              source
		format, tenant string
		roles          []string
	)
	cmd := &cobra.Command{
		Use:   "explain SUBJECT[:ROLE,ROLE...] OBJECT ACTION",
		Short: "Say why a request is allowed or refused",
		Long: `explain says whether a request is allowed and why: which line of which file
decides, through which roles, and when no line does, which come nearest.

Roles behind the last colon of SUBJECT are those that the credentials bring. A
subject with a colon of its own ends in one, or is used with --role. The subject
anonymous is a request without credentials. OBJECT is what the policy sees of the
request, as a rule its path. An ACTION with a lower-case letter is one that the
application names itself, and no request method.`,
		Example: "  sallyport explain erin /reports/7 PATCH\n  sallyport explain sam:viewer,auditor /reports GET",
		Args:    arguments(cobra.ExactArgs(3)),
	}
	s.flags(cmd)
	formatFlag(cmd, &format, "text", "json")
	cmd.Flags().StringVar(&tenant, "tenant", "", "`tenant` of the credentials")
	cmd.Flags().StringArrayVar(&roles, "role", nil, "`role` that the credentials bring; may be repeated, and SUBJECT is then taken as it is")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q := ask.Question{Subject: args[0], Roles: roles, Tenant: tenant, Object: args[1], Action: args[2]}
		if len(roles) == 0 {
			q.Subject, q.Roles = splitRoles(args[0])
		}
		if q.Subject == "" {
			return usagef("the subject is empty: name a user, or anonymous for a request without credentials")
		}
		a, err := s.open("")
		if err != nil {
			return err
		}
		e, err := ask.Explain(cmd.Context(), a, q)
		if err != nil {
			return err
		}
		if format == "json" {
			return writeJSON(cmd.OutOrStdout(), e)
		}
		paint := paletteFor(cmd.OutOrStdout())
		painted := paint.red("deny")
		if e.Allowed {
			painted = paint.green("allow")
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", painted, e)
		return err
	}
	return cmd
}

// splitRoles takes "erin:editor,viewer" apart.
func splitRoles(arg string) (subject string, roles []string) {
	at := strings.LastIndexByte(arg, ':')
	if at < 0 {
		return arg, nil
	}
	for role := range strings.SplitSeq(arg[at+1:], ",") {
		if role = strings.TrimSpace(role); role != "" {
			roles = append(roles, role)
		}
	}
	return arg[:at], roles
}
