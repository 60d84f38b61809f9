package inspect

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
)

func newExplain() *cobra.Command {
	var (
		s      policyfile.Source
		format string
		who    subjectFlags
	)
	cmd := &cobra.Command{
		Use:   "explain SUBJECT[:ROLE,ROLE...] OBJECT ACTION",
		Short: "Say why a request is allowed or refused",
		Long: `explain says whether a request is allowed and why: which line of which file
decides, through which roles, and when no line does, which come nearest.

Roles behind the last colon of SUBJECT are those that the credentials bring. A
subject with a colon of its own ends in one, or is used with --role; a role with
a comma in it is quoted. The subject anonymous is a request without credentials.
OBJECT is what the policy sees of the request, as a rule its path. A path is read
as a gate reads it, decoded and without query and trailing slash; one that a gate
answers with 400 is an error. An ACTION with
a lower-case letter is one that the application names itself, and no request
method. --claim gives the value of an attribute that the model asks for.

What the policy does not know, such as a misspelt role, is noted on stderr.`,
		Example: "  sallyport explain erin /reports/7 PATCH\n  sallyport explain sam:viewer,auditor /reports GET",
		Args:    command.Exactly(3, "a subject, an object and an action"),
	}
	s.Flags(cmd)
	s.PathFlags(cmd)
	command.FormatFlag(cmd, &format, "text", "json")
	who.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q, err := who.question(args[0])
		if err != nil {
			return err
		}
		q.Object, q.Action = args[1], args[2]
		a, err := s.Open("")
		if err != nil {
			return err
		}
		who.noteColon(cmd.ErrOrStderr(), a, args[0], q)
		if q, err = orient(&s, cmd.ErrOrStderr(), a, q); err != nil {
			return err
		}
		e, err := ask.Explain(cmd.Context(), a, q)
		if err != nil {
			return err
		}
		if format == "json" {
			return command.WriteJSON(cmd.OutOrStdout(), e)
		}
		paint := command.PaletteFor(cmd.OutOrStdout())
		painted := paint.Red("deny")
		if e.Allowed {
			painted = paint.Green("allow")
		}
		command.Say(cmd.OutOrStdout(), "%s: %s\n", painted, e)
		return nil
	}
	return cmd
}

// subjectFlags are the flags of commands with an argument SUBJECT.
type subjectFlags struct {
	tenant        string
	roles, claims []string
}

func (f *subjectFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "`tenant` of the credentials")
	cmd.Flags().StringArrayVar(&f.claims, "claim", nil, "`name=value` of an attribute; may be repeated")
	cmd.Flags().StringArrayVar(&f.roles, "role", nil, "`role` that the credentials bring; may be repeated, and SUBJECT is then taken as it is")
}

// question returns a question by the subject, without object and action.
func (f *subjectFlags) question(subject string) (q ask.Question, err error) {
	q = ask.Question{Subject: subject, Roles: f.roles, Tenant: f.tenant}
	if len(f.roles) == 0 {
		if q.Subject, q.Roles, err = policyfile.SplitRoles(subject); err != nil {
			return q, err
		}
	}
	given, err := policyfile.ReadClaims(f.claims)
	if err != nil {
		return q, err
	}
	if q.Attributes, err = policyfile.OneEach(given); err != nil {
		return q, err
	}
	if q.Subject == "" {
		return q, command.Usagef("the subject is empty: name a user, or anonymous for a request without credentials")
	}
	return q, nil
}

// noteColon notes on stderr that the policy is about the whole argument SUBJECT, such
// as client:web, of which q has only what is before its last colon.
func (f *subjectFlags) noteColon(stderr io.Writer, a *ask.Policy, subject string, q ask.Question) {
	if len(f.roles) == 0 && len(q.Roles) > 0 && ask.NewNames(a).KnowsSubject(subject) {
		command.Say(stderr, "sallyport: note: this asks about %q with the role %q; the policy has a subject %q, which is written with a colon at its end: %q\n",
			q.Subject, strings.Join(q.Roles, ","), subject, subject+":")
	}
}

// orient puts object and action into the right order, reads the object as a gate
// does, and prints notes about what the policy does not know.
func orient(s *policyfile.Source, stderr io.Writer, a *ask.Policy, q ask.Question) (ask.Question, error) {
	names := ask.NewNames(a)
	q, hint, err := names.Orient(q)
	if err != nil {
		return q, command.Usage(err)
	}
	if hint != "" {
		command.Say(stderr, "sallyport: hint: %s\n", command.Plain(hint))
	}
	q, note, err := s.Canonical(q)
	if err != nil {
		return q, command.Usage(err)
	}
	var notes []string
	if note != "" {
		notes = append(notes, note)
	}
	notes = append(notes, names.Misfits(q, false)...)
	for _, p := range names.Unknown(q, false) {
		notes = append(notes, p.Text)
	}
	for _, note := range notes {
		command.Say(stderr, "sallyport: note: %s\n", command.Plain(note))
	}
	return q, nil
}
