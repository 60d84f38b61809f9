package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Judge says what is wrong with answers to a plan for s.
func Judge(s Settings, log []Exchange) (*Report, error) {
	st, err := newState(s)
	if err != nil {
		return nil, err
	}
	return judge(st.Settings, log), nil
}

func judge(s *Settings, log []Exchange) *Report {
	j := &judgement{Settings: s, log: log, seen: map[string]bool{}}
	for _, x := range log {
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
		case Spelling, Method:
			j.variant(x)
		case Link:
			j.link(x)
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

// judgement collects what is wrong.
type judgement struct {
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

// find adds a finding, once for what was asked and by whom.
func (j *judgement) find(code string, x Exchange, got, want, detail string) {
	if j.once(code, x.Method, x.Target, x.As) {
		j.findings = append(j.findings, Finding{
			Code: code, Method: x.Method, Path: x.Target, As: x.As, Got: got, Want: want, Detail: detail, Request: x.Request,
		})
	}
}

// once reports whether it is asked about these for the first time.
func (j *judgement) once(parts ...string) bool {
	key := strings.Join(parts, "\x00")
	if j.seen[key] {
		return false
	}
	j.seen[key] = true
	return true
}

func (j *judgement) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(j.notes, text) {
		j.notes = append(j.notes, text)
	}
}

// plain judges the request for a route as it is registered.
func (j *judgement) plain(x Exchange) {
	public := j.Routes[x.Route].Public
	switch {
	case x.Err != nil:
		j.find(FaultNoAnswer, x, "no answer", "an answer", "The connection ended without a response: "+x.Err.Error()+".")
	case x.Status >= 500 && !outage(x.Answer):
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

func (j *judgement) publicRoute(x Exchange) {
	if x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden {
		j.find(FaultPublicRefused, x, status(x.Answer), "200", "The route is listed as public, and it is refused.")
	}
}

// anonymous judges a request without credentials for a route that is not public.
func (j *judgement) anonymous(x Exchange) {
	switch {
	case x.Via != nil && !samePlace(x):
		j.redirected(x, wantChallenge)
	case x.Status == http.StatusUnauthorized:
	case x.Status == http.StatusForbidden:
		j.find(FaultAnonymousForbidden, x, "403", wantChallenge,
			"The request carries no credentials, so nobody is known who could lack a right; 403 tells clients not to sign in.")
	case x.Status < 300 && denied(x.Body):
		j.find(FaultSoftDenial, x, status(x.Answer), wantChallenge, "The body says that access is denied, and the status says success: "+excerpt(x.Body)+".")
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

// inconclusive are statuses of paths that do not exist, or not in this form.
func inconclusive(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone,
		http.StatusUnsupportedMediaType, http.StatusNotImplemented, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}

// redirected judges a refusal that leads to another page.
func (j *judgement) redirected(x Exchange, want string) {
	to := x.Via[len(x.Via)-1]
	if x.Status < 300 {
		j.find(FaultRedirectDenial, x, fmt.Sprintf("%d to %s, which answers %d", x.First, to, x.Status), want,
			"A client that follows the redirect takes the page it leads to for what it asked for.")
		return
	}
	j.note("%s %s as %s leads to %s, which answers %d", x.Method, x.Target, x.As, to, x.Status)
}

// signedIn judges a request with credentials that are good.
func (j *judgement) signedIn(x Exchange) {
	verdict := j.expected(x.As, x.Method, x.Target)
	switch {
	case x.Via != nil && !samePlace(x):
		if verdict == Deny || verdict == Unknown && j.alsoRedirected(x) {
			j.redirected(x, wantForbidden)
		}
	case x.Status == http.StatusUnauthorized && stepUp(x.Answer):
	case x.Status == http.StatusUnauthorized && j.freshAnswer(x):
	case x.Status == http.StatusUnauthorized:
		want := map[Verdict]string{Deny: wantForbidden, Allow: "200", Unknown: "200 or 403"}[verdict]
		j.find(FaultSignedInUnauthorized, x, "401", want,
			"The credentials of "+x.As+" are good, so that signing in again changes nothing; 401 makes clients try.")
	case x.Status == http.StatusForbidden && verdict == Allow && !j.freshAnswer(x):
		j.find(FaultRefusedThoughAllowed, x, "403", "200", "The policy allows it to "+x.As+".")
	case x.Status < 300 && denied(x.Body) && (verdict == Deny || verdict == Unknown && len(x.Body) < shortBody):
		j.find(FaultSoftDenial, x, status(x.Answer), wantForbidden, "The body says that access is denied, and the status says success: "+excerpt(x.Body)+".")
	case x.Status < 300 && verdict == Deny:
		j.find(FaultAllowedThoughDenied, x, status(x.Answer), wantForbidden, "The policy denies it to "+x.As+".")
	case verdict == Deny && x.Status != http.StatusForbidden && inconclusive(x.Status):
		j.note("%s %s as %s was not judged: it answers %d", x.Method, x.Target, x.As, x.Status)
	case verdict == Deny && x.Status != http.StatusForbidden:
		j.find(FaultForbiddenStatus, x, status(x.Answer), wantForbidden, "The policy denies it to "+x.As+".")
	}
}

// shortBody is how long a page is that has nothing to say but that access is
// denied, in bytes.
const shortBody = 2 << 10

// expected is what the policy says of a request for a path as sent.
func (j *judgement) expected(as, method, target string) Verdict {
	if j.Expect == nil {
		return Unknown
	}
	return j.Expect(as, method, strings.TrimPrefix(target, j.Base))
}

// alsoRedirected reports whether a request without credentials leads to the same
// page.
func (j *judgement) alsoRedirected(x Exchange) bool {
	o, ok := j.answerTo(Plain, x.Route, Anonymous)
	return ok && len(o.Via) > 0 && o.Via[len(o.Via)-1] == x.Via[len(x.Via)-1]
}

// answerTo is the first exchange for a route, as somebody.
func (j *judgement) answerTo(p Purpose, route int, as string) (Exchange, bool) {
	for _, x := range j.log {
		if x.Purpose == p && x.Route == route && x.As == as && !x.Direct {
			return x, true
		}
	}
	return Exchange{}, false
}

// badCredentials judges a request with credentials that nobody may accept.
func (j *judgement) badCredentials(x Exchange) {
	detail := "The credentials (" + x.Variant + ") are no usable identity, which is 401 whatever is wrong with them."
	switch {
	case x.Err != nil:
		j.find(FaultNoAnswer, x, "no answer", wantChallenge, "The connection ended without a response: "+x.Err.Error()+". "+detail)
	case x.Status == http.StatusUnauthorized, x.Status == http.StatusTooManyRequests, outage(x.Answer), inconclusive(x.Status):
	case redirects(x.Status):
	case x.Status < 300 && !denied(x.Body):
		j.find(FaultBadCredentialsAccepted, x, status(x.Answer), wantChallenge, "The service accepts credentials ("+x.Variant+") that nobody issued.")
	case x.Status == http.StatusForbidden && limited(x.Answer):
		j.find(FaultRateLimitForbidden, x, "403", "429", "A rate limit answers 403, which tells clients to stop for good; 429 tells them to wait.")
	default:
		j.find(FaultBadCredentialsStatus, x, status(x.Answer), wantChallenge, detail)
	}
}

// variant judges another spelling or method of what was refused.
func (j *judgement) variant(x Exchange) {
	plain, ok := j.answerTo(Plain, x.Route, x.As)
	if !ok || x.Err != nil || x.Status >= 300 || !j.letThrough(x) {
		return
	}
	if x.As != Anonymous && x.Purpose == Spelling && j.anotherThing(plain, x) && !j.sameThing(x) {
		return
	}
	if x.As != Anonymous && x.Method == twins[plain.Method] && j.expected(x.As, x.Method, x.Target) == Allow {
		return
	}
	code := FaultSpellingBypass
	if x.Purpose == Method {
		code = FaultMethodBypass
	}
	j.find(code, x, status(x.Answer), status(plain.Answer)+", as for "+plain.Method+" "+plain.Target,
		fmt.Sprintf("%s %s is refused with %d, and this way (%s) is let through.", plain.Method, plain.Target, plain.Status, x.Variant))
}

// letThrough reports whether a success shows what was refused, and not the page
// that the service has for any path, or what OPTIONS may tell everybody.
func (j *judgement) letThrough(x Exchange) bool {
	h := x.Answer.Header
	if x.Method == http.MethodOptions || strings.HasSuffix(x.Variant, http.MethodOptions) {
		if h.Get("Allow") != "" || h.Get("Access-Control-Allow-Methods") != "" || strings.TrimSpace(x.Body) == "" {
			return false
		}
	}
	if denied(x.Body) {
		return false
	}
	return !j.fallback(x)
}

// fallback reports whether a success is the page that the service has for paths
// it does not know, or its first page, and not what others get for the route.
func (j *judgement) fallback(x Exchange) bool {
	if j.sameThing(x) {
		return false
	}
	seen := slices.ContainsFunc(j.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Route == x.Route && !o.Direct && o.Err == nil && o.Status < 300
	})
	return slices.ContainsFunc(j.log, func(o Exchange) bool {
		same := o.Err == nil && o.Status < 300 && (o.Body == x.Body || x.Method == http.MethodHead && headAlike(o, x))
		page := strings.Contains(o.Answer.Header.Get("Content-Type"), "html")
		return same && (o.Purpose == Reach && o.As == x.As && (seen || page) || o.Purpose == Page && page)
	})
}

// anotherThing reports whether the policy allows what a spelling of a refused path
// may stand for. A router that folds the letter case of a route leaves that of
// parameters, so the policy is asked about each mixture of the two paths.
func (j *judgement) anotherThing(plain, x Exchange) bool {
	allowed := func(path string) bool { return j.expected(x.As, x.Method, path) == Allow }
	if allowed(x.Target) {
		return true
	}
	a, b := strings.Split(plain.Target, "/"), strings.Split(x.Target, "/")
	if len(a) != len(b) || len(a) > maxMixed {
		return false
	}
	for mask := range 1 << len(a) {
		mixed := slices.Clone(a)
		for i := range b {
			if mask&(1<<i) != 0 {
				mixed[i] = b[i]
			}
		}
		if allowed(strings.Join(mixed, "/")) {
			return true
		}
	}
	return false
}

// maxMixed is how many segments a path may have to be mixed with another, the
// empty one in front included.
const maxMixed = 8

// sameThing reports whether a spelling shows what the plain form shows to those
// who may see it, and not another thing that the policy allows.
func (j *judgement) sameThing(x Exchange) bool {
	return slices.ContainsFunc(j.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Route == x.Route && o.Err == nil && o.Status < 300 && o.Body != "" && (o.Body == x.Body || x.Method == http.MethodHead && headAlike(o, x))
	})
}

func headAlike(get, head Exchange) bool {
	return head.Answer.Header.Get("Content-Length") != "" && head.Answer.Header.Get("Content-Length") == strconv.Itoa(len(get.Body))
}

func (j *judgement) link(x Exchange) {
	if x.Err == nil && (x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden) {
		j.find(FaultLinkRefused, x, status(x.Answer), "200, or no reference to it", "The public "+x.Variant+" refers to it, and visitors and crawlers are refused.")
	}
}

// unasked notes the routes that were not asked for.
func (j *judgement) unasked() {
	n := 0
	for i, r := range j.Routes {
		if !j.Sent(i) && !slices.Contains(safe, r.method()) {
			n++
		}
	}
	if n > 0 {
		j.note("%d routes were not asked for: their methods may change something, and there is no consent", n)
	}
}
