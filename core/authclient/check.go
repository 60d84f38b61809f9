package authclient

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/bounded"
)

// maxProblem is how much of the body of a refusal is read.
const maxProblem = 64 << 10

// Refusal is what all errors of [Check] have in common.
type Refusal struct {
	// Status is the status code.
	Status int
	// Problem is what the body says, which may be nothing.
	Problem Problem
	// Challenges are those of the response; empty if they do not parse.
	Challenges []challenge.Challenge
}

// Error is the status and, quoted, what the service says.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status))
	if r.Problem.Code != "" {
		text += fmt.Sprintf(" (%q)", r.Problem.Code)
	}
	if detail := cmp.Or(r.Problem.Detail, r.Problem.Title); detail != "" {
		text += fmt.Sprintf(": %q", detail)
	}
	return text
}

// param is the parameter of the first challenge that names code as its error and
// has it, or "".
func (r *Refusal) param(code, name string) string {
	for _, c := range r.Challenges {
		if e, _ := c.Param("error"); e == code {
			if value, ok := c.Param(name); ok {
				return value
			}
		}
	}
	return ""
}

func (r *Refusal) names(code string) bool {
	return slices.ContainsFunc(r.Challenges, func(c challenge.Challenge) bool {
		e, _ := c.Param("error")
		return e == code
	})
}

// UnauthorizedError is a 401: the service does not know who asks, and has been
// told all that the [Transport] could say. Sign in, then ask again.
type UnauthorizedError struct{ Refusal }

// StepUpError is a 401 that asks for a stronger or more recent sign-in (RFC 9470
// §3). It unwraps to an [*UnauthorizedError]. Sign in as it says, call
// [Tokens.Invalidate], then ask again.
type StepUpError struct {
	UnauthorizedError
	// ACRValues are the authentication context classes of which one is needed,
	// the preferred one first; nil when any will do.
	ACRValues []string
	// MaxAge is how long ago the user may have signed in: zero for not at all,
	// so right now; negative where the service does not say.
	MaxAge time.Duration
}

// Unwrap returns the error as one that asks for a sign-in of any kind.
func (e *StepUpError) Unwrap() error { return &e.UnauthorizedError }

// ForbiddenError is a 403: the service knows who asks, and the answer is no.
// Neither a new token for the same access nor another try will help. Where
// Scopes are named, a token with them might: ask the user, call
// [Tokens.Invalidate], then ask again.
type ForbiddenError struct {
	Refusal
	// Scopes are all the scopes the request needs (RFC 6750 §3.1); nil when
	// scopes are not why it was refused.
	Scopes []string
}

// UnavailableError is a 429 or 503: the answer may be another one later. It says
// nothing about who asks.
type UnavailableError struct {
	Refusal
	// RetryAfter is what the service asks to wait, negative where it does not
	// say. It may be far longer than anyone waits.
	RetryAfter time.Duration
}

// Check makes an error of a response that refuses a request for its credentials
// or for now: an [*UnauthorizedError] or [*StepUpError] for 401, a
// [*ForbiddenError] for 403, an [*UnavailableError] for 429 and 503.
//
// For all other responses it returns nil and has not touched the body. With an
// error the body is closed, and read up to 64 KiB before.
func Check(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable:
	default:
		return nil
	}
	r := Refusal{Status: resp.StatusCode, Problem: readProblem(resp)}
	r.Challenges, _ = challenge.Parse(resp.Header["Www-Authenticate"]...) // what cannot be read says nothing
	switch {
	case isWait(r.Status):
		wait, ok := retryAfter(resp.Header, time.Now)
		if !ok {
			wait = -1
		}
		return &UnavailableError{Refusal: r, RetryAfter: wait}
	case r.Status == http.StatusForbidden:
		return &ForbiddenError{Refusal: r, Scopes: words(r.param(core.CodeInsufficientScope, "scope"))}
	case r.names(core.CodeStepUp):
		return stepUp(r)
	}
	return &UnauthorizedError{Refusal: r}
}

func readProblem(resp *http.Response) Problem {
	defer func() { _ = resp.Body.Close() }()
	body, _ := bounded.Body(resp, maxProblem) // a part of a document is none
	return ParseProblem(resp.Header.Get("Content-Type"), body)
}

// stepUp reads max_age as whole seconds (RFC 9470 §3).
func stepUp(r Refusal) *StepUpError {
	e := &StepUpError{UnauthorizedError: UnauthorizedError{Refusal: r}, ACRValues: words(r.param(core.CodeStepUp, "acr_values")), MaxAge: -1}
	if seconds, err := strconv.ParseUint(r.param(core.CodeStepUp, "max_age"), 10, 32); err == nil {
		e.MaxAge = time.Duration(seconds) * time.Second
	}
	return e
}

func words(list string) []string {
	if list = strings.Trim(list, " "); list == "" {
		return nil
	}
	return strings.Fields(list)
}

// MetadataURL is where the service says its metadata is (RFC 9728 §5.1), for
// [FetchMetadata]; "" when it does not say, or not with an absolute https URL.
func (r *Refusal) MetadataURL() string {
	for _, c := range r.Challenges {
		address, ok := c.Param("resource_metadata")
		if u, err := url.Parse(address); ok && err == nil && isHTTPS(u) {
			return address
		}
	}
	return ""
}

func isHTTPS(u *url.URL) bool { return u.Scheme == "https" && u.Hostname() != "" && u.User == nil }
