package probe

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// badCredentials checks the answer to credentials that must not be accepted.
func (e *evaluation) badCredentials(x Exchange) {
	detail := "Credentials that identify nobody (" + x.Variant + ") must get 401, whatever is wrong with them."
	switch {
	case x.Err != nil:
		e.find(FaultNoAnswer, x, "no answer", wantChallenge, "The connection ended without a response: "+x.Err.Error()+". "+detail)
	case x.Status == http.StatusUnauthorized, outage(x.Answer):
	case x.Status == http.StatusTooManyRequests:
		e.note("%s %s with bad credentials was not evaluated in full: a rate limit refused it", x.Method, x.Target)
	case (redirects(x.Status) || inconclusive(x.Status)) && e.sameAsAnonymous(x):
	case redirects(x.Status):
		e.find(FaultBadCredentialsStatus, x, status(x.Answer)+" to "+x.Answer.Header.Get("Location"), wantChallenge, detail)
	case x.Status < 300 && !denial(x) && !signInForm(x):
		e.find(FaultBadCredentialsAccepted, x, status(x.Answer), wantChallenge, "The service accepts invalid credentials ("+x.Variant+").")
	case x.Status == http.StatusForbidden && rateLimited(x.Answer):
		e.find(FaultRateLimitForbidden, x, "403", "429", rateLimitDetail)
	default:
		e.find(FaultBadCredentialsStatus, x, status(x.Answer), wantChallenge, detail)
	}
}

// navigation checks the answer to a browser for a route that was refused. It may be a
// redirect to a sign-in form, or the page of an application that signs users in itself.
func (e *evaluation) navigation(x Exchange) {
	plain, ok := e.log.first(Plain, x.Route, x.As)
	if !ok || x.Err != nil {
		return
	}
	want, code := status(plain.Answer), FaultAllowedThoughDenied
	if x.As == Anonymous {
		code = FaultOpenRoute
	}
	switch {
	case x.Status < 300 && e.showsProtected(x):
		e.find(code, x, status(x.Answer)+" for a browser", want, "Programs are refused with "+want+", but a browser that requests a page gets what users with access get.")
	case x.Status < 300 && denial(x) && !e.catchAllPage(x):
		e.find(FaultSoftDenial, x, status(x.Answer)+" for a browser", want, "The page says that access is denied, but the status says success: "+excerpt(x.Body)+".")
	case x.As == Anonymous && x.Status == http.StatusForbidden && plain.Status == http.StatusUnauthorized:
		e.find(FaultAnonymousForbidden, x, "403 for a browser", wantChallenge, "Programs are told to sign in, but people are told to stop.")
	case x.As != Anonymous && x.Status == http.StatusUnauthorized && plain.Status == http.StatusForbidden && !stepUp(x.Answer):
		e.find(FaultSignedInUnauthorized, x, "401 for a browser", wantForbidden, "Programs are told to stop, but people are told to sign in again.")
	}
}

// sameAsAnonymous reports whether a request without credentials gets the same status, or is
// redirected as well. What is wrong with that is a finding of its own.
func (e *evaluation) sameAsAnonymous(x Exchange) bool {
	o, ok := e.log.first(Plain, x.Route, Anonymous)
	return !ok || o.Err != nil || sentStatus(o.Answer) == x.Status || redirects(x.Status) && redirects(sentStatus(o.Answer))
}

// wantsOtherScheme reports whether a 401 asks for other schemes than the one that was sent:
// the route may be for other clients.
func (e *evaluation) wantsOtherScheme(x Exchange) bool {
	scheme, _, found := strings.Cut(field(x.Request.Header, "Authorization"), " ")
	all, err := challenge.Parse(x.Answer.Header.Values("WWW-Authenticate")...)
	return found && err == nil && len(all) > 0 && !slices.ContainsFunc(all, func(c challenge.Challenge) bool { return strings.EqualFold(c.Scheme(), scheme) })
}
