package digest

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
)

// ErrUnknownUser is returned by a [Store] for a user it does not have, or for whom
// it has no hash of the given algorithm.
var ErrUnknownUser = errors.New("unknown user")

// Entry is what a [Store] knows about a user.
type Entry struct {
	// Principal is the user's principal, if the response proves to be right.
	Principal *core.Principal
	// A1 is H(A1) for the given realm and algorithm, as returned by [HashA1]:
	// lower-case hex.
	A1 string
}

// Store finds the hashes of users' passwords. Implementations must be safe for
// concurrent use.
type Store interface {
	// FindUser finds a user of a realm for one of the offered algorithms.
	//
	// user is as the client sent it, unverified: valid UTF-8, 1 to 255 bytes,
	// without control characters, in whatever normalization form the client uses.
	// Compare it exactly, since it is part of H(A1).
	//
	// An error that wraps [ErrUnknownUser] results in 401, and looks to the client
	// like a wrong password. Any other error means that the lookup failed, and
	// results in 503, or 500 for a [core.InternalError]. Errors reach observers,
	// and so logs: they must contain neither the name nor a hash.
	FindUser(ctx context.Context, realm, user string, a Algorithm) (Entry, error)
}

// UserHashStore is a [Store] for [WithUserHash].
type UserHashStore interface {
	Store
	// FindUserHash is FindUser for a client that sent [HashUser] of the name, in
	// lower-case hex.
	FindUserHash(ctx context.Context, realm, hash string, a Algorithm) (Entry, error)
}

// find asks the store for the user of c. known is false for a user it does not
// have.
func (a *Authenticator) find(ctx context.Context, c *credentials, algorithm Algorithm) (e Entry, known bool, err error) {
	if c.hashed {
		e, err = a.hashes.FindUserHash(ctx, a.realm, c.user, algorithm)
	} else {
		e, err = a.store.FindUser(ctx, a.realm, c.user, algorithm)
	}
	var down *core.UnavailableError
	isDown := errors.As(err, &down)
	switch {
	case errtype.In[*core.InternalError](err):
		return Entry{}, false, err
	case errors.Is(err, ErrUnknownUser) && !isDown:
		return Entry{A1: a.decoy[algorithm]}, false, nil
	case err != nil:
		// Whatever else the error wraps, to the guard it is an outage.
		outage := &core.UnavailableError{Err: fmt.Errorf("digest: finding the user: %w", err)}
		if isDown {
			outage.RetryAfter = down.RetryAfter
		}
		return Entry{}, false, outage
	case e.Principal == nil || !isHex(e.A1, algorithm.hexLen()):
		return Entry{}, false, &core.InternalError{Err: fmt.Errorf("digest: the store returned a user without principal or without a hash of %s", algorithm)}
	}
	return e, true, nil
}
