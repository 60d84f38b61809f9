package authtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

// credentials returns the credentials of a request, "" for none.
func credentials(x Exchange) string {
	value, _ := x.Request().Header("Authorization")
	return value
}

// refusing returns a handler that sends the given status, body and fields to requests whose
// credentials does matches. Others are decided by a rule for alice and bob.
func refusing(status int, body string, does func(credentials string) bool, fields ...string) func(g *core.Guard) Handler {
	return func(g *core.Guard) Handler {
		return func(x Exchange) error {
			if !does(credentials(x)) {
				if err := x.Check(g, only("alice", "bob")); err != nil {
					return err
				}
				return ok(x)
			}
			x.SetHeader("Cache-Control", "no-store")
			if status == http.StatusUnauthorized {
				x.SetHeader("WWW-Authenticate", `Name realm="test"`)
			}
			for i := 0; i < len(fields); i += 2 {
				x.SetHeader(fields[i], fields[i+1])
			}
			return x.Text(status, body)
		}
	}
}

func nobody(c string) bool { return c == "" }

func stranger(c string) bool { return c == "Name eve" }

func bearers(c string) bool { return strings.HasPrefix(c, "Bearer ") }

// mistakes are the mistakes that an audit detects, each in a route of its own.
var mistakes = []struct {
	name, code, as string
	method         string
	handler        func(*core.Guard) Handler
}{
	{"no gate", probe.FaultOpenRoute, "anonymous", "GET", func(*core.Guard) Handler { return ok }},
	{"no gate on PATCH", probe.FaultOpenRoute, "anonymous", "PATCH", func(*core.Guard) Handler { return ok }},
	{"403 for nobody", probe.FaultAnonymousForbidden, "anonymous", "GET", refusing(403, "no", nobody)},
	{"400 for nobody", probe.FaultAnonymousStatus, "anonymous", "GET", refusing(400, "no", nobody)},
	{"500 for nobody", probe.FaultServerError, "anonymous", "GET", refusing(500, "no", nobody)},
	{"401 for a stranger", probe.FaultSignedInUnauthorized, "eve", "GET", refusing(401, "who?", stranger)},
	{"400 for a stranger", probe.FaultForbiddenStatus, "eve", "GET", refusing(400, "what?", stranger)},
	{"no rule", probe.FaultAllowedThoughDenied, "eve", "GET", refusing(200, "here", stranger)},
	{"a rule too many", probe.FaultRefusedThoughAllowed, "bob", "GET", refusing(403, "no", func(c string) bool { return c == "Name bob" })},
	{"a page with 200 for nobody", probe.FaultSoftDenial, "anonymous", "GET", refusing(200, "Access denied", nobody)},
	{"a page with 200 for a stranger", probe.FaultSoftDenial, "eve", "GET", refusing(200, "Access denied", stranger)},
	{"a redirect for nobody", probe.FaultRedirectDenial, "anonymous", "GET", refusing(302, "", nobody, "Location", "/open")},
	{"no challenge", probe.FaultChallengeMissing, "anonymous", "GET", refusing(401, "who?", nobody, "WWW-Authenticate", "")},
	{"a challenge that is none", probe.FaultChallengeMalformed, "anonymous", "GET", refusing(401, "who?", nobody, "WWW-Authenticate", `Name realm="x`)},
	{"a challenge on 403", probe.FaultChallengeOn403, "eve", "GET", refusing(403, "no", stranger, "WWW-Authenticate", `Name realm="test"`)},
	{"a 401 for caches", probe.FaultCacheableRefusal, "anonymous", "GET", refusing(401, "who?", nobody, "Cache-Control", "max-age=60")},
	{"a 403 for caches", probe.FaultCacheableRefusal, "eve", "GET", refusing(403, "no", stranger, "Cache-Control", "public")},
	{"a role in the body", probe.FaultRuleInBody, "eve", "GET", refusing(403, `needs the role "editor"`, stranger)},
	{"a trace in the body", probe.FaultStackTrace, "anonymous", "GET", refusing(401, "goroutine 1 [running]:\nmain.go:7", nobody)},
	{"400 for a token that is none", probe.FaultBadCredentialsStatus, "malformed token", "GET", refusing(400, "no", bearers)},
	{"403 for a foreign token", probe.FaultBadCredentialsStatus, "foreign token", "GET", refusing(403, "no", bearers)},
	{"500 for a token that is none", probe.FaultBadCredentialsStatus, "malformed token", "GET", refusing(500, "no", bearers)},
	{"an unsigned token", probe.FaultBadCredentialsAccepted, "unsigned token", "GET", refusing(200, "here", bearers)},
	{"another challenge", probe.FaultInconsistentChallenge, "anonymous", "GET", refusing(401, "who?", nobody, "WWW-Authenticate", `Other realm="test"`)},
	{"another form of body", probe.FaultInconsistentBody, "anonymous", "GET", refusing(401, `["who?"]`, nobody)},
	{"a crawler gets in", probe.FaultCrawlerDifference, "anonymous", "GET", func(g *core.Guard) Handler {
		gated := refusing(401, "who?", nobody)(g)
		return func(x Exchange) error {
			if agent, _ := x.Request().Header("User-Agent"); strings.Contains(agent, "Googlebot") {
				return ok(x)
			}
			return gated(x)
		}
	}},
}

// auditMistakes checks that an audit of an application with all of them finds each.
func auditMistakes(t *testing.T, f Framework) {
	if len(mistakes) < 20 {
		t.Fatalf("only %d mistakes", len(mistakes))
	}
	g, _ := guard(t)
	routes := auditedRoutes(t)
	pattern := func(i int) string { return fmt.Sprintf("/mistake%d", i) }
	for i, m := range mistakes {
		routes = append(routes, Route{Pattern: pattern(i), Methods: []string{m.method}, Handler: m.handler(g)})
	}
	_, findings := auditOf(t, f, routes, auditOptions(WithMay("/mistake*", "alice", "bob")))
	for i, m := range mistakes {
		if !slices.ContainsFunc(findings, func(found probe.Finding) bool {
			return found.Code == m.code && found.Method == m.method && found.Path == pattern(i) && found.As == m.as
		}) {
			t.Errorf("%s: no %s for %s as %s in %s", m.name, m.code, pattern(i), m.as, summary(findings))
		}
	}
}

func summary(findings []probe.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "\n%s: %s %s as %s: got %s", f.Code, f.Method, f.Path, f.As, f.Got)
	}
	return b.String()
}
