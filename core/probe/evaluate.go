package probe

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// evaluate reports what is wrong with the responses to a plan for s.
func evaluate(s *Settings, log []Exchange) *Report {
	j := &evaluation{Settings: s, log: withoutSecrets(s, log), seen: map[string]bool{}}
	for _, x := range j.log {
		if x.Direct {
			continue
		}
		switch x.Purpose {
		case Plain:
			j.plain(x)
		case Again:
			j.again(x)
		case BadCredentials:
			j.badCredentials(x)
		case Navigation:
			j.navigation(x)
		case Spelling, Method:
			j.variant(x)
		case Link:
			j.link(x)
		case Account:
			j.wrongPassword(x)
		}
		j.refusal(x)
		j.body(x)
	}
	j.fresh()
	j.burst()
	j.origins()
	j.crawlers()
	j.accounts()
	j.denials()
	j.consistency()
	j.edges()
	j.unasked()
	rank := map[string]int{}
	for i, c := range Faults() {
		rank[c.Name] = i
	}
	slices.SortStableFunc(j.findings, func(a, b Finding) int { return rank[a.Code] - rank[b.Code] })
	return &Report{Findings: j.findings, Exchanges: log, Notes: j.notes}
}

// evaluation collects findings.
type evaluation struct {
	*Settings
	log      []Exchange
	findings []Finding
	notes    []string
	seen     map[string]bool
}

// What a request should get.
const (
	wantChallenge = "401 with a challenge"
	wantForbidden = "403"
)

// find adds a finding, once for each request and sender.
func (j *evaluation) find(code string, x Exchange, got, want, detail string) {
	if j.once(code, x.Method, x.Target, x.As) {
		j.findings = append(j.findings, Finding{
			Code: code, Method: x.Method, Path: x.Target, As: x.As, Got: got, Want: want, Detail: detail, Request: x.Request,
		})
	}
}

// once reports whether it is called with these parts for the first time.
func (j *evaluation) once(parts ...string) bool {
	key := strings.Join(parts, "\x00")
	if j.seen[key] {
		return false
	}
	j.seen[key] = true
	return true
}

func (j *evaluation) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(j.notes, text) {
		j.notes = append(j.notes, text)
	}
}

// plain checks the answer to the request for a route as registered.
func (j *evaluation) plain(x Exchange) {
	public := j.Routes[x.Route].Public
	switch {
	case x.Err != nil:
		j.find(FaultNoAnswer, x, "no answer", "an answer", "The connection ended without a response: "+x.Err.Error()+".")
	case x.Status >= 500 && x.Status != http.StatusNotImplemented && !outage(x.Answer):
		want := wantChallenge
		if x.As != Anonymous || public {
			want = "no server error"
		}
		j.find(FaultServerError, x, status(x.Answer), want, "The service fails where it should answer.")
	case outage(x.Answer):
		j.note("%s %s as %s was not judged: %d says that a dependency is down", x.Method, x.Target, x.As, x.Status)
	case x.Status == http.StatusTooManyRequests:
		j.note("%s %s as %s was not judged: a rate limit refused it", x.Method, x.Target, x.As)
	case x.Status == http.StatusForbidden && limited(x.Answer):
		j.find(FaultRateLimitForbidden, x, "403", "429", "A rate limit answers 403, which tells clients to stop for good; 429 tells them to wait.")
	case public:
		j.publicRoute(x)
	case x.As == Anonymous:
		j.anonymous(x)
	default:
		j.signedIn(x)
	}
}

// signIn matches a path that ends with the usual name of a sign-in endpoint.
var signIn = regexp.MustCompile(`(?i)/((log|sign)[-_]?(in|on)|sessions?|tokens?|auth|authenticate)$`)

func (j *evaluation) publicRoute(x Exchange) {
	if path, _, _ := strings.Cut(x.Target, "?"); x.Method == http.MethodPost && x.Status == http.StatusUnauthorized && signIn.MatchString(path) {
		j.note("POST %s as %s was not judged: without a password 401 is right; to have its answers compared, name it as the login", x.Target, x.As)
		return
	}
	if x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden {
		j.find(FaultPublicRefused, x, status(x.Answer), "200", "The route is listed as public, and it is refused.")
	}
}

// anonymous checks the answer without credentials for a route that is not public.
func (j *evaluation) anonymous(x Exchange) {
	switch {
	case x.Via != nil && !samePlace(x):
		j.redirected(x, wantChallenge)
	case x.Status == http.StatusUnauthorized:
	case x.Status == http.StatusForbidden:
		j.find(FaultAnonymousForbidden, x, "403", wantChallenge,
			"The request carries no credentials, so nobody is known who could lack a right; 403 tells clients not to sign in.")
	case x.Status < 300 && (denial(x) || signInForm(x)):
		j.find(FaultSoftDenial, x, status(x.Answer), wantChallenge, "The body says that access is denied, or asks to sign in, and the status says success: "+excerpt(x.Body)+".")
	case x.Status < 300:
		j.find(FaultOpenRoute, x, status(x.Answer), wantChallenge, "Anybody gets this route, and it is not listed as public.")
	case redirects(x.Status):
		j.note("%s %s without credentials leads to %s, which was not followed", x.Method, x.Target, x.Answer.Header.Get("Location"))
	case inconclusive(x.Status):
		j.note("%s %s as %s was not judged: it answers %d", x.Method, x.Target, x.As, x.Status)
	default:
		j.find(FaultAnonymousStatus, x, status(x.Answer), wantChallenge, "A request without credentials is to be asked for some, whatever else is wrong with it.")
	}
}

// inconclusive reports whether a status may mean that the path does not exist in
// this form.
func inconclusive(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone,
		http.StatusUnsupportedMediaType, http.StatusNotImplemented, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}

// redirected checks a refusal that redirects to another page.
func (j *evaluation) redirected(x Exchange, want string) {
	to := x.Via[len(x.Via)-1]
	if x.Status < 300 {
		j.find(FaultRedirectDenial, x, fmt.Sprintf("%d to %s, which answers %d", x.First, to, x.Status), want,
			"A client that follows the redirect takes the page it leads to for what it asked for.")
		return
	}
	j.note("%s %s as %s leads to %s, which answers %d", x.Method, x.Target, x.As, to, x.Status)
}

// signedIn checks the answer to valid credentials.
func (j *evaluation) signedIn(x Exchange) {
	verdict := j.expected(x.As, x.Method, x.Target)
	switch {
	case x.Via != nil && !samePlace(x):
		if verdict == Deny || verdict == Unknown && j.alsoRedirected(x) {
			j.redirected(x, wantForbidden)
		}
	case x.Status == http.StatusUnauthorized && stepUp(x.Answer):
	case x.Status == http.StatusUnauthorized && j.freshAnswer(x):
	case x.Status == http.StatusUnauthorized && verdict == Unknown && j.otherScheme(x):
		j.note("%s %s as %s was not judged: it takes credentials of another scheme than theirs", x.Method, x.Target, x.As)
	case x.Status == http.StatusUnauthorized:
		want := map[Verdict]string{Deny: wantForbidden, Allow: "200", Unknown: "200 or 403"}[verdict]
		j.find(FaultSignedInUnauthorized, x, "401", want,
			"The credentials of "+x.As+" are good, so that signing in again changes nothing; 401 makes clients try.")
	case x.Status == http.StatusForbidden && verdict == Allow && !j.freshAnswer(x):
		j.find(FaultRefusedThoughAllowed, x, "403", "200", "The policy allows it to "+x.As+".")
	case x.Status < 300 && verdict != Allow && denial(x):
		j.find(FaultSoftDenial, x, status(x.Answer), wantForbidden, "The body says that access is denied, and the status says success: "+excerpt(x.Body)+".")
	case x.Status < 300 && verdict == Deny:
		j.find(FaultAllowedThoughDenied, x, status(x.Answer), wantForbidden, "The policy denies it to "+x.As+".")
	case verdict == Deny && redirects(x.Status) && onlyAnotherScheme(x):
		j.note("%s %s as %s leads to %s, which was not followed", x.Method, x.Target, x.As, x.Answer.Header.Get("Location"))
	case verdict == Deny && x.Status != http.StatusForbidden && inconclusive(x.Status):
		j.note("%s %s as %s was not judged: it answers %d", x.Method, x.Target, x.As, x.Status)
	case verdict == Deny && x.Status != http.StatusForbidden:
		j.find(FaultForbiddenStatus, x, status(x.Answer), wantForbidden, "The policy denies it to "+x.As+".")
	}
}

// expected returns the policy's verdict on a request for a path as sent.
func (j *evaluation) expected(as, method, target string) Verdict {
	if j.Expect == nil {
		return Unknown
	}
	return j.Expect(as, method, strings.TrimPrefix(target, j.Base))
}

// alsoRedirected reports whether a request without credentials is redirected to the same
// page.
func (j *evaluation) alsoRedirected(x Exchange) bool {
	o, ok := j.answerTo(Plain, x.Route, Anonymous)
	return ok && len(o.Via) > 0 && o.Via[len(o.Via)-1] == x.Via[len(x.Via)-1]
}

// answerTo returns the first exchange of a sender for a route.
func (j *evaluation) answerTo(p Purpose, route int, as string) (Exchange, bool) {
	for _, x := range j.log {
		if x.Purpose == p && x.Route == route && x.As == as && !x.Direct {
			return x, true
		}
	}
	return Exchange{}, false
}

func (j *evaluation) link(x Exchange) {
	if x.Err == nil && (x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden) {
		j.find(FaultLinkRefused, x, status(x.Answer), "200, or no reference to it", "The public "+x.Variant+" refers to it, and visitors and crawlers are refused.")
	}
}

// unasked notes the routes that were not requested.
func (j *evaluation) unasked() {
	n := 0
	for i, r := range j.Routes {
		if !j.Sent(i) && !slices.Contains(safe, r.method()) {
			n++
		}
	}
	for _, i := range j.asked() {
		if j.endsSession(i) && len(j.good()) > 0 {
			j.note("%s %s was asked for without credentials only: it may end the session of whoever asks", j.Routes[i].method(), j.Routes[i].target())
		}
	}
	if n > 0 {
		j.note("%d routes were not asked for: their methods may change something, and there is no consent", n)
	}
}
