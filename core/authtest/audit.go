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

// Target is an application under [Audit].
type Target struct {
	// URL is where it is served, such as that of an httptest.Server.
	URL string
	// Routes are what Routes of the adapter lists, or a list written by hand.
	Routes []core.RouteInfo
}

// The codes of findings that [Audit] has beside those of [probe.Faults].
const (
	// AuditPutWithoutPatch is a route for PUT, and none for PATCH.
	AuditPutWithoutPatch = "put_without_patch"
	// AuditNoExpectation is a route that the test says nothing about.
	AuditNoExpectation = "no_expectation"
	// AuditNoRule is a route that somebody without any right gets.
	AuditNoRule = "no_rule"
	// AuditNoRoute is what the test says about a route that there is not.
	AuditNoRoute = "no_route"
	// AuditNotAsked is a route that could not be judged, since no path is known
	// that it answers.
	AuditNotAsked = "not_asked"
)

// AuditOption is an option of [Audit].
type AuditOption func(*audit) error

// audit is what a test says about an application.
type audit struct {
	settings probe.Settings
	public   []string
	signedIn []string
	may      []expectation
	paths    map[string]string
	putOnly  []string
	stranger string
}

// expectation is who may get the routes of a pattern.
type expectation struct {
	pattern string
	names   []string
}

// WithPublic lists patterns of routes that anybody may get: "/healthz",
// "/assets/*" or, for one method, "GET /reports". It may be given several times.
func WithPublic(patterns ...string) AuditOption {
	return func(a *audit) error { return addPatterns(&a.public, patterns) }
}

// WithSignedIn lists patterns of routes that everybody signed in may get.
func WithSignedIn(patterns ...string) AuditOption {
	return func(a *audit) error { return addPatterns(&a.signedIn, patterns) }
}

// WithPutOnly lists patterns of routes for PUT that are to have none for PATCH.
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

// WithUser asks each route as somebody whose credentials are good, too. Header is
// "Authorization: Bearer …" or any other field; a second one is a second field.
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

// WithStranger is [WithUser] for somebody signed in who has no role and no right:
// a route that lets this user in, and that [WithSignedIn] does not list, has no
// rule.
func WithStranger(name string, header ...string) AuditOption {
	return func(a *audit) error {
		a.stranger = name
		return WithUser(name, header...)(a)
	}
}

// WithBadCredentials sends credentials to each route that must be refused with
// 401, such as those of a user that was removed. A bearer token with an exp in the
// past is taken for such, however it is given.
func WithBadCredentials(name string, header ...string) AuditOption {
	return func(a *audit) error {
		if err := WithUser(name, header...)(a); err != nil {
			return err
		}
		a.settings.Identities[len(a.settings.Identities)-1].Bad = true
		return nil
	}
}

// WithSignIn tries wrong passwords where accounts sign in, such as at
// "POST /login", for accounts that exist and for others: the answers must not tell
// them apart. In body {account} and {password} are filled in; it is JSON if it
// begins with a brace, else a form, and "" is one of username and password.
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

// WithMay says which users may get the routes of a pattern, such as
// "PATCH /reports/:id"; all others are to get 403. Where several patterns name a
// route, the first one counts. Once a test says so of one route, each route has to
// have an expectation: by this option, [WithPublic] or [WithSignedIn].
func WithMay(pattern string, names ...string) AuditOption {
	return func(a *audit) error {
		a.may = append(a.may, expectation{pattern, names})
		return addPatterns(new([]string), []string{pattern})
	}
}

// WithPath says which path to ask a route for, in place of one in which each
// parameter is 1.
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

// Audit asks each route of an application, with each of its methods, without
// credentials, with bad ones and as the users given, and fails the test for
//
//   - each route that anybody gets and [WithPublic] does not list,
//   - each answer outside of the contract: 401 with a challenge, 403 without one,
//     both never kept by caches, and the other rules of package probe,
//   - each answer that a user should not get, by [WithMay], [WithSignedIn] and
//     [WithStranger],
//   - each route for PUT without one for PATCH,
//   - each route that the test says nothing about, once it says who may get one,
//     and each that it names and there is not.
//
// It logs a table of who got what. Handlers of routes that let a request pass do
// run, with an empty body, for all methods: the application has to be one made
// for the test.
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

// audited is what an audit saw.
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

// routes takes over what is to be asked: OPTIONS is the CORS preflight's, and the
// methods that no client of the application sends are left out.
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

// skipped are methods that routers list for "any" and no handler is written for.
func skipped(method string) bool {
	switch method {
	case http.MethodConnect, http.MethodTrace, "PROPFIND", "REPORT", "PURGE", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK":
		return true
	}
	return false
}

// verdict is what the test expects for a path as sent.
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

// expected is who may get a route.
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

// unknownRoutes finds routes without an expectation, once there are some, and
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

// withoutPatch finds routes for PUT that have none for PATCH.
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

// withoutRule finds routes that the stranger gets.
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

// notAsked finds routes whose path led nowhere: nothing is known about them.
func (a *audit) notAsked(r *probe.Report) []probe.Finding {
	var found []probe.Finding
	for _, x := range r.Exchanges {
		if x.Purpose == probe.Plain && x.As == probe.Anonymous && x.Err == nil && x.Status == http.StatusNotFound && !a.settings.Routes[x.Route].Public {
			if everybodyLost(r, x.Route) {
				f := auditFinding(AuditNotAsked, a.settings.Routes[x.Route], "404", "401 with a challenge", "Nothing answers at this path, so that nothing was judged: give one that exists with WithPath.")
				f.Path, f.Request = x.Target, x.Request
				found = append(found, f)
			}
		}
	}
	return found
}

// everybodyLost reports whether a route is 404 for all users, too.
func everybodyLost(r *probe.Report, route int) bool {
	return !slices.ContainsFunc(r.Exchanges, func(x probe.Exchange) bool {
		return x.Purpose == probe.Plain && x.Route == route && x.Status != http.StatusNotFound
	})
}

func auditFinding(code string, rt probe.Route, got, want, detail string) probe.Finding {
	return probe.Finding{Code: code, Method: rt.Method, Path: rt.Pattern, As: probe.Anonymous, Got: got, Want: want, Detail: detail,
		Request: probe.Request{Method: rt.Method, Target: probe.SamplePath(rt.Pattern, "1"), As: probe.Anonymous, Route: -1}}
}
