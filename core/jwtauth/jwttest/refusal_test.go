package jwttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/challenge"
)

const realm = "reports"

// descriptions are all error descriptions that clients may see.
var descriptions = map[core.Reason]string{
	core.ReasonExpired:       "The access token expired",
	core.ReasonNotYetValid:   "The access token is not valid yet",
	core.ReasonBadSignature:  "The signature of the access token is not valid",
	core.ReasonUnknownKey:    "The access token was signed with an unknown key",
	core.ReasonBadAlgorithm:  "The access token was signed with an algorithm that is not accepted",
	core.ReasonWrongIssuer:   "The access token comes from an issuer that is not accepted",
	core.ReasonWrongAudience: "The access token was issued for another audience",
	core.ReasonBadClaim:      "The access token lacks a claim or holds one that is not valid",
	core.ReasonMalformed:     "The access token is malformed",
	core.ReasonRevoked:       "The access token was revoked",
	core.ReasonWrongType:     "The token is not an access token",
}

// messages are all messages in bodies, by code.
var messages = map[string]string{
	core.CodeAuthenticationRequired: "Sign in to use this resource.",
	core.CodeInvalidToken:           "The access token was not accepted. Obtain a new one and repeat the request.",
	core.CodeInvalidRequest:         "The request carries credentials that can be read in more than one way.",
	core.CodeInsufficientScope:      "The credentials lack a scope that this request needs.",
	core.CodeForbidden:              "You are signed in, but not allowed to do this. Signing in again will not help.",
}

// refusal is the expected refusal of a request.
type refusal struct {
	status int
	code   string
	reason core.Reason
	token  string
}

// check compares an answer, its event and the number of handler calls.
func (r refusal) check(a authtest.Answer, e core.Event, ran int64) error {
	if err := r.checkAnswer(a); err != nil {
		return fmt.Errorf("%w (event %s: %v)", err, e.Reason, e.Cause)
	}
	if ran != 0 {
		return fmt.Errorf("handler ran %d times after a %d", ran, a.Status)
	}
	return r.checkEvent(e)
}

// neededScopes are the scopes that the suite's scope rule requires.
const neededScopes = "read write"

func (r refusal) checkAnswer(a authtest.Answer) error {
	if a.Status != r.status {
		return fmt.Errorf("status %d, want %d; body %q", a.Status, r.status, a.Body)
	}
	if err := r.checkChallenge(a.Header.Values("WWW-Authenticate")); err != nil {
		return err
	}
	if got := a.Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
		return fmt.Errorf("Cache-Control %q", got)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
		return fmt.Errorf("body %q: %w", a.Body, err)
	}
	// The body is compared as a whole, since any other text could leak something.
	want := map[string]any{
		"title": http.StatusText(r.status), "status": float64(r.status), "detail": messages[r.code], "error": r.code,
	}
	if r.code == core.CodeInsufficientScope {
		want["scope"] = neededScopes // as in the challenge
	}
	if !maps.Equal(body, want) {
		return fmt.Errorf("body %v, want %v", body, want)
	}
	return r.echoed(fmt.Sprint(a.Header), "the answer's header")
}

// checkChallenge compares the challenge with RFC 6750 §3; the answer to a missing role
// has none.
func (r refusal) checkChallenge(lines []string) error {
	if r.code == core.CodeForbidden {
		if len(lines) != 0 {
			return fmt.Errorf("challenges %q with a plain 403", lines)
		}
		return nil
	}
	all, err := challenge.Parse(lines...)
	if err != nil || len(all) != 1 {
		return fmt.Errorf("challenges %q: %d, want 1 (%v)", lines, len(all), err)
	}
	want := []challenge.Param{{Name: "realm", Value: realm}}
	switch r.code {
	case core.CodeInvalidToken:
		want = append(want, challenge.Param{Name: "error", Value: r.code},
			challenge.Param{Name: "error_description", Value: descriptions[r.reason]})
	case core.CodeInsufficientScope:
		want = append(want, challenge.Param{Name: "error", Value: r.code}, challenge.Param{Name: "scope", Value: neededScopes})
	case core.CodeInvalidRequest:
		want = append(want, challenge.Param{Name: "error", Value: r.code})
	}
	if c := all[0]; c.Scheme() != "Bearer" || !slices.Equal(c.Params(), want) {
		return fmt.Errorf("challenge %q, want Bearer with %v", lines, want)
	}
	return nil
}

func (r refusal) checkEvent(e core.Event) error {
	if e.Status != r.status || e.Reason != r.reason {
		return fmt.Errorf("event %d %s (%v), want %d %s", e.Status, e.Reason, e.Cause, r.status, r.reason)
	}
	if r.status != http.StatusUnauthorized || r.code != core.CodeInvalidToken {
		return nil
	}
	switch {
	case e.Outcome != core.OutcomeUnauthenticated || e.Scheme != "Bearer":
		return fmt.Errorf("event %s by scheme %q", e.Outcome, e.Scheme)
	case e.PrincipalID != "":
		return fmt.Errorf("event names %q without proof", e.PrincipalID)
	case e.Cause == nil:
		return errors.New("event without a cause")
	case strings.ContainsFunc(e.Cause.Error(), unicode.IsControl):
		return fmt.Errorf("cause %q would forge a line", e.Cause)
	}
	return r.echoed(fmt.Sprintf("%+v", e), "the event") // with the text of the cause
}

// echoed reports parts of the token in text, except short ones, which occur anywhere.
func (r refusal) echoed(text, where string) error {
	for part := range strings.SplitSeq(r.token, ".") {
		if len(part) > 12 && strings.Contains(text, part) {
			return fmt.Errorf("%s repeats %.20q… of the token", where, part)
		}
	}
	return nil
}
