package core

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/option"
)

// The stable public codes. A code is the error member of a body and, for the
// schemes of RFC 6750, the error parameter of the challenge.
const (
	CodeAuthenticationRequired = "authentication_required"
	CodeInvalidCredentials     = "invalid_credentials"
	CodeInvalidToken           = "invalid_token"
	CodeInvalidRequest         = "invalid_request"
	CodeAmbiguousPath          = "ambiguous_path"
	CodePathTooLong            = "path_too_long"
	CodeForbidden              = "forbidden"
	CodeInsufficientScope      = "insufficient_scope"
	CodeStepUp                 = "insufficient_user_authentication"
	CodeInvalidProof           = "invalid_dpop_proof"
	CodeUseNonce               = "use_dpop_nonce"
	CodeCrossSite              = "cross_site_request"
	CodeTooManyAttempts        = "too_many_attempts"
	CodeUnavailable            = "temporarily_unavailable"
	CodeInternal               = "internal_error"
)

var messages = map[string]string{
	CodeAuthenticationRequired: "Sign in to use this resource.",
	CodeInvalidCredentials:     "The credentials were not accepted. Sign in again.",
	CodeInvalidToken:           "The access token was not accepted. Obtain a new one and repeat the request.",
	CodeInvalidRequest:         "The request carries credentials that can be read in more than one way.",
	CodeAmbiguousPath:          "The request path can be read in more than one way.",
	CodePathTooLong:            "The request path is too long.",
	CodeForbidden:              "You are signed in, but not allowed to do this. Signing in again will not help.",
	CodeInsufficientScope:      "The credentials lack a scope that this request needs.",
	CodeStepUp:                 "This needs a stronger or more recent sign-in. Sign in again as the challenge says.",
	CodeInvalidProof:           "The DPoP proof was not accepted. Make a new one and repeat the request.",
	CodeUseNonce:               "Repeat the request with the nonce of this response in the DPoP proof.",
	CodeCrossSite:              "The request comes from another site and was not carried out.",
	CodeTooManyAttempts:        "Too many attempts to sign in have failed. Wait before the next one.",
	CodeUnavailable:            "Access cannot be checked at the moment. Try again later.",
	CodeInternal:               "The request could not be completed.",
}

// Kind is the kind of a denial.
type Kind uint8

// The kinds of denials, each with its status.
const (
	// Unauthenticated means that there is no usable identity: 401.
	Unauthenticated Kind = iota + 1
	// Forbidden means that a known principal is refused: 403.
	Forbidden
	// Ambiguous means that path or credentials can be read two ways: 400.
	Ambiguous
	// Unavailable means that a dependency failed: 503.
	Unavailable
	// Faulty means that the program failed: 500.
	Faulty
	// Limited means that too many attempts to authenticate have failed: 429.
	Limited
)

// Status returns the HTTP status of the kind (RFC 9110 §15).
func (k Kind) Status() int {
	switch k {
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case Ambiguous:
		return http.StatusBadRequest
	case Unavailable:
		return http.StatusServiceUnavailable
	case Limited:
		return http.StatusTooManyRequests
	default:
		return http.StatusInternalServerError
	}
}

// Denial is a refused request, as data. Its exported fields must not be
// modified once it is made.
type Denial struct {
	Kind Kind
	// Code and Message are public.
	Code, Message string
	// Challenges are sent one header line each.
	Challenges []challenge.Challenge
	// RetryAfter is sent with [Unavailable] and [Limited].
	RetryAfter time.Duration
	// Reason and Cause are private: for observers, never for clients.
	Reason Reason
	Cause  error

	fields  []Field  // what schemes add to the response
	answers *answers // where they are the same for many requests
}

// Error returns the public part of the denial, so that a denial can pass through a
// framework's error handler without leaking secrets.
func (d *Denial) Error() string {
	return strconv.Itoa(d.Kind.Status()) + " " + d.Code
}

func newDenial(kind Kind, code string, reason Reason, cause error) *Denial {
	return &Denial{Kind: kind, Code: code, Message: messages[code], Reason: reason, Cause: cause}
}

// hasNone reports whether err says only that there were no credentials: a request
// whose credentials failed is not anonymous.
func hasNone(err error) bool {
	if err == nil || err == ErrNoCredentials { // the common cases, kept cheap
		return err != nil
	}
	if !errors.Is(err, ErrNoCredentials) {
		return false
	}
	return !isFailure(err) && !errtype.In[*CredentialError](err) && !errors.Is(err, ErrAmbiguousCredentials)
}

// refuse returns the denial for err, which the scheme with index failed returned;
// -1 for none.
func (g *Guard) refuse(r Request, failed int, err error) *Denial {
	if hasNone(err) {
		return g.anonymousDenial(r)
	}
	var bad *CredentialError
	var limit *LimitError
	switch {
	case errors.As(err, &limit):
		d := newDenial(Limited, CodeTooManyAttempts, ReasonTooManyAttempts, err)
		d.RetryAfter = max(limit.RetryAfter, time.Second)
		return d
	case isFailure(err):
		return g.failure(err)
	case errors.Is(err, ErrAmbiguousCredentials):
		d := newDenial(Ambiguous, CodeInvalidRequest, ReasonAmbiguous, err)
		d.Challenges = g.naming(d.Code, r, err)
		return d
	case errors.As(err, &bad):
		d := newDenial(Unauthenticated, cmp.Or(bad.Code, CodeInvalidCredentials), bad.Reason, err)
		g.challenge(d, r, failed, err)
		return d
	default:
		return g.failure(err)
	}
}

// challenge adds every scheme's challenges for a 401, and its other fields, to d;
// the scheme with index failed is told why.
func (g *Guard) challenge(d *Denial, r Request, failed int, err error) {
	for i := range g.schemes {
		s := &g.schemes[i]
		own := ErrNoCredentials
		if i == failed {
			own = err
		}
		cs := s.offer(r, own)
		if s.inform != nil {
			d.fields = append(d.fields, s.inform(r, nil, own)...)
		}
		if len(g.schemes) == 1 {
			d.Challenges = cs // as it is, without a copy
		} else {
			d.Challenges = append(d.Challenges, cs...)
		}
	}
	if g.noPrompts && isScripted(r) {
		d.Challenges = unprompted(d.Challenges)
	}
}

// offer returns the scheme's challenges for a 401, of which there is at least one.
func (s *scheme) offer(r Request, err error) []challenge.Challenge {
	if cs := s.Challenges(r, err); len(cs) > 0 {
		return cs
	}
	return s.fallback
}

// isScripted reports whether a script made the request, so that the browser should
// not open a dialog over the page (Fetch Metadata, "Sec-Fetch-Mode").
func isScripted(r Request) bool {
	mode, n := r.Header(fetchMode)
	return n > 0 && mode != "navigate"
}

// unprompted renames challenges so that no browser opens a dialog.
func unprompted(cs []challenge.Challenge) []challenge.Challenge {
	out := make([]challenge.Challenge, 0, len(cs))
	for _, c := range cs {
		if s := c.Scheme(); strings.EqualFold(s, "Basic") || strings.EqualFold(s, "Digest") {
			if renamed, err := challenge.New("x"+s, c.Params()...); err == nil {
				c = renamed
			}
		}
		out = append(out, c)
	}
	return out
}

// isFailure reports whether a part of the program failed, whatever else the error
// says about the credentials: an outage logs nobody out.
func isFailure(err error) bool {
	return errtype.In[*InternalError](err) || errtype.In[*UnavailableError](err)
}

// naming returns the challenges of all schemes for err that have code as their
// error. Any other would ask for new credentials, although the credentials are
// fine.
func (g *Guard) naming(code string, r Request, err error) []challenge.Challenge {
	var named []challenge.Challenge
	for _, s := range g.schemes {
		for _, c := range s.Challenges(r, err) {
			if v, _ := c.Param("error"); v == code {
				named = append(named, c)
			}
		}
	}
	return named
}

// failure returns the denial for an error that is not the client's.
func (g *Guard) failure(err error) *Denial {
	if errtype.In[*InternalError](err) {
		return newDenial(Faulty, CodeInternal, ReasonInternal, err)
	}
	d := newDenial(Unavailable, CodeUnavailable, ReasonUnavailable, err)
	d.RetryAfter = g.retryAfter
	if u, ok := errtype.As[*UnavailableError](err); ok {
		d.RetryAfter, d.Reason = cmp.Or(max(u.RetryAfter, 0), d.RetryAfter), cmp.Or(u.Reason, d.Reason)
	}
	return d
}

// forbid returns the denial for a known principal (RFC 9110 §15.5.4).
func (g *Guard) forbid(r Request, dec *Decision) *Denial {
	reason := cmp.Or(dec.Reason, ReasonDenied)
	if dec.StepUp == nil && len(dec.Scopes) == 0 && dec.Code == "" && dec.Message == "" {
		return g.forbiddenDenial(reason)
	}
	d := newDenial(Forbidden, CodeForbidden, reason, nil)
	switch {
	case dec.StepUp != nil:
		d.Code, d.Message = CodeStepUp, messages[CodeStepUp]
		if d.Challenges = g.naming(CodeStepUp, r, &StepUpError{StepUp: *dec.StepUp}); len(d.Challenges) > 0 {
			d.Kind = Unauthenticated
		}
	case len(dec.Scopes) > 0:
		d.Code, d.Message = CodeInsufficientScope, messages[CodeInsufficientScope]
		d.Challenges = g.naming(d.Code, r, &ScopeError{Scopes: dec.Scopes})
	}
	d.Code, d.Message = cmp.Or(dec.Code, d.Code), cmp.Or(dec.Message, d.Message)
	return d
}

// defaultRetryAfter is how long a client waits after a 503 if the failing part does
// not say.
const defaultRetryAfter = 5 * time.Second

// WithRetryAfter sets how long a client is told to wait after a 503 if the failing
// part does not say; 5 s by default, at least 1 s.
func WithRetryAfter(d time.Duration) Option {
	return func(g *Guard) error {
		return option.SetUnless(&g.retryAfter, d, d < time.Second, "retry after %v: must be at least 1s", d)
	}
}

// WithoutPrompts keeps browsers from opening a password dialog over a page whose
// script made the request: if Sec-Fetch-Mode is anything but navigate, the
// challenges for Basic and Digest are named xBasic and xDigest, which browsers
// ignore and scripts recognize.
func WithoutPrompts() Option { return func(g *Guard) error { return option.On(&g.noPrompts) } }
