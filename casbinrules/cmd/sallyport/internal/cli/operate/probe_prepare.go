package operate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/matrix"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/probing"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/probe"
)

// prepare turns the command line into settings.
func (f *probeFlags) prepare(cmd *cobra.Command, target string) error {
	u, err := f.address(target)
	if err != nil {
		return err
	}
	f.target = strings.TrimSuffix(u.String(), "/")
	f.settings.Host, f.settings.Base = u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	f.settings.Origin = f.origin
	local := isLoopback(u.Hostname())
	if f.direct != "" {
		d, err := f.address(f.direct)
		if err != nil {
			return err
		}
		f.directTarget, f.settings.Direct = strings.TrimSuffix(d.String(), "/"), true
		local = local && isLoopback(d.Hostname())
	}
	switch {
	case f.rate < 0:
		return command.Usagef("--rate %v: give a number of requests a second", f.rate)
	case f.rate == 0 && local:
		f.rate = 500
	case f.rate == 0:
		f.rate = 20
	}
	if f.timeout <= 0 {
		return command.Usagef("--timeout %v: give how long a request may take, such as 10s", f.timeout)
	}
	people, err := f.people()
	if err != nil {
		return err
	}
	policy, err := f.policy(cmd.Context(), people)
	if err != nil {
		return err
	}
	if err := f.signIn(); err != nil {
		return err
	}
	if err := f.findRoutes(cmd.Context(), policy); err != nil {
		return err
	}
	return f.mark(cmd.Context(), policy)
}

// signIn reads --login and --account.
func (f *probeFlags) signIn() error {
	f.settings.Users = append(slices.Clone(f.accounts), f.settings.Users...)
	if f.login == "" {
		return nil
	}
	parts := append(strings.SplitN(f.login, " ", 3), "", "")
	f.settings.Login = &probe.Login{Method: parts[0], Path: parts[1], Body: parts[2]}
	if _, err := probe.Plan(probe.Settings{Login: f.settings.Login, Users: f.settings.Users, Identities: f.settings.Identities}); err != nil {
		return command.Usagef("--login %s: %s; write 'METHOD PATH', or 'METHOD PATH BODY' with {account} and {password} in a form or in JSON, and --account NAME", parts[0]+" "+parts[1], strings.TrimPrefix(err.Error(), "probe: login: "))
	}
	return nil
}

// address reads a URL that may be probed.
func (f *probeFlags) address(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return nil, command.Usage(command.ErrNoURL)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, command.Usagef("the address is not the URL of a service: write http://HOST or https://HOST")
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, command.Usagef("leave query, fragment and user out of the address; credentials are given with --as")
	}
	return u, f.allowed(u)
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// people reads --as and --bad.
func (f *probeFlags) people() ([]probing.Person, error) {
	var people []probing.Person
	for _, given := range []struct {
		flag   string
		values []string
		bad    bool
	}{{"--as", f.as, false}, {"--bad", f.bad, true}} {
		for _, value := range given.values {
			person, header, err := identity(given.flag, value)
			if err != nil {
				return nil, err
			}
			ids := f.settings.Identities
			at := slices.IndexFunc(ids, func(id probe.Identity) bool { return id.Name == person.Name })
			switch {
			case at < 0:
				f.settings.Identities = append(ids, probe.Identity{Name: person.Name, Header: []core.Field{header}, Bad: given.bad})
				people = append(people, person)
			case ids[at].Bad != given.bad:
				return nil, command.Usagef("%s %s: --as and --bad have the same name", given.flag, person.Name)
			default:
				ids[at].Header = append(ids[at].Header, header)
			}
		}
	}
	return people, nil
}

// maxName is the maximum length of a text that errors quote as a name.
const maxName = 32

// identity parses NAME[:ROLE,…]='Header: value'.
func identity(flag, value string) (probing.Person, core.Field, error) {
	const hint = "write NAME='Header: value', such as erin='Authorization: Bearer …'"
	who, header, ok := strings.Cut(value, "=")
	if strings.Contains(who, ": ") || !ok && (strings.Contains(who, " ") || len(who) > maxName) {
		return probing.Person{}, core.Field{}, command.Usagef("%s: a value does not begin with a name: %s", flag, hint) // not quoted: it may be credentials
	}
	name, text, colon := strings.Cut(header, ":")
	if !ok || !colon || who == "" {
		return probing.Person{}, core.Field{}, command.Usagef("%s %s: %s", flag, who, hint)
	}
	field := core.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(text)}
	if !challenge.IsToken(field.Name) || field.Value == "" || strings.ContainsAny(field.Value, "\r\n\x00") {
		return probing.Person{}, core.Field{}, command.Usagef("%s %s: the header is not one that can be sent: %s", flag, who, hint)
	}
	id, roles, err := policyfile.SplitRoles(who)
	if err != nil {
		return probing.Person{}, core.Field{}, err
	}
	if id == "" || id == probe.Anonymous {
		return probing.Person{}, core.Field{}, command.Usagef("%s %s: requests without credentials are made anyway: give somebody another name", flag, who)
	}
	return probing.Person{Name: id, Roles: roles}, field, nil
}

func (f *probeFlags) policy(ctx context.Context, people []probing.Person) (*probing.Policy, error) {
	if len(f.source.Policies) == 0 && f.source.Model == "" && f.source.Config == "" {
		return nil, nil
	}
	a, err := f.source.Open("")
	if err != nil {
		return nil, err
	}
	given, err := policyfile.ReadClaims(f.claims)
	if err != nil {
		return nil, err
	}
	claims, err := policyfile.OneEach(given)
	if err != nil {
		return nil, err
	}
	p := &probing.Policy{Authorizer: a, Tenant: f.tenant, Attributes: claims, Canonical: f.source.Canonical}
	p.Prepare(ctx, people)
	f.settings.Expect = func(as, method, path string) probe.Verdict { return p.Expect(ctx, as, method, path) }
	f.settings.Words, f.settings.Users = p.Roles(), p.Users()
	return p, nil
}

// findRoutes determines the routes to request: those given, or those of the policy.
func (f *probeFlags) findRoutes(ctx context.Context, policy *probing.Policy) error {
	switch {
	case f.routes != "" && f.openAPI != "":
		return command.Usagef("give one of --routes and --openapi")
	case f.routes != "":
		return f.readProbeRoutes()
	case f.openAPI != "":
		routes, err := probing.OpenAPI(ctx, f.openAPI)
		for _, r := range routes {
			// A server's path may also be in the URL.
			if base := f.settings.Base; base != "" && strings.HasPrefix(r.Path, base+"/") {
				r.Path, r.Pattern = strings.TrimPrefix(r.Path, base), strings.TrimPrefix(r.Pattern, base)
			}
			f.addRoute(r)
		}
		return err
	case policy != nil:
		return f.policyRoutes(ctx, policy.Authorizer)
	}
	f.settings.Routes = []probe.Route{{Method: "GET", Pattern: "/"}}
	return nil
}

// readProbeRoutes reads --routes, in which a route may have a path to request.
func (f *probeFlags) readProbeRoutes() error {
	list, err := policyfile.ReadRoutes(f.routes)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(f.routes)
	if err != nil {
		return fmt.Errorf("read routes: %w", err)
	}
	paths := make([]struct {
		Path string `json:"path"`
	}, 0, len(list))
	if err := json.Unmarshal(text, &paths); err != nil {
		return fmt.Errorf("read routes: %s: %w", f.routes, err)
	}
	for i, r := range list {
		if p := paths[i].Path; p != "" && !strings.HasPrefix(p, "/") || strings.ContainsAny(p, " \t\r\n\x00") {
			return fmt.Errorf("read routes: %s: route %d: path %q does not begin with / or holds a blank", f.routes, i+1, p)
		}
		f.addRoute(probe.Route{Method: r.Method, Pattern: r.Pattern, Path: paths[i].Path})
	}
	return nil
}

func (f *probeFlags) addRoute(r probe.Route) {
	f.settings.Routes = distinct.Add(f.settings.Routes, r)
}

// policyRoutes uses the patterns of the policy as routes.
func (f *probeFlags) policyRoutes(ctx context.Context, a *ask.Policy) error {
	given, err := policyfile.ReadClaims(f.claims)
	if err != nil {
		return err
	}
	m, err := matrix.New(ctx, a, matrix.Settings{Who: f.source.Who(ask.Who{}), Claims: given, Types: f.source.Types()})
	if err != nil {
		return err
	}
	for _, row := range m.Rows {
		if strings.HasPrefix(row.Sample, "/") && !ask.Named(row.Method) {
			f.addRoute(probe.Route{Method: row.Method, Pattern: row.Route, Path: row.Sample})
		}
	}
	if len(f.settings.Routes) == 0 {
		return command.Usagef("the policy names no path to ask for: give --routes")
	}
	return nil
}

// mark marks which routes are public, and for which there is consent to write.
func (f *probeFlags) mark(ctx context.Context, policy *probing.Policy) error {
	for _, w := range f.writes {
		if method, pattern, ok := strings.Cut(w, " "); !ok || method == "" || !strings.HasPrefix(pattern, "/") {
			return command.Usagef("--write %s: name a method and a pattern, such as \"PATCH /reports/:id\"", w)
		}
	}
	if f.source.ObjectRoute && policy != nil {
		policy.Patterns = map[string]string{}
	}
	for i, r := range f.settings.Routes {
		path := cmp.Or(r.Path, probe.SamplePath(r.Pattern, "1"))
		if policy != nil && policy.Patterns != nil {
			policy.Patterns[path] = r.Pattern
		}
		method := r.Method
		if method == "*" || method == "ANY" {
			method = "GET"
		}
		names := func(pattern string) bool {
			return probe.Match(pattern, method, r.Pattern) || probe.Match(pattern, method, path)
		}
		f.settings.Routes[i].Public = slices.ContainsFunc(f.public, names) ||
			f.source.AllowAnonymous && policy != nil && !f.source.ObjectRoute && policy.Anonymous(ctx, method, path)
		f.settings.Routes[i].Write = slices.ContainsFunc(f.writes, names)
	}
	return nil
}
