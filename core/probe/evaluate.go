package probe

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// evaluate reports what is wrong with the responses to a plan for s.
func evaluate(s *Settings, log exchanges) *Report {
	e := &evaluation{Settings: s, log: withoutSecrets(s, log), seen: map[string]bool{}}
	for _, x := range e.log {
		if x.Direct {
			continue
		}
		switch x.Purpose {
		case Plain:
			e.plain(x)
		case Again:
			e.checkAgain(x)
		case BadCredentials:
			e.badCredentials(x)
		case Navigation:
			e.navigation(x)
		case Spelling, Method:
			e.variant(x)
		case Link:
			e.link(x)
		case Account:
			e.wrongPassword(x)
		}
		e.refusal(x)
		e.body(x)
	}
	e.cachedRefusals()
	e.burst()
	e.crossOrigin()
	e.crawlers()
	e.accounts()
	e.sameDenials()
	e.consistency()
	e.edges()
	e.noteUnrequested()
	rank := map[string]int{}
	for i, c := range Faults() {
		rank[c.Name] = i
	}
	slices.SortStableFunc(e.findings, func(a, b Finding) int { return rank[a.Code] - rank[b.Code] })
	return &Report{Findings: e.findings, Exchanges: log, Notes: e.notes}
}

// evaluation collects findings.
type evaluation struct {
	*Settings
	log      exchanges
	findings []Finding
	notes    []string
	seen     map[string]bool
}

// Expected answers.
const (
	wantChallenge = "401 with a challenge"
	wantForbidden = "403"
)

const rateLimitDetail = "A rate limit answers 403, which tells clients to stop for good; 429 tells them to wait."

// find adds a finding, once per request and sender.
func (e *evaluation) find(code string, x Exchange, got, want, detail string) {
	if e.once(code, x.Method, x.Target, x.As) {
		e.findings = append(e.findings, Finding{
			Code: code, Method: x.Method, Path: x.Target, As: x.As, Got: got, Want: want, Detail: detail, Request: x.Request,
		})
	}
}

// once reports whether it is called with these parts for the first time.
func (e *evaluation) once(parts ...string) bool {
	key := strings.Join(parts, "\x00")
	if e.seen[key] {
		return false
	}
	e.seen[key] = true
	return true
}

func (e *evaluation) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(e.notes, text) {
		e.notes = append(e.notes, text)
	}
}

// plain checks the answer to the request for a route as registered.
func (e *evaluation) plain(x Exchange) {
	public := e.Routes[x.Route].Public
	switch {
	case x.Err != nil:
		e.find(FaultNoAnswer, x, "no answer", "an answer", "The connection ended without a response: "+x.Err.Error()+".")
	case x.Status >= 500 && x.Status != http.StatusNotImplemented && !outage(x.Answer):
		want := wantChallenge
		if x.As != Anonymous || public {
			want = "no server error"
		}
		e.find(FaultServerError, x, status(x.Answer), want, "The service fails instead of answering.")
	case outage(x.Answer):
		e.note("%s %s as %s was not evaluated: %d says that a dependency is down", x.Method, x.Target, x.As, x.Status)
	case x.Status == http.StatusTooManyRequests:
		e.note("%s %s as %s was not evaluated: a rate limit refused it", x.Method, x.Target, x.As)
	case x.Status == http.StatusForbidden && rateLimited(x.Answer):
		e.find(FaultRateLimitForbidden, x, "403", "429", rateLimitDetail)
	case public:
		e.publicRoute(x)
	case x.As == Anonymous:
		e.anonymous(x)
	default:
		e.signedIn(x)
	}
}

// signIn matches a path that ends with the usual name of a sign-in endpoint.
var signIn = regexp.MustCompile(`(?i)/((log|sign)[-_]?(in|on)|sessions?|tokens?|auth|authenticate)$`)

func (e *evaluation) publicRoute(x Exchange) {
	if path, _, _ := strings.Cut(x.Target, "?"); x.Method == http.MethodPost && x.Status == http.StatusUnauthorized && signIn.MatchString(path) {
		e.note("POST %s as %s was not evaluated: without a password, 401 is right; to have its answers compared, name it as the login", x.Target, x.As)
		return
	}
	if x.refused() {
		e.find(FaultPublicRefused, x, status(x.Answer), "200", "The route is listed as public, but requests are refused.")
	}
}

// anonymous checks the answer without credentials for a route that is not public.
func (e *evaluation) anonymous(x Exchange) {
	switch {
	case x.Via != nil && !redirectedToSelf(x):
		e.redirected(x, wantChallenge)
	case x.Status == http.StatusUnauthorized:
	case x.Status == http.StatusForbidden:
		e.find(FaultAnonymousForbidden, x, "403", wantChallenge,
			"Without credentials there is no known user who could lack a permission; 403 tells clients not to sign in.")
	case x.Status < 300 && (denial(x) || signInForm(x)):
		e.find(FaultSoftDenial, x, status(x.Answer), wantChallenge, "The body says that access is denied, or asks the user to sign in, but the status says success: "+excerpt(x.Body)+".")
	case x.Status < 300:
		e.find(FaultOpenRoute, x, status(x.Answer), wantChallenge, "Anyone can access this route, although it is not listed as public.")
	case redirects(x.Status):
		e.note("%s %s without credentials redirects to %s, which was not followed", x.Method, x.Target, x.Answer.Header.Get("Location"))
	case inconclusive(x.Status):
		e.note("%s %s as %s was not evaluated: it answers %d", x.Method, x.Target, x.As, x.Status)
	default:
		e.find(FaultAnonymousStatus, x, status(x.Answer), wantChallenge, "A request without credentials must be told to authenticate, whatever else is wrong with it.")
	}
}

// inconclusive reports whether a status may mean that the path does not exist in this form.
func inconclusive(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone,
		http.StatusUnsupportedMediaType, http.StatusNotImplemented, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}

// redirected checks a redirect to another page in place of a refusal.
func (e *evaluation) redirected(x Exchange, want string) {
	to := x.Via[len(x.Via)-1]
	if x.Status < 300 {
		e.find(FaultRedirectDenial, x, fmt.Sprintf("%d to %s, which answers %d", x.First, to, x.Status), want,
			"A client that follows the redirect takes that page for the resource it requested.")
		return
	}
	e.note("%s %s as %s redirects to %s, which answers %d", x.Method, x.Target, x.As, to, x.Status)
}

// signedIn checks the answer to valid credentials.
func (e *evaluation) signedIn(x Exchange) {
	verdict := e.expected(x.As, x.Method, x.Target)
	switch {
	case x.Via != nil && !redirectedToSelf(x):
		if verdict == Deny || verdict == Unknown && e.alsoRedirected(x) {
			e.redirected(x, wantForbidden)
		}
	case x.Status == http.StatusUnauthorized && stepUp(x.Answer):
	case x.Status == http.StatusUnauthorized && e.freshAnswer(x):
	case x.Status == http.StatusUnauthorized && verdict == Unknown && e.wantsOtherScheme(x):
		e.note("%s %s as %s was not evaluated: it accepts only credentials of another scheme", x.Method, x.Target, x.As)
	case x.Status == http.StatusUnauthorized:
		want := map[Verdict]string{Deny: wantForbidden, Allow: "200", Unknown: "200 or 403"}[verdict]
		e.find(FaultSignedInUnauthorized, x, "401", want,
			"The credentials of "+x.As+" are valid, so signing in again changes nothing; 401 makes clients try.")
	case x.Status == http.StatusForbidden && verdict == Allow && !e.freshAnswer(x):
		e.find(FaultRefusedThoughAllowed, x, "403", "200", "The policy allows this request of "+x.As+".")
	case x.Status < 300 && verdict != Allow && denial(x):
		e.find(FaultSoftDenial, x, status(x.Answer), wantForbidden, "The body says that access is denied, but the status says success: "+excerpt(x.Body)+".")
	case x.Status < 300 && verdict == Deny:
		e.find(FaultAllowedThoughDenied, x, status(x.Answer), wantForbidden, "The policy denies this request of "+x.As+".")
	case verdict == Deny && redirects(x.Status) && redirectedToHTTPS(x):
		e.note("%s %s as %s redirects to %s, which was not followed", x.Method, x.Target, x.As, x.Answer.Header.Get("Location"))
	case verdict == Deny && x.Status != http.StatusForbidden && inconclusive(x.Status):
		e.note("%s %s as %s was not evaluated: it answers %d", x.Method, x.Target, x.As, x.Status)
	case verdict == Deny && x.Status != http.StatusForbidden:
		e.find(FaultForbiddenStatus, x, status(x.Answer), wantForbidden, "The policy denies this request of "+x.As+".")
	}
}

// expected returns the policy's verdict on a request for a path as sent.
func (e *evaluation) expected(as, method, target string) Verdict {
	if e.Expect == nil {
		return Unknown
	}
	return e.Expect(as, method, strings.TrimPrefix(target, e.Base))
}

// alsoRedirected reports whether a request without credentials is redirected to the same
// page.
func (e *evaluation) alsoRedirected(x Exchange) bool {
	o, ok := e.log.first(Plain, x.Route, Anonymous)
	return ok && len(o.Via) > 0 && o.Via[len(o.Via)-1] == x.Via[len(x.Via)-1]
}

func (e *evaluation) link(x Exchange) {
	if x.refused() {
		e.find(FaultLinkRefused, x, status(x.Answer), "200, or no link to it", "The public "+x.Variant+" links to it, but visitors and crawlers are refused.")
	}
}

// noteUnrequested notes the routes that were not requested.
func (e *evaluation) noteUnrequested() {
	n := 0
	for i, r := range e.Routes {
		if !e.Sent(i) && !slices.Contains(safe, r.method()) {
			n++
		}
	}
	for _, i := range e.requested() {
		if e.endsSession(i) && len(e.good()) > 0 {
			e.note("%s %s was requested without credentials only: it may end the sender's session", e.Routes[i].method(), e.Routes[i].target())
		}
	}
	if n > 0 {
		e.note("%d routes were not requested: their methods may change something, and there is no consent", n)
	}
}
