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

// maxProblem is the maximum number of bytes that are read of a refusal's body.
const maxProblem = 64 << 10

// Refusal is the common part of all errors of [Check].
type Refusal struct {
	// Status is the status code.
	Status int
	// Problem is the content of the body, which may be empty.
	Problem Problem
	// Challenges holds the challenges of the response; it is empty if they do not
	// parse.
	Challenges []challenge.Challenge
}

// Error returns the status and, quoted, what the service says.
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

// param returns the named parameter of the first challenge that has it and names
// code as its error, or "".
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

// UnauthorizedError is a 401: the service does not know who is asking, and the
// [Transport] has tried everything it could. Sign in, then try again.
type UnauthorizedError struct{ Refusal }

// StepUpError is a 401 that asks for a stronger or more recent sign-in (RFC 9470
// §3). It unwraps to an [*UnauthorizedError]. Sign in as it says, call
// [Tokens.Invalidate], then try again.
type StepUpError struct {
	UnauthorizedError
	// ACRValues lists the acceptable authentication context classes, preferred
	// first; nil means that any will do.
	ACRValues []string
	// MaxAge limits how long ago the user may have signed in: zero means that the
	// user must sign in now; negative means that the service does not say.
	MaxAge time.Duration
}

// Unwrap returns the error as an [*UnauthorizedError].
func (e *StepUpError) Unwrap() error { return &e.UnauthorizedError }

// ForbiddenError is a 403: the service knows who is asking, and refuses. Neither a
// new token with the same access nor another try will help. If there are Scopes, a
// token with them might: ask the user, call [Tokens.Invalidate], then try again.
type ForbiddenError struct {
	Refusal
	// Scopes lists all scopes that the request needs (RFC 6750 §3.1); nil if it was
	// not refused because of scopes.
	Scopes []string
}

// UnavailableError is a 429 or 503: the same request may succeed later. It says
// nothing about who is asking.
type UnavailableError struct {
	Refusal
	// RetryAfter is how long the service asks to wait; negative if it does not say.
	// It may be longer than is practical.
	RetryAfter time.Duration
}

// Check returns an error for a response that refuses a request because of its
// credentials or temporarily: an [*UnauthorizedError] or [*StepUpError] for 401, a
// [*ForbiddenError] for 403, an [*UnavailableError] for 429 and 503.
//
// For all other responses it returns nil and does not touch the body. If it returns
// an error, it has read up to 64 KiB of the body and closed it.
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
	body, _ := bounded.Body(resp, maxProblem) // a partial document is useless
	return ParseProblem(resp.Header.Get("Content-Type"), body)
}

// stepUp parses max_age as whole seconds (RFC 9470 §3).
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

// MetadataURL returns the address of the service's metadata (RFC 9728 §5.1), for
// [FetchMetadata]; "" if the service does not name an absolute https URL.
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
