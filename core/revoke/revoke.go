// Package revoke says which tokens are no longer good before they expire.
//
// A [Checker] is asked about every token after it was verified. [List] is one in
// memory, [File] one that survives a restart, and [Follower] one that all instances
// of a service share; they revoke a single token by its identifier, all tokens of a
// subject that were issued up to a moment, or all tokens of an issuer that were.
//
// Tokens are known by what stands in them and never by their text: a signature
// may have more than one form, and a revoked token that is spelt another way
// must stay revoked.
package revoke

import (
	"context"
	"errors"
	"time"
)

// Token is what revocation knows a token by.
type Token struct {
	// Issuer is who issued it (iss), "" when unknown.
	Issuer string
	// ID is its identifier (jti), unique at its issuer; "" when it has none.
	ID string
	// Subject is whom it was issued for (sub).
	Subject string
	// IssuedAt is when it was issued (iat); zero when it does not say, which
	// counts as before anything.
	IssuedAt time.Time
	// Expires is when it stops being good by itself; zero for never.
	Expires time.Time
}

// Checker says whether a token was revoked. Implementations must be safe for
// concurrent use.
type Checker interface {
	// Revoked reports whether t was revoked. An error means that the answer
	// could not be found out: the request is answered with 503.
	Revoked(ctx context.Context, t Token) (bool, error)
}

// ErrFull says that a list has as many entries as it may have, none of which
// has expired. What was to be revoked is not.
var ErrFull = errors.New("revocation list is full")

// ErrUnreadable says that a log has a record that this version cannot read: whom it
// revokes is not known, nor what follows it.
var ErrUnreadable = errors.New("the log of revocations has a record that cannot be read")

// Entry revokes tokens. Exactly one of ID, Subject and All says which.
type Entry struct {
	// ID revokes the token of that identifier.
	ID string
	// Subject revokes the tokens of a subject, All those of everybody, that
	// were issued at IssuedBefore or earlier. Tokens that do not say when they
	// were issued are among them.
	Subject      string
	All          bool
	IssuedBefore time.Time
	// Issuer limits the entry to tokens of one issuer; "" for any.
	Issuer string
	// Expires is when the entry may be forgotten, because the tokens have
	// expired: their exp, and what the verifier allows for clocks that differ.
	// Zero keeps it for ever.
	Expires time.Time
}

// Check says what is wrong with an entry that cannot be one.
func (e Entry) Check() error {
	kinds := 0
	for _, given := range [...]bool{e.ID != "", e.Subject != "", e.All} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return errors.New("an entry needs exactly one of a token's identifier, a subject and all")
	case e.ID != "" && !e.IssuedBefore.IsZero():
		return errors.New("an entry for one token has no issued-before")
	case e.ID == "" && e.IssuedBefore.IsZero():
		return errors.New("an entry for a subject or for all needs issued-before: later tokens are to work again")
	case len(e.ID) > maxText || len(e.Subject) > maxText || len(e.Issuer) > maxText:
		return errors.New("a value is longer than 4096 bytes")
	case e.IssuedBefore.Year() > 9999 || e.Expires.Year() > 9999:
		return errors.New("a time is after the year 9999")
	}
	return nil
}

// maxText is how many bytes a value of an entry may have.
const maxText = 4096
