package probe

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// badCredentials checks the answer to credentials that must not be accepted.
func (j *evaluation) badCredentials(x Exchange) {
	detail := "The credentials (" + x.Variant + ") are not a usable identity, which is 401 whatever is wrong with them."
	switch {
	case x.Err != nil:
		j.find(FaultNoAnswer, x, "no answer", wantChallenge, "The connection ended without a response: "+x.Err.Error()+". "+detail)
	case x.Status == http.StatusUnauthorized, outage(x.Answer):
	case x.Status == http.StatusTooManyRequests:
		j.note("%s %s with bad credentials was not judged in full: a rate limit refused it", x.Method, x.Target)
	case (redirects(x.Status) || inconclusive(x.Status)) && j.asForNobody(x):
	case redirects(x.Status):
		j.find(FaultBadCredentialsStatus, x, status(x.Answer)+" to "+x.Answer.Header.Get("Location"), wantChallenge, detail)
	case x.Status < 300 && !denial(x) && !signInForm(x):
		j.find(FaultBadCredentialsAccepted, x, status(x.Answer), wantChallenge, "The service accepts credentials ("+x.Variant+") that nobody issued.")
	case x.Status == http.StatusForbidden && limited(x.Answer):
		j.find(FaultRateLimitForbidden, x, "403", "429", "A rate limit answers 403, which tells clients to stop for good; 429 tells them to wait.")
	default:
		j.find(FaultBadCredentialsStatus, x, status(x.Answer), wantChallenge, detail)
	}
}

// navigation checks what a browser gets for a route that was refused. It may be
// redirected to a sign-in form, or get the page of an application that signs in by
// itself.
func (j *evaluation) navigation(x Exchange) {
	plain, ok := j.answerTo(Plain, x.Route, x.As)
	if !ok || x.Err != nil {
		return
	}
	want, code := status(plain.Answer), FaultAllowedThoughDenied
	if x.As == Anonymous {
		code = FaultOpenRoute
	}
	switch {
	case x.Status < 300 && j.sameThing(x):
		j.find(code, x, status(x.Answer)+" for a browser", want, "Programs are refused with "+want+", and a browser that asks for a page gets the same as those with access.")
	case x.Status < 300 && denial(x) && !j.fallback(x):
		j.find(FaultSoftDenial, x, status(x.Answer)+" for a browser", want, "The page says that access is denied, and the status says success: "+excerpt(x.Body)+".")
	case x.As == Anonymous && x.Status == http.StatusForbidden && plain.Status == http.StatusUnauthorized:
		j.find(FaultAnonymousForbidden, x, "403 for a browser", wantChallenge, "Programs are asked to sign in, and people are told to stop.")
	case x.As != Anonymous && x.Status == http.StatusUnauthorized && plain.Status == http.StatusForbidden && !stepUp(x.Answer):
		j.find(FaultSignedInUnauthorized, x, "401 for a browser", wantForbidden, "Programs are told to stop, and people to sign in again.")
	}
}

// asForNobody reports whether a request without credentials gets the same status, or is
// redirected as well: what is wrong with that is another finding.
func (j *evaluation) asForNobody(x Exchange) bool {
	o, ok := j.answerTo(Plain, x.Route, Anonymous)
	return !ok || o.Err != nil || sentStatus(o.Answer) == x.Status || redirects(x.Status) && redirects(sentStatus(o.Answer))
}

// otherScheme reports whether a 401 asks for credentials of other schemes than those that
// were sent: the route may be for other clients.
func (j *evaluation) otherScheme(x Exchange) bool {
	scheme, _, found := strings.Cut(field(x.Request.Header, "Authorization"), " ")
	all, err := challenge.Parse(x.Answer.Header.Values("WWW-Authenticate")...)
	return found && err == nil && len(all) > 0 && !slices.ContainsFunc(all, func(c challenge.Challenge) bool { return strings.EqualFold(c.Scheme(), scheme) })
}
