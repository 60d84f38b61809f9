package inspect

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
)

func newObjects() *cobra.Command {
	var (
		s      policyfile.Source
		format string
		who    subjectFlags
	)
	cmd := &cobra.Command{
		Use:   "objects SUBJECT[:ROLE,ROLE...] ACTION [OBJECT...]",
		Short: "List what somebody may do an action to",
		Long: `objects lists the objects and the patterns of the rules that allow somebody an
action, a line each, with the rule. An object stands alone; behind a pattern stands
the function that reads it, and some objects that it matches may be denied by
another rule. With OBJECTs it prints those of them that are allowed, each decided
by itself; they are asked as they are written.

SUBJECT and ACTION are as in "sallyport explain".`,
		Example: "  sallyport objects erin GET\n  sallyport objects sam:viewer GET /reports /reports/7",
		Args:    command.AtLeast(2, "a subject and an action"),
	}
	s.Flags(cmd)
	who.flags(cmd)
	command.FormatFlag(cmd, &format, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q, err := who.question(args[0])
		if err != nil {
			return err
		}
		p, err := q.Principal()
		if err != nil {
			return command.Usage(err)
		}
		a, err := s.Open("")
		if err != nil {
			return err
		}
		who.noteColon(cmd.ErrOrStderr(), a, args[0], q)
		action := casbinrules.Action{Name: args[1], Named: ask.Named(args[1])}
		if objects := args[2:]; len(objects) > 0 {
			allowed, err := a.Filter(cmd.Context(), p, action, objects)
			if err != nil {
				return err
			}
			return command.WriteList(cmd.OutOrStdout(), format, allowed, command.Plain)
		}
		all, err := a.Grants(cmd.Context(), p, action)
		if err != nil {
			return err
		}
		var grants []listedGrant
		for _, g := range all {
			grants = append(grants, listedGrant(g))
		}
		return command.WriteList(cmd.OutOrStdout(), format, grants, listedGrant.text)
	}
	return cmd
}

// listedGrant is a casbinrules.Grant for output.
type listedGrant struct {
	Function string `json:"function"`
	Object   string `json:"object"`
	Rule     string `json:"rule,omitempty"`
}

func (g listedGrant) text() string {
	text := command.Plain(g.Object)
	if g.Function != "==" {
		text += "  (" + g.Function + ")"
	}
	if g.Rule != "" {
		text += "  " + command.Plain(g.Rule)
	}
	return text
}

func newSubjects() *cobra.Command {
	var (
		s              policyfile.Source
		format, tenant string
	)
	cmd := &cobra.Command{
		Use:   "subjects OBJECT ACTION",
		Short: "List who may do an action to an object",
		Long: `subjects lists the names by which the policy allows an action to an object: users,
whose credentials bring no roles, and roles, for whoever has one in credentials. A
policy does not say which of its names are roles that only credentials bring, so
such a name is listed as both, unless --role-prefix keeps the two apart. A line
"anybody" stands for all principals that the policy does not know, and "anonymous"
for requests without credentials.

OBJECT is asked as it is written.`,
		Example: "  sallyport subjects /reports/7 PATCH\n  sallyport subjects /reports GET --tenant acme",
		Args:    command.Exactly(2, "an object and an action"),
	}
	s.Flags(cmd)
	cmd.Flags().StringVar(&tenant, "tenant", "", "`tenant` to look in, for a model with tenants")
	command.FormatFlag(cmd, &format, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a, err := s.Open("")
		if err != nil {
			return err
		}
		set, err := a.Subjects(cmd.Context(), tenant, args[0], casbinrules.Action{Name: args[1], Named: ask.Named(args[1])})
		if err != nil {
			return err
		}
		list := listedSubjects{append([]string{}, set.Users...), append([]string{}, set.Roles...), set.Others, set.Anonymous}
		if format == "json" {
			return command.WriteJSON(cmd.OutOrStdout(), list)
		}
		list.write(cmd.OutOrStdout())
		return nil
	}
	return cmd
}

// listedSubjects is a casbinrules.SubjectSet for output.
type listedSubjects struct {
	Users     []string `json:"users"`
	Roles     []string `json:"roles"`
	Anybody   bool     `json:"anybody"`
	Anonymous bool     `json:"anonymous"`
}

func (l listedSubjects) write(w io.Writer) {
	for _, user := range l.Users {
		command.Say(w, "user %s\n", command.Plain(user))
	}
	for _, role := range l.Roles {
		command.Say(w, "role %s\n", command.Plain(role))
	}
	if l.Anybody {
		command.Say(w, "anybody\n")
	}
	if l.Anonymous {
		command.Say(w, "anonymous\n")
	}
}
