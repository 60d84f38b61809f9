package inspect

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/quoted"
	"github.com/sallyport-go/sallyport/core"
)

// maxRequest is the maximum length of a line of requests, in bytes.
const maxRequest = 64 << 10

func newCheck() *cobra.Command {
	var s policyfile.Source
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Decide requests read from stdin",
		Long: `check reads requests from stdin, one a line, with the fields of the model's
request definition in its order, separated by commas:

    erin, /reports/7, PATCH

A field with a comma in it is quoted. For each line it prints one line, in
order: "allow", "deny", or "error: " and why the request cannot be decided.

Requests are decided as by a gate, for a subject whose credentials bring no
roles; the subject anonymous is a request without credentials. A path is read as
a gate reads it, decoded and without query and trailing slash, which a note on
stderr then says; one that a gate answers with 400 is an error. With --as-casbin
the answer is that of Casbin's own Enforce, and the text is asked as it is.

The exit code is 1 when a request could not be decided.`,
		Example: `  printf 'erin, /reports/7, PATCH\n' | sallyport check -m rbac -p policy.csv`,
		Args:    command.NoArguments("name the policy with -p, and send the requests to stdin"),
	}
	s.Flags(cmd)
	s.PathFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		// Casbin's own Enforce has no roles from credentials.
		s.WithoutTokenRoles = s.WithoutTokenRoles || s.AsCasbin
		a, err := s.Open("")
		if err != nil {
			return err
		}
		c := checker{authorizer: a, fields: a.RequestFields(), source: &s, stderr: cmd.ErrOrStderr()}
		return c.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
	}
	return cmd
}

// checker decides requests, one per line.
type checker struct {
	authorizer *ask.Policy
	fields     []string
	source     *policyfile.Source
	stderr     io.Writer
	line       int // the current one, counted from 1
}

// run answers line by line, in bounded memory. Answers are buffered only while
// further input is available.
func (c *checker) run(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	in := bufio.NewReaderSize(stdin, maxRequest)
	out := bufio.NewWriterSize(stdout, maxRequest)
	failed := false
	for {
		line, err := readLine(in)
		c.line++
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, errLong) {
			return errors.Join(fmt.Errorf("read stdin: %w", err), out.Flush())
		}
		answer := "deny"
		var d core.Decision
		if err == nil {
			d, err = c.decide(ctx, line)
		}
		switch {
		case err != nil:
			failed = true
			answer = "error: " + command.OneLine(err)
		case d.Allowed:
			answer = "allow"
		}
		if _, err := out.WriteString(answer + "\n"); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return command.FoundIf(failed)
}

var errLong = fmt.Errorf("the line is longer than %d bytes", maxRequest)

// readLine reads a line without its line feed. It skips the rest of a line that is
// too long.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return "", errLong
	}
	if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
		return "", err
	}
	return strings.TrimSpace(string(line)), nil
}

func (c *checker) decide(ctx context.Context, line string) (core.Decision, error) {
	if line == "" {
		return core.Decision{}, fmt.Errorf("the line is empty: a request is %s", strings.Join(c.fields, ", "))
	}
	if !utf8.ValidString(line) {
		return core.Decision{}, errors.New("the line is not valid UTF-8")
	}
	if strings.HasPrefix(line, "\ufeff") {
		return core.Decision{}, errors.New("the line begins with a byte order mark: send UTF-8 without one")
	}
	values, err := quoted.Fields(line)
	if err != nil {
		return core.Decision{}, err
	}
	if len(values) != len(c.fields) {
		hint := ""
		if len(values) < len(c.fields) && slices.ContainsFunc(values, func(v string) bool { return len(strings.Fields(v)) > 1 }) {
			hint = ": fields are separated by commas"
		}
		return core.Decision{}, fmt.Errorf("a request has %d fields by the model (%s), and this one has %d%s",
			len(c.fields), strings.Join(c.fields, ", "), len(values), hint)
	}
	if c.source.AsCasbin {
		return c.authorizer.Enforce(ctx, values...)
	}
	q, note, err := c.source.Canonical(question(c.fields, values))
	if err != nil {
		return core.Decision{}, err
	}
	if note != "" {
		command.Say(c.stderr, "sallyport: line %d: note: %s\n", c.line, command.Plain(note))
	}
	return ask.DecideReadable(ctx, c.authorizer, q)
}

// question returns the question with the values of a request definition's fields.
func question(fields, values []string) ask.Question {
	var q ask.Question
	for i, field := range fields {
		switch field {
		case "sub":
			q.Subject = values[i]
		case "obj":
			q.Object = values[i]
		case "act":
			q.Action = values[i]
		case "dom", "domain", "tenant":
			q.Tenant = values[i]
		default:
			if q.Attributes == nil {
				q.Attributes = map[string]any{}
			}
			q.Attributes[field] = values[i]
		}
	}
	return q
}
