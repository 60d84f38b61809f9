package cli

import (
	"cmp"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sarif"
)

func newLint() *cobra.Command {
	var (
		s                      policyfile.Source
		public                 []string
		routes, format, failOn string
	)
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "List everything wrong with a policy",
		Long: `lint lists everything wrong with a model and its policy, errors, warnings and
notes, as

    file:line:column: severity: code: message (hint)

Errors refuse the policy when it is loaded; warnings are likely mistakes; notes
are about what is fine in most policies. With --routes it also compares the
policy with the routes of an application, as Routes of an adapter lists them,
written as JSON:

    [{"method": "GET", "pattern": "/reports/:id"}]

The exit code is 1 when there is a warning or an error, or with --fail-on error
when there is an error. Notes never change it.`,
		Args: command.NoArguments("name the policy with -p"),
	}
	s.Flags(cmd)
	command.FormatFlag(cmd, &format, "text", "json", "sarif")
	cmd.Flags().StringVar(&routes, "routes", "", "JSON `file` with the routes of the application")
	policyfile.PublicFlag(cmd, &public)
	cmd.Flags().StringVar(&failOn, "fail-on", "warning", "least `severity` for exit code 1: warning, error")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if failOn != "warning" && failOn != "error" {
			return command.Usagef("lint cannot fail on %q: use --fail-on warning or --fail-on error", failOn)
		}
		findings, err := s.Lint(routes, public)
		if err != nil {
			return err
		}
		switch out := cmd.OutOrStdout(); format {
		case "json":
			err = command.WriteJSON(out, jsonFindings(findings))
		case "sarif":
			err = command.WriteJSON(out, sarif.New(findings, columns{}.characters))
		default:
			writeFindings(out, findings)
		}
		return cmp.Or(err, command.FoundIf(slices.ContainsFunc(findings, func(f casbinrules.Finding) bool {
			return f.Severity == casbinrules.SeverityError || f.Severity == casbinrules.SeverityWarning && failOn == "warning"
		})))
	}
	return cmd
}

func writeFindings(w io.Writer, findings []casbinrules.Finding) {
	paint := command.PaletteFor(w)
	for _, f := range findings {
		severity := f.Severity.String()
		painted := severity
		switch f.Severity {
		case casbinrules.SeverityError:
			painted = paint.Red(severity)
		case casbinrules.SeverityWarning:
			painted = paint.Yellow(severity)
		}
		command.Say(w, "%s\n", strings.Replace(f.String(), ": "+severity+": "+f.Code+": ", ": "+painted+": "+f.Code+": ", 1))
	}
}

func severities(findings []casbinrules.Finding) map[casbinrules.Severity]int {
	counts := map[casbinrules.Severity]int{}
	for _, f := range findings {
		counts[f.Severity]++
	}
	return counts
}

type jsonFinding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func jsonFindings(findings []casbinrules.Finding) []jsonFinding {
	list := make([]jsonFinding, len(findings))
	for i, f := range findings {
		list[i] = jsonFinding{f.File, f.Line, f.Column, f.Severity.String(), f.Code, f.Message, f.Hint}
	}
	return list
}

// columns counts columns in characters, and caches the lines of each file.
type columns map[string][]string

// characters returns the column of f in characters, or in bytes if the file can no
// longer be read.
func (c columns) characters(f casbinrules.Finding) int {
	lines, ok := c[f.File]
	if !ok {
		if text, err := os.ReadFile(f.File); err == nil {
			lines = strings.Split(string(text), "\n")
		}
		c[f.File] = lines
	}
	if f.Line < 1 || f.Line > len(lines) || f.Column < 1 || f.Column > len(lines[f.Line-1]) {
		return f.Column
	}
	return utf8.RuneCountInString(lines[f.Line-1][:f.Column-1]) + 1
}
