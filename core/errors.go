package core

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/canonical"
)

// Reason is a short, stable code that tells operators why a verdict was reached.
// Clients never see it.
type Reason string

// The reasons that packages of this module give. Other packages may add their own.
const (
	ReasonAllowed            Reason = "allowed"
	ReasonPreflight          Reason = "cors_preflight"
	ReasonNoCredentials      Reason = "no_credentials"
	ReasonAnonymous          Reason = "anonymous"
	ReasonExpiredAnonymous   Reason = "expired_anonymous"
	ReasonMalformed          Reason = "malformed"
	ReasonUnknownPrincipal   Reason = "unknown_principal"
	ReasonWrongSecret        Reason = "wrong_secret"
	ReasonBadSignature       Reason = "bad_signature"
	ReasonUnknownKey         Reason = "unknown_key"
	ReasonBadAlgorithm       Reason = "bad_algorithm"
	ReasonExpired            Reason = "expired"
	ReasonNotYetValid        Reason = "not_yet_valid"
	ReasonRevoked            Reason = "revoked"
	ReasonStale              Reason = "stale_nonce"
	ReasonReplayed           Reason = "replayed"
	ReasonWrongIssuer        Reason = "wrong_issuer"
	ReasonWrongAudience      Reason = "wrong_audience"
	ReasonWrongType          Reason = "wrong_type"
	ReasonBadClaim           Reason = "bad_claim"
	ReasonAmbiguous          Reason = "ambiguous_credentials"
	ReasonAmbiguousPath      Reason = "ambiguous_path"
	ReasonPathTooLong        Reason = "path_too_long"
	ReasonUnknownMethod      Reason = "unknown_method"
	ReasonDenied             Reason = "denied"
	ReasonMissingRole        Reason = "missing_role"
	ReasonForeignTenant      Reason = "foreign_tenant"
	ReasonMissingScope       Reason = "missing_scope"
	ReasonMissingEntitlement Reason = "missing_entitlement"
	ReasonAccountState       Reason = "account_state"
	ReasonWeakAuthentication Reason = "weak_authentication"
	ReasonCrossSite          Reason = "cross_site"
	ReasonTooManyAttempts    Reason = "too_many_attempts"
	ReasonUnavailable        Reason = "dependency_unavailable"
	ReasonDevelopmentKey     Reason = "development_key"
	ReasonClientGone         Reason = "client_gone"
	ReasonOtherPrincipal     Reason = "other_principal"
	ReasonInternal           Reason = "internal_error"
	ReasonPanic              Reason = "panic"
)

// ErrNoCredentials is returned by an [Authenticator] if the request carries no
// credentials of its kind.
var ErrNoCredentials = errors.New("no credentials")

// ErrAmbiguousCredentials refuses credentials that can be read two ways, such
// as two Authorization lines or one token sent twice, with 400 and
// invalid_request (RFC 6750 §3.1).
var ErrAmbiguousCredentials = errors.New("ambiguous credentials")

// ErrAmbiguousPath refuses a path that can be read two ways with 400.
var ErrAmbiguousPath = canonical.ErrAmbiguous

// CredentialError says that credentials were sent and prove nobody: 401.
type CredentialError struct {
	// Reason tells the kinds of failure apart in events.
	Reason Reason
	// Code is the stable public code, such as "invalid_token" or
	// "invalid_credentials".
	Code string
	// Description may tell the client more. It must be a constant string of
	// printable ASCII without quotes and backslashes (RFC 6750 §3), never a
	// library's error.
	Description string
	// Ended reports that the credentials have lapsed and nothing else is wrong with
	// them, such as the ID of a session that no longer exists. [ReasonExpired] says
	// the same. See [WithExpiredAsAnonymous].
	Ended bool
	// Err is the cause, for observers only.
	Err error
}

func (e *CredentialError) Error() string {
	if e.Err == nil {
		return string(e.Reason)
	}
	return fmt.Sprintf("%s: %v", e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *CredentialError) Unwrap() error { return e.Err }

// ScopeError is passed to [Authenticator.Challenges] if a known principal lacks a
// scope. A scheme of RFC 6750 answers it with an insufficient_scope challenge,
// others with none.
type ScopeError struct {
	// Scopes lists all scopes that the request needs.
	Scopes []string
}

func (e *ScopeError) Error() string { return fmt.Sprintf("insufficient scope: %q needed", e.Scopes) }

// StepUpError is passed to [Authenticator.Challenges] if a known principal has
// authenticated too weakly or too long ago. A scheme that can ask for more answers
// it with an insufficient_user_authentication challenge that carries acr_values and
// max_age (RFC 9470 §3), others with none.
type StepUpError struct{ StepUp }

func (e *StepUpError) Error() string {
	return fmt.Sprintf("stronger authentication needed: acr %q, max age %v", e.ACRValues, e.MaxAge)
}

// LimitError is returned by an [AttemptLimiter] to refuse an attempt to
// authenticate because too many have failed before: 429 with Retry-After (RFC 6585
// §4).
type LimitError struct {
	// RetryAfter is how long the client is told to wait, rounded up to whole
	// seconds; at least one second is sent.
	RetryAfter time.Duration
	// Pending reports that the attempts in the way are still under way and have not
	// failed: this one may be allowed once some of them have ended. A guard asks
	// again for a few seconds before it refuses the request.
	Pending bool
	Err     error
}

func (e *LimitError) Error() string { return fmt.Sprintf("too many attempts: %v", e.Err) }

// Unwrap returns the cause.
func (e *LimitError) Unwrap() error { return e.Err }

// UnavailableError says that a dependency failed: 503. An error of any kind that
// this package does not define is treated the same.
type UnavailableError struct {
	// RetryAfter is how long the client is told to wait, rounded up to whole
	// seconds; zero means the guard's default.
	RetryAfter time.Duration
	// Reason is the reason in the event; "" stands for [ReasonUnavailable]. Any
	// other reason means that no dependency is broken, such as
	// [ReasonDevelopmentKey], or [ReasonUnknownKey] for a key that may be new, and
	// [LogObserver] logs it as a warning. With [ReasonClientGone], for a request
	// whose body the client did not finish sending, the outcome of the event is
	// [OutcomeClientGone].
	Reason Reason
	Err    error
}

func (e *UnavailableError) Error() string { return fmt.Sprintf("unavailable: %v", e.Err) }

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// InternalError marks a fault of the program or its configuration: 500.
type InternalError struct{ Err error }

func (e *InternalError) Error() string { return fmt.Sprintf("internal error: %v", e.Err) }

// Unwrap returns the cause.
func (e *InternalError) Unwrap() error { return e.Err }

// PanicError is the cause in an event if a rule or authenticator panicked. The
// response was 500.
type PanicError struct {
	Value any
	// Stack is the goroutine's stack at the panic.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }
