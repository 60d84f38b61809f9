package basic

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
)

var (
	// ErrUnknownUser is what a [Verifier] returns for a user it does not have.
	ErrUnknownUser = errors.New("unknown user")
	// ErrWrongPassword is what a [Verifier] returns for a user it has and a
	// password that is not the user's.
	ErrWrongPassword = errors.New("wrong password")
)

// Verifier checks a user's password. Implementations must be safe for
// concurrent use.
type Verifier interface {
	// VerifyPassword returns the principal that user and password prove.
	//
	// Both are as the client sent them: valid UTF-8, not empty, without
	// control characters, up to 6 KiB together, in whatever normalization form
	// the client uses; user holds no colon. An implementation compares
	// passwords in constant time and spends on an unknown user the work it
	// spends on a wrong password. It stops when ctx ends, as far as it can.
	//
	// [ErrUnknownUser] and [ErrWrongPassword] are 401 and differ in events
	// only, with [core.ReasonUnknownPrincipal] and [core.ReasonWrongSecret].
	// A [core.CredentialError] is 401 with a reason of its own. A
	// [core.UnavailableError] and every other error are passed on: nobody
	// could find out, which is 503 and not the user's fault. So an error that
	// is an UnavailableError as well as another is 503.
	//
	// Errors reach observers and so logs: they must not hold the password.
	VerifyPassword(ctx context.Context, user, password string) (*core.Principal, error)
}

// Versioned is a [Verifier] that says when its passwords have changed, so that
// a [Cache] forgets what was right before.
type Versioned interface {
	Verifier
	// Version is another number after each change. VerifyPassword, called
	// after Version, judges by that version or a later one.
	Version() uint64
}

// Speller is a [Verifier] that takes several spellings of a user for the same
// one, as normalization forms of Unicode.
type Speller interface {
	Verifier
	// Spelling is the one spelling of all those. It must be cheap, and says
	// nothing about whether there is such a user.
	Spelling(user string) string
}

// spelling is what v takes user for.
func spelling(v Verifier, user string) string {
	if s, ok := wrapped.As[Speller](v); ok {
		return s.Spelling(user)
	}
	return user
}

// checkWrapper finds a verifier that hides what one inside it can do: without
// Version a [Cache] would go on with old passwords, without Spelling one account
// could be guessed at in each of its spellings.
func checkWrapper(v Verifier, depth int) error {
	if depth == 0 {
		return fmt.Errorf("%T wraps itself", v)
	}
	for _, inner := range wrapped.Inside(v) {
		hides := func(what, method string) error {
			return fmt.Errorf("%T wraps %T, which knows %s, and hides that: give it a method %s, or Unwrap() basic.Verifier", v, inner, what, method)
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

// hidden reports whether inner is a T and v is none.
func hidden[T any](v, inner Verifier) bool {
	_, is := wrapped.As[T](inner)
	_, shows := wrapped.As[T](v)
	return is && !shows
}

// maxWrappers is how deep verifiers may be wrapped.
const maxWrappers = 32

// VerifierFunc is a function as a [Verifier].
type VerifierFunc func(ctx context.Context, user, password string) (*core.Principal, error)

// VerifyPassword implements [Verifier].
func (f VerifierFunc) VerifyPassword(ctx context.Context, user, password string) (*core.Principal, error) {
	return f(ctx, user, password)
}

// verifierError is what a verifier's error means to a guard.
func verifierError(err error) error {
	var down *core.UnavailableError
	var bad *core.CredentialError
	stray := errors.Is(err, core.ErrNoCredentials) || errors.Is(err, core.ErrAmbiguousCredentials)
	refusal := errors.As(err, &bad)
	switch {
	case errors.As(err, &down):
		if stray || refusal {
			// Of several stores one was down. The text is kept and the rest
			// hidden, so that the guard sees nothing but the outage.
			return &core.UnavailableError{RetryAfter: down.RetryAfter, Err: errors.New(err.Error())}
		}
		return err
	case stray:
		// Passed on, ErrNoCredentials would make a guest of someone who sent
		// credentials; so it is not wrapped either.
		return &core.InternalError{Err: errors.New("basic: the verifier returned an error that only an authenticator may: " + err.Error())}
	case refusal:
		return err
	case errors.Is(err, ErrUnknownUser):
		return refused(core.ReasonUnknownPrincipal, err)
	case errors.Is(err, ErrWrongPassword):
		return refused(core.ReasonWrongSecret, err)
	}
	return err
}
