package core

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// Stable public codes: the error member of a body and, for the schemes of
// RFC 6750, the error parameter of the challenge.
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
	CodeInsufficientScope:      "The access token lacks a scope that this request needs.",
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
	// Unauthenticated: no usable identity, 401.
	Unauthenticated Kind = iota + 1
	// Forbidden: a known principal is refused, 403.
	Forbidden
	// Ambiguous: path or credentials can be read two ways, 400.
	Ambiguous
	// Unavailable: a dependency failed, 503.
	Unavailable
	// Faulty: the program failed, 500.
	Faulty
	// Limited: too many attempts to authenticate have failed, 429.
	Limited
)

// Status is the HTTP status of the kind (RFC 9110 §15).
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

// Error is the public side of the denial, so that a denial can travel as an
// error through a framework's error handler without telling secrets.
func (d *Denial) Error() string {
	return strconv.Itoa(d.Kind.Status()) + " " + d.Code
}

func newDenial(kind Kind, code string, reason Reason, cause error) *Denial {
	return &Denial{Kind: kind, Code: code, Message: messages[code], Reason: reason, Cause: cause}
}

var noStore = sharedField("Cache-Control", "no-store")

const contentLength = "Content-Length"

// answer is the answer to d.
func (g *Guard) answer(r Request, d *Denial) *Response {
	if d.answers != nil {
		return g.standing.answer(r, d)
	}
	return g.render(r, d)
}

// render makes an answer to d: what the responder makes of it, and what no
// answer may lack. A responder may redirect a 401 to a sign-in page (303) or
// hide a refusal behind 404; any other status it may think of is put right.
func (g *Guard) render(r Request, d *Denial) *Response {
	resp := g.respond(r, d)
	status := d.Kind.Status()
	switch {
	case resp.Status == http.StatusNotFound && (d.Kind == Unauthenticated || d.Kind == Forbidden):
	case resp.Status == http.StatusSeeOther && d.Kind == Unauthenticated:
	default:
		resp.Status = status
	}
	fields := make([]Field, 0, len(resp.Fields)+len(d.Challenges)+len(d.fields)+len(g.varyFields)+3)
	for _, f := range resp.Fields {
		if !strings.EqualFold(f.Name, "WWW-Authenticate") && !strings.EqualFold(f.Name, contentLength) {
			fields = append(fields, f)
		}
	}
	if resp.Status == status {
		for _, c := range d.Challenges {
			fields = append(fields, Field{Name: "WWW-Authenticate", Value: c.String()})
		}
		if d.Kind == Unavailable || d.Kind == Limited {
			fields = append(fields, Field{Name: "Retry-After", Value: strconv.Itoa(int(math.Ceil(d.RetryAfter.Seconds())))})
		}
	}
	if resp.Status != http.StatusNotFound {
		fields = append(fields, d.fields...)
	}
	// The server itself drops what others append to an answer of known length.
	fields = append(fields, noStore, Field{Name: contentLength, Value: strconv.Itoa(len(resp.Body))})
	fields = append(fields, g.varyFields...)
	resp.Fields = append(fields, g.corsFields(r)...)
	return &resp
}

// respond calls the guard's responder and survives its panic.
func (g *Guard) respond(r Request, d *Denial) (resp Response) {
	defer func() {
		if v := recover(); v != nil {
			g.logger.Error("responder panicked", "panic", g.panicText(v))
			resp = newDefaultResponder().Respond(r, d)
		}
	}()
	return g.responder.Respond(r, d)
}
