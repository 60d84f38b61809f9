package review

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/matrix"
)

const matrixHelp = `matrix asks the policy about every role and route and prints a table of allow and
deny: as text, CSV, Markdown, JSON with the deciding lines, or as one HTML page
that needs no network, in which each cell links to the line that decides.

Routes are those that Routes of an adapter lists, written as JSON:

    [{"method": "GET", "pattern": "/reports/:id"}]

Without --routes they are the patterns of the policy itself. A route stands for
one request, in which each parameter is filled with a word that the policy does
not name, such as "sample": a rule for one value of the parameter does not show.

Where the model asks for attributes there is a column for each value that the
policy names, or for those given with --claim.

Roles are in the order of the policy's lines, and routes in that of the policy
or of the file. With --sort name both are in the order of their names.`

func newMatrix() *cobra.Command {
	var (
		s                     policyfile.Source
		format, routes, order string
		claims                []string
		settings              matrix.Settings
	)
	cmd := &cobra.Command{
		Use:     "matrix",
		Short:   "Draw who may do what, as a table of roles and routes",
		Long:    matrixHelp,
		Example: "  sallyport matrix -p policy.csv --format html > matrix.html",
		Args:    command.NoArguments("name the policy with -p"),
	}
	s.Flags(cmd)
	command.FormatFlag(cmd, &format, "text", "csv", "markdown", "html", "json")
	command.ChoiceFlag(cmd, &order, "sort", "`order` of routes and roles: ", "policy", "name")
	f := cmd.Flags()
	f.StringVar(&routes, "routes", "", "JSON `file` with the routes of the application")
	f.BoolVar(&settings.Users, "users", false, "a column for each user with a role, too")
	f.StringArrayVar(&claims, "claim", nil, "draw this value of an attribute, as `name=value`; may be repeated")
	f.StringArrayVar(&settings.Tenants, "tenant", nil, "draw this `tenant` only; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		settings.ByName = order == "name"
		a, m, err := draw(cmd.Context(), &s, routes, claims, &settings)
		if err != nil {
			return err
		}
		if format != "html" {
			return writeMatrix(cmd.OutOrStdout(), m, format)
		}
		files, err := listings(&s, a)
		if err != nil {
			return err
		}
		return m.WriteHTML(cmd.OutOrStdout(), a.Version().Files[0], a.Version().Hash, files)
	}
	return cmd
}

// draw opens the policy and draws its table by settings, which it completes.
func draw(ctx context.Context, s *policyfile.Source, routes string, claims []string, settings *matrix.Settings) (*ask.Policy, *matrix.Matrix, error) {
	var err error
	if s.ObjectRoute && routes == "" {
		return nil, nil, command.Usagef("--object-route needs --routes: the policy alone does not tell routes")
	}
	if routes != "" {
		if settings.Routes, err = policyfile.ReadRoutes(routes); err != nil {
			return nil, nil, err
		}
	}
	a, err := s.Open("")
	if err != nil {
		return nil, nil, err
	}
	if settings.Claims, err = policyfile.ReadClaims(claims); err != nil {
		return nil, nil, err
	}
	settings.Who, settings.ByRoute, settings.Types = s.Who(settings.Who), s.ObjectRoute, s.Types()
	m, err := matrix.New(ctx, a, *settings)
	return a, m, err
}

// listings returns the files of a policy for a page, on which lines are linked to. It is
// an error if they are no longer those that the policy was loaded from.
func listings(s *policyfile.Source, a *ask.Policy) ([]matrix.Listing, error) {
	v := a.Version()
	var files []matrix.Listing
	for _, name := range v.Files[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		files = append(files, matrix.Listing{Name: name, Text: text})
	}
	now, err := s.Open("")
	if err == nil && now.Version().Hash != v.Hash {
		err = errors.New("the policy was changed meanwhile: nothing was written, so try again")
	}
	return files, err
}

func writeMatrix(w io.Writer, m *matrix.Matrix, format string) error {
	switch format {
	case "csv":
		return m.WriteCSV(w)
	case "markdown":
		return m.WriteMarkdown(w)
	case "json":
		return m.WriteJSON(w)
	}
	paint := command.PaletteFor(w)
	return m.WriteText(w, func(word, padded string) string {
		switch word {
		case "allow":
			return paint.Green(padded)
		case "error":
			return paint.Red(padded)
		}
		return padded
	})
}
