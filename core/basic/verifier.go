package basic

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
)

var (
	// ErrUnknownUser is returned by a [Verifier] for a user it does not have.
	ErrUnknownUser = errors.New("unknown user")
	// ErrWrongPassword is returned by a [Verifier] for a known user with a wrong
	// password.
	ErrWrongPassword = errors.New("wrong password")
)

// Verifier checks a user's password. Implementations must be safe for
// concurrent use.
type Verifier interface {
	// VerifyPassword returns the principal that user and password prove.
	//
	// Both are as the client sent them: valid UTF-8, not empty, without control
	// characters, up to 6 KiB together, in whatever normalization form the client
	// uses; user has no colon. An implementation compares passwords in constant
	// time and spends as much work on an unknown user as on a wrong password. It
	// should stop when ctx ends.
	//
	// [ErrUnknownUser] and [ErrWrongPassword] result in 401 and differ only in
	// events, with [core.ReasonUnknownPrincipal] and [core.ReasonWrongSecret]. A
	// [core.CredentialError] results in 401 with a reason of its own. A
	// [core.UnavailableError] and any other error mean that it could not be
	// decided, and result in 503. An error that wraps an UnavailableError and
	// another one results in 503 as well.
	//
	// Errors reach observers, and so logs: they must not contain the password.
	VerifyPassword(ctx context.Context, user, password string) (*core.Principal, error)
}

// Versioned is a [Verifier] that tells when its passwords have changed, so that a
// [Cache] forgets old results.
type Versioned interface {
	Verifier
	// Version returns a different number after each change. A call of
	// VerifyPassword after Version uses that version or a later one.
	Version() uint64
}

// Speller is a [Verifier] that treats several spellings as the same user, such as
// normalization forms of Unicode.
type Speller interface {
	Verifier
	// Spelling returns the canonical spelling of user. It must be cheap, and does
	// not reveal whether the user exists.
	Spelling(user string) string
}

// spelling returns the canonical spelling that v has for user.
func spelling(v Verifier, user string) string {
	if s, ok := wrapped.As[Speller](v); ok {
		return s.Spelling(user)
	}
	return user
}

// checkWrapper refuses a verifier that hides an optional interface of one inside
// it: without Version a [Cache] would accept old passwords, without Spelling each
// spelling of an account would have its own budget of guesses.
func checkWrapper(v Verifier, depth int) error {
	if depth == 0 {
		return fmt.Errorf("%T wraps itself", v)
	}
	for _, inner := range wrapped.Inside(v) {
		hides := func(what, method string) error {
			return fmt.Errorf("%T wraps %T, which knows %s, and hides this: give it a method %s, or Unwrap() basic.Verifier", v, inner, what, method)
		}
		if hidden[Versioned](v, inner) {
			return hides("when passwords change", "Version")
		}
		if hidden[Speller](v, inner) {
			return hides("how users are spelt", "Spelling")
		}
		if err := checkWrapper(inner, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// hidden reports whether inner is a T and v is not.
func hidden[T any](v, inner Verifier) bool {
	_, is := wrapped.As[T](inner)
	_, shows := wrapped.As[T](v)
	return is && !shows
}

// maxWrappers is how deeply verifiers may be nested.
const maxWrappers = 32

// VerifierFunc adapts a function to a [Verifier].
type VerifierFunc func(ctx context.Context, user, password string) (*core.Principal, error)

// VerifyPassword implements [Verifier].
func (f VerifierFunc) VerifyPassword(ctx context.Context, user, password string) (*core.Principal, error) {
	return f(ctx, user, password)
}

// verifierError maps a verifier's error to what a guard expects.
func verifierError(err error) error {
	var down *core.UnavailableError
	stray := errors.Is(err, core.ErrNoCredentials) || errors.Is(err, core.ErrAmbiguousCredentials)
	refusal := errtype.In[*core.CredentialError](err)
	switch {
	case errors.As(err, &down):
		if stray || refusal {
			// One of several stores was down. Keep the text but unwrap to nothing
			// else, so that the guard sees only the outage.
			return &core.UnavailableError{RetryAfter: down.RetryAfter, Err: errors.New(err.Error())}
		}
		return err
	case stray:
		// ErrNoCredentials would turn a client that sent credentials into a guest,
		// so it is neither passed on nor wrapped.
		return &core.InternalError{Err: errors.New("basic: the verifier returned an error that is reserved for authenticators: " + err.Error())}
	case refusal:
		return err
	case errors.Is(err, ErrUnknownUser):
		return refused(core.ReasonUnknownPrincipal, err)
	case errors.Is(err, ErrWrongPassword):
		return refused(core.ReasonWrongSecret, err)
	}
	return err
}
