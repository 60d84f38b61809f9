package authtest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/probe"
)

// Target is an application to [Audit].
type Target struct {
	// URL is the address at which it is served, such as that of an httptest.Server.
	URL string
	// Routes are the routes, from the adapter's Routes or written by hand.
	Routes []core.RouteInfo
}

// The codes of findings of [Audit] in addition to those of [probe.Faults].
const (
	// AuditPutWithoutPatch means that a route for PUT has no counterpart for PATCH.
	AuditPutWithoutPatch = "put_without_patch"
	// AuditNoExpectation means that the test states no expectation for a route.
	AuditNoExpectation = "no_expectation"
	// AuditNoRule means that a route allows a user without any rights.
	AuditNoRule = "no_rule"
	// AuditNoRoute means that the test states an expectation for a route that does not
	// exist.
	AuditNoRoute = "no_route"
	// AuditNotAsked means that a route could not be checked, since no path is known that it
	// answers.
	AuditNotAsked = "not_asked"
)

// AuditOption is an option of [Audit].
type AuditOption func(*audit) error

// audit holds the expectations of a test about an application.
type audit struct {
	settings probe.Settings
	public   []string
	signedIn []string
	may      []expectation
	paths    map[string]string
	putOnly  []string
	stranger string
}

// expectation says who may access the routes of a pattern.
type expectation struct {
	pattern string
	names   []string
}

// WithPublic lists patterns of routes that anyone may access: "/healthz", "/assets/*" or,
// for a single method, "GET /reports". It may be given several times.
func WithPublic(patterns ...string) AuditOption {
	return func(a *audit) error { return addPatterns(&a.public, patterns) }
}

// WithSignedIn lists patterns of routes that everyone signed in may access.
func WithSignedIn(patterns ...string) AuditOption {
	return func(a *audit) error { return addPatterns(&a.signedIn, patterns) }
}

// WithPutOnly lists patterns of PUT routes that need no counterpart for PATCH.
func WithPutOnly(patterns ...string) AuditOption {
	return func(a *audit) error { return addPatterns(&a.putOnly, patterns) }
}

func addPatterns(list *[]string, patterns []string) error {
	for _, p := range patterns {
		if !strings.Contains(p, "/") {
			return fmt.Errorf("pattern %q: must be a path, with or without a method in front", p)
		}
	}
	*list = append(*list, patterns...)
	return nil
}

// WithUser also requests each route with valid credentials of a user. Each header is a
// field such as "Authorization: Bearer …".
func WithUser(name string, header ...string) AuditOption {
	return func(a *audit) error {
		fields, err := fieldsOf(header)
		if err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		a.settings.Identities = append(a.settings.Identities, probe.Identity{Name: name, Header: fields})
		return nil
	}
}

// WithStranger is [WithUser] for a user without any role or right. A route that allows this
// user, and that [WithSignedIn] does not list, has no rule.
func WithStranger(name string, header ...string) AuditOption {
	return func(a *audit) error {
		a.stranger = name
		return WithUser(name, header...)(a)
	}
}

// WithBadCredentials also requests each route with credentials that must be refused with
// 401, such as those of a removed user. A bearer token whose exp is in the past is treated
// as bad credentials even if it is given to another option.
func WithBadCredentials(name string, header ...string) AuditOption {
	return func(a *audit) error {
		if err := WithUser(name, header...)(a); err != nil {
			return err
		}
		a.settings.Identities[len(a.settings.Identities)-1].Bad = true
		return nil
	}
}

// WithSignIn tries wrong passwords at the route where accounts sign in, such as "POST
// /login", for accounts that exist and for others: the answers must not differ. body is a
// template with {account} and {password}. It is JSON if it begins with a brace, and
// otherwise a form; "" stands for a form with username and password.
func WithSignIn(route, body string, accounts ...string) AuditOption {
	return func(a *audit) error {
		method, path, ok := strings.Cut(route, " ")
		if !ok || len(accounts) == 0 {
			return fmt.Errorf("login %q: give a method, a path and accounts that exist, such as \"POST /login\"", route)
		}
		a.settings.Login = &probe.Login{Method: method, Path: path, Body: body}
		a.settings.Users = accounts
		return nil
	}
}

// WithMay names the users who may access the routes of a pattern, such as "PATCH
// /reports/:id"; all others must get 403. If several patterns match a route, the first one
// applies. Once a test uses WithMay, every route needs an expectation: by this option,
// [WithPublic] or [WithSignedIn].
func WithMay(pattern string, names ...string) AuditOption {
	return func(a *audit) error {
		a.may = append(a.may, expectation{pattern, names})
		return addPatterns(new([]string), []string{pattern})
	}
}

// WithPath sets the path to request for a route, instead of one in which every parameter is
// 1.
func WithPath(pattern, path string) AuditOption {
	return func(a *audit) error {
		if a.paths == nil {
			a.paths = map[string]string{}
		}
		a.paths[pattern] = path
		return addPatterns(new([]string), []string{pattern, path})
	}
}

func fieldsOf(lines []string) ([]core.Field, error) {
	if len(lines) == 0 {
		return nil, errors.New(`there are no credentials: give them as "Authorization: Bearer …"`)
	}
	var fields []core.Field
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(value) == "" {
			return nil, fmt.Errorf("header %q: must be a field, such as \"Authorization: Bearer …\"", line)
		}
		fields = append(fields, core.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return fields, nil
}

// Audit requests each route of an application, with each of its methods, without
// credentials, with bad credentials and as the given users. It fails the test for
//
//   - each route that anyone can access and [WithPublic] does not list,
//   - each answer that breaks the contract: 401 with a challenge, 403 without one,
//     both never stored by caches, and the other rules of package probe,
//   - each answer that a user should not get, by [WithMay], [WithSignedIn] and
//     [WithStranger],
//   - each route for PUT without one for PATCH,
//   - each route without an expectation, once the test states any with WithMay, and
//     each expectation without a route.
//
// It logs a table of the results. Handlers of routes that let a request pass do run, with
// an empty body and for all methods, so the application must be one made for the test.
func Audit(t testing.TB, target Target, opts ...AuditOption) {
	t.Helper()
	a, findings, err := runAudit(t, target, opts)
	if err != nil {
		t.Fatalf("authtest: Audit: %v", err)
		return
	}
	t.Log("\n" + a.table)
	for _, f := range findings {
		t.Errorf("%s: %s %s as %s: got %s, want %s: %s\n\t%s", f.Code, f.Method, f.Path, f.As, f.Got, f.Want, f.Detail, f.Curl(target.URL, a.identities))
	}
}

// audited is the result of an audit.
type audited struct {
	table      string
	identities []probe.Identity
}

// runAudit is [Audit] without failing a test.
func runAudit(t testing.TB, target Target, opts []AuditOption) (audited, []probe.Finding, error) {
	t.Helper()
	a := &audit{}
	if err := option.Apply(a, opts); err != nil {
		return audited{}, nil, err
	}
	u, err := url.Parse(target.URL)
	if err != nil {
		return audited{}, nil, err
	}
	if len(target.Routes) == 0 {
		return audited{}, nil, errors.New("there are no routes: list those of the application, as Routes of the adapter does")
	}
	a.routes(target.Routes)
	a.settings.Host, a.settings.Base = u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	a.settings.Expect = a.verdict
	client, err := probe.NewClient(u.Scheme+"://"+u.Host, probe.WithTimeout(TimeLimit(time.Minute)))
	if err != nil {
		return audited{}, nil, err
	}
	defer client.Close()
	report, err := probe.Run(t.Context(), a.settings, client, nil)
	if err != nil {
		return audited{}, nil, err
	}
	findings := slices.Concat(a.unknownRoutes(), a.withoutPatch(), a.withoutRule(report), report.Findings, a.notAsked(report))
	return audited{report.Table().String(), a.settings.Identities}, findings, nil
}

// routes determines the requests to send. It leaves out OPTIONS, which is for CORS
// preflights, and methods that no client of the application sends.
func (a *audit) routes(list []core.RouteInfo) {
	for _, r := range list {
		route := probe.Route{Method: r.Method, Pattern: r.Pattern, Write: true}
		for pattern, path := range a.paths {
			if probe.Match(pattern, r.Method, r.Pattern) {
				route.Path = path
			}
		}
		path := cmp.Or(route.Path, probe.SamplePath(r.Pattern, "1"))
		route.Public = slices.ContainsFunc(a.public, func(p string) bool {
			return probe.Match(p, r.Method, r.Pattern) || probe.Match(p, r.Method, path)
		})
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			route.Write = false
		}
		if !skipped(r.Method) && !slices.Contains(a.settings.Routes, route) {
			a.settings.Routes = append(a.settings.Routes, route)
		}
	}
}

// skipped reports whether routers list a method for "any" although no handler is written
// for it.
func skipped(method string) bool {
	switch method {
	case http.MethodConnect, http.MethodTrace, "PROPFIND", "REPORT", "PURGE", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK":
		return true
	}
	return false
}

// verdict returns the expected verdict for a path as sent.
func (a *audit) verdict(as, method, path string) probe.Verdict {
	for _, rt := range a.settings.Routes {
		sent := cmp.Or(rt.Path, probe.SamplePath(rt.Pattern, "1"))
		if sent != path || !strings.EqualFold(rt.Method, method) && rt.Method != "" {
			continue
		}
		e, ok := a.expected(rt)
		switch {
		case !ok:
			return probe.Unknown
		case slices.Contains(e.names, as):
			return probe.Allow
		default:
			return probe.Deny
		}
	}
	return probe.Unknown
}

// expected returns the expectation for a route.
func (a *audit) expected(rt probe.Route) (expectation, bool) {
	for _, e := range a.may {
		if probe.Match(e.pattern, rt.Method, rt.Pattern) {
			return e, true
		}
	}
	for _, p := range a.signedIn {
		if probe.Match(p, rt.Method, rt.Pattern) {
			var names []string
			for _, id := range a.settings.Identities {
				names = append(names, id.Name)
			}
			return expectation{p, names}, true
		}
	}
	return expectation{}, false
}

// unknownRoutes finds routes without an expectation, if there are any expectations, and
// expectations without a route.
func (a *audit) unknownRoutes() []probe.Finding {
	var found []probe.Finding
	for i, rt := range a.settings.Routes {
		if _, ok := a.expected(rt); !ok && !rt.Public && len(a.may) > 0 && a.settings.Sent(i) {
			found = append(found, auditFinding(AuditNoExpectation, rt, "no expectation", "one", "The test does not say who may get this route: add WithMay, WithSignedIn or WithPublic."))
		}
	}
	var patterns []string
	for _, e := range a.may {
		patterns = append(patterns, e.pattern)
	}
	for _, p := range slices.Concat(patterns, a.signedIn, a.putOnly) {
		if !slices.ContainsFunc(a.settings.Routes, func(rt probe.Route) bool {
			return probe.Match(p, rt.Method, rt.Pattern) || probe.Match(p, rt.Method, probe.SamplePath(rt.Pattern, "1"))
		}) {
			found = append(found, auditFinding(AuditNoRoute, probe.Route{Pattern: p}, "no route", "one", "The test names a route that the application does not have: correct the pattern, or leave it out."))
		}
	}
	return found
}

// withoutPatch finds routes for PUT without one for PATCH.
func (a *audit) withoutPatch() []probe.Finding {
	var found []probe.Finding
	for _, rt := range a.settings.Routes {
		if rt.Method != http.MethodPut || slices.ContainsFunc(a.putOnly, func(p string) bool { return probe.Match(p, rt.Method, rt.Pattern) }) {
			continue
		}
		if !slices.ContainsFunc(a.settings.Routes, func(o probe.Route) bool { return o.Method == http.MethodPatch && o.Pattern == rt.Pattern }) {
			found = append(found, auditFinding(AuditPutWithoutPatch, rt, "no route for PATCH", "one behind the same gates",
				"A PATCH that somebody adds later is easily left without the gates of PUT: add it, or list the route in WithPutOnly."))
		}
	}
	return found
}

// withoutRule finds routes that the stranger can access.
func (a *audit) withoutRule(r *probe.Report) []probe.Finding {
	var found []probe.Finding
	for _, x := range r.Exchanges {
		if a.stranger == "" || x.Purpose != probe.Plain || x.As != a.stranger || x.Err != nil || x.Status >= 300 || a.settings.Routes[x.Route].Public {
			continue
		}
		if _, ok := a.expected(a.settings.Routes[x.Route]); !ok {
			f := auditFinding(AuditNoRule, a.settings.Routes[x.Route], strconv.Itoa(x.Status), "403", "Somebody signed in without any right gets this route: it has no rule. List it in WithSignedIn if it needs none.")
			f.As, f.Request = x.As, x.Request
			found = append(found, f)
		}
	}
	return found
}

// notAsked finds routes whose path was not found: nothing is known about them.
func (a *audit) notAsked(r *probe.Report) []probe.Finding {
	var found []probe.Finding
	for _, x := range r.Exchanges {
		if x.Purpose == probe.Plain && x.As == probe.Anonymous && x.Err == nil && x.Status == http.StatusNotFound && !a.settings.Routes[x.Route].Public {
			if everybodyLost(r, x.Route) {
				f := auditFinding(AuditNotAsked, a.settings.Routes[x.Route], "404", "401 with a challenge", "Nothing answers at this path, so nothing was evaluated: give one that exists with WithPath.")
				f.Path, f.Request = x.Target, x.Request
				found = append(found, f)
			}
		}
	}
	return found
}

// everybodyLost reports whether a route answers 404 to all users as well.
func everybodyLost(r *probe.Report, route int) bool {
	return !slices.ContainsFunc(r.Exchanges, func(x probe.Exchange) bool {
		return x.Purpose == probe.Plain && x.Route == route && x.Status != http.StatusNotFound
	})
}

func auditFinding(code string, rt probe.Route, got, want, detail string) probe.Finding {
	return probe.Finding{Code: code, Method: rt.Method, Path: rt.Pattern, As: probe.Anonymous, Got: got, Want: want, Detail: detail,
		Request: probe.Request{Method: rt.Method, Target: probe.SamplePath(rt.Pattern, "1"), As: probe.Anonymous, Route: -1}}
}
