package operate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/probing"
	"github.com/sallyport-go/sallyport/core/probe"
)

type probeFlags struct {
	source                         policyfile.Source
	routes, openAPI, direct        string
	public, as, bad, writes, hosts []string
	accounts                       []string
	login                          string
	claims                         []string
	tenant, origin                 string
	format, output                 string
	baseline, newBaseline          string
	rate                           float64
	timeout                        time.Duration
	dryRun                         bool
	settings                       probe.Settings
	target, directTarget           string
}

func newProbe() *cobra.Command {
	f := &probeFlags{}
	cmd := &cobra.Command{
		Use:   "probe URL",
		Short: "Ask a running HTTP service who gets what, and list what is wrong",
		Long: `probe requests each route of a running HTTP service, written in any language:
without credentials, as each identity of --as, with credentials that must not be
accepted, with other spellings and with other methods. It lists every answer that
confuses 401 with 403, lacks a challenge, may be cached, reveals too much, or lets
through in one form what is refused in another.

Routes come from --routes, as Routes of an adapter lists them, written as JSON,

    [{"method": "GET", "pattern": "/reports/:id"}]

where "path" may say what to request; from an OpenAPI file; or else from the
policy. --public names those that anyone may get. With a policy (-m, -p) the
expected verdict for each name of --as comes from it: the name is a user of the
policy or one of its roles.

Only GET, HEAD and OPTIONS are sent, unless --write names a route. --login names
where accounts sign in: wrong passwords are sent there, 4 for each --account, to
see whether the answers reveal that it exists. A service that does not run on this
machine has to be named a second time, with --host. Requests never go to another
host.

The exit code is 1 when there is a finding that --baseline does not have.`,
		Example: `  sallyport probe --routes routes.json --public /healthz \
    --as erin='Authorization: Bearer eyJh…' -p policy.csv http://127.0.0.1:8080`,
		Args: command.Exactly(1, "the URL of the service"),
	}
	f.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := f.prepare(cmd, args[0]); err != nil {
			return err
		}
		if f.dryRun {
			return f.printPlan(cmd.OutOrStdout())
		}
		return f.run(cmd)
	}
	return cmd
}

func (f *probeFlags) flags(cmd *cobra.Command) {
	f.source.PolicyFlags(cmd)
	f.source.ConfigFlag(cmd, "")
	command.BeforeRun(cmd, f.source.FromConfig)
	f.source.PathFlags(cmd)
	command.FormatFlag(cmd, &f.format, "text", "json", "sarif", "junit", "html")
	fl := cmd.Flags()
	fl.StringVar(&f.routes, "routes", "", "JSON `file` with the routes of the application")
	fl.StringVar(&f.openAPI, "openapi", "", "OpenAPI 3 `file` with the routes of the application")
	fl.StringVar(&f.direct, "direct", "", "`URL` of the service itself, if the other URL is a proxy in front of it: compare both")
	fl.StringArrayVar(&f.public, "public", nil, "`pattern` of routes that anyone may get, such as /assets/*; may be repeated")
	fl.StringArrayVar(&f.as, "as", nil, "identity with valid credentials: `NAME='Header: value'`; may be repeated")
	fl.StringArrayVar(&f.bad, "bad", nil, "credentials that must be refused with 401, as with --as: expired or revoked; may be repeated")
	fl.StringArrayVar(&f.writes, "write", nil, "consent to `METHOD PATTERN`, which may change something; may be repeated")
	fl.StringVar(&f.login, "login", "", "consent to try wrong passwords at `'METHOD PATH [BODY]'`, where accounts sign in")
	fl.StringArrayVar(&f.accounts, "account", nil, "`name` of an account that exists, for --login and Basic; may be repeated")
	fl.StringArrayVar(&f.hosts, "host", nil, "the `host` of URL once more, if it is not this machine; may be repeated")
	fl.StringArrayVar(&f.claims, "claim", nil, "value of an attribute that the model needs, as `name=value`; may be repeated")
	fl.StringVar(&f.tenant, "tenant", "", "`tenant` of all identities, if the model has tenants")
	fl.StringVar(&f.origin, "origin", "", "`origin` that cross-origin requests name (default https://app.example)")
	fl.StringVarP(&f.output, "output", "o", "", "write to `file`")
	fl.StringVar(&f.baseline, "baseline", "", "`file` with known findings, which do not change the exit code")
	fl.StringVar(&f.newBaseline, "write-baseline", "", "write all findings to `file` as known ones")
	fl.Float64Var(&f.rate, "rate", 0, "maximum `number` of requests per second (default 20, or 500 for this machine)")
	fl.DurationVar(&f.timeout, "timeout", 10*time.Second, "limit for one request")
	fl.BoolVar(&f.dryRun, "dry-run", false, "print what would be sent, and send nothing")
}

// printPlan prints all requests that might be sent.
func (f *probeFlags) printPlan(w io.Writer) error {
	plan, err := probe.Plan(f.settings)
	if err != nil {
		return err
	}
	for _, r := range plan {
		where := ""
		if r.Direct {
			where = " directly"
		}
		command.Say(w, "%s: %s %s as %s%s", r.Purpose, r.Method, command.Plain(r.Target), command.Plain(r.As), where)
		if r.Variant != "" {
			command.Say(w, " (%s)", command.Plain(r.Variant))
		}
		command.Say(w, "\n")
	}
	for _, name := range probe.Accounts(plan) {
		command.Say(w, "wrong passwords for the account %s: %d at most\n", command.Plain(name), probe.AccountTries)
	}
	command.Say(w, "%s at most, and what public pages link to\n", command.Quantity(len(plan), "request"))
	return nil
}

func (f *probeFlags) run(cmd *cobra.Command) error {
	known := probing.Baseline(nil)
	if f.baseline != "" {
		var err error
		if known, err = probing.ReadBaseline(f.baseline); err != nil {
			return err
		}
	}
	report, err := f.ask(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	result := probing.NewResult(f.target, f.directTarget, report, f.settings, known)
	if f.newBaseline != "" {
		text, err := result.Baseline()
		if err != nil {
			return err
		}
		if err := atomicfile.Write(f.newBaseline, text); err != nil {
			return err
		}
	}
	err = cmp.Or(f.write(cmd, result), command.FoundIf(result.New() > 0 && f.newBaseline == ""))
	if err == nil && !result.Evaluated() && f.settings.Login == nil {
		return errors.New("no answer could be evaluated, as the notes say (name routes that exist: with --routes, --openapi or -p)")
	}
	return err
}

// ask runs the plan. On a terminal it shows the progress.
func (f *probeFlags) ask(ctx context.Context, stderr io.Writer) (*probe.Report, error) {
	opts := []probe.Option{probe.WithRate(f.rate), probe.WithTimeout(f.timeout)}
	if f.directTarget != "" {
		opts = append(opts, probe.WithDirect(origin(f.directTarget)))
	}
	client, err := probe.NewClient(origin(f.target), opts...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var progress probe.Progress
	if file, ok := stderr.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		progress = func(stage string, done, of int) { command.Say(stderr, "\r\x1b[K%s: %d of %d", stage, done+1, of) }
		defer command.Say(stderr, "\r\x1b[K")
	}
	return probe.Run(ctx, f.settings, client, progress)
}

func origin(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return target
	}
	return u.Scheme + "://" + u.Host
}

func (f *probeFlags) write(cmd *cobra.Command, r probing.Result) error {
	if f.output == "" {
		return f.writeTo(cmd.OutOrStdout(), r)
	}
	var b bytes.Buffer
	err := f.writeTo(&b, r)
	if err == nil {
		err = atomicfile.Write(f.output, b.Bytes())
	}
	if err == nil {
		command.Say(cmd.ErrOrStderr(), "%s\n", command.Plain(r.Summary()))
	}
	return err
}

func (f *probeFlags) writeTo(w io.Writer, r probing.Result) error {
	switch f.format {
	case "json":
		return command.WriteJSON(w, r)
	case "sarif":
		return r.WriteSARIF(w, probing.NewPlaces(cmp.Or(f.routes, f.openAPI)), f.settings.Routes)
	case "junit":
		return r.WriteJUnit(w)
	case "html":
		return r.WriteHTML(w)
	}
	paint := command.PaletteFor(w)
	return r.WriteText(w, func(kind, word string) string {
		if kind == "code" {
			return paint.Red(word)
		}
		return paint.Yellow(word)
	})
}

// allowed returns an error for a host that is neither this machine nor named with --host.
func (f *probeFlags) allowed(u *url.URL) error {
	if isLoopback(u.Hostname()) || slices.ContainsFunc(f.hosts, func(h string) bool {
		return strings.EqualFold(h, u.Hostname()) || strings.EqualFold(h, u.Host)
	}) {
		return nil
	}
	return command.Usagef("%s is not this machine: if you may probe it, name it a second time with --host %s", u.Hostname(), u.Hostname())
}
