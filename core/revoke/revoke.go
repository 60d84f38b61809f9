// Package revoke revokes tokens before they expire.
//
// A [Checker] is asked about every verified token. [List] is a Checker in memory,
// [File] one that survives a restart, and [Follower] one that all instances of a
// service share. They revoke a single token by its identifier, all tokens of a
// subject that were issued up to some time, or all tokens of an issuer up to some
// time.
//
// Tokens are identified by their claims, never by their text: a signature may have
// more than one form, and a revoked token in another encoding must stay revoked.
package revoke

import (
	"context"
	"errors"
	"time"
)

// Token identifies a token for revocation.
type Token struct {
	// Issuer is the token's issuer (iss), "" if unknown.
	Issuer string
	// ID is its identifier (jti), unique within its issuer; "" if it has none.
	ID string
	// Subject is the subject that it was issued for (sub).
	Subject string
	// IssuedAt is when it was issued (iat); zero if unknown, which counts as before
	// any other time.
	IssuedAt time.Time
	// Expires is when it expires by itself; zero for never.
	Expires time.Time
}

// Checker checks whether a token was revoked. Implementations must be safe for
// concurrent use.
type Checker interface {
	// Revoked reports whether t was revoked. An error means that the check failed,
	// and results in 503.
	Revoked(ctx context.Context, t Token) (bool, error)
}

// ErrFull means that a list has reached its maximum of unexpired entries, and that
// the new entry was not added.
var ErrFull = errors.New("revocation list is full")

// ErrUnreadable means that a log has a record that this version cannot read: it is
// unknown what that record revokes, and what follows it.
var ErrUnreadable = errors.New("the log of revocations has a record that cannot be read")

// Entry revokes tokens, selected by exactly one of ID, Subject and All.
type Entry struct {
	// ID revokes the token with that identifier.
	ID string
	// Subject revokes the tokens of a subject, All those of all subjects, that were
	// issued at IssuedBefore or earlier, including tokens without a time of issue.
	Subject      string
	All          bool
	IssuedBefore time.Time
	// Issuer limits the entry to tokens of one issuer; "" for any.
	Issuer string
	// Expires is when the entry may be forgotten because the tokens have expired:
	// their exp plus the verifier's leeway. Zero keeps it forever.
	Expires time.Time
}

// Check returns an error if the entry is invalid.
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
		return errors.New("an entry for a subject or for all needs issued-before, so that later tokens work again")
	case len(e.ID) > maxText || len(e.Subject) > maxText || len(e.Issuer) > maxText:
		return errors.New("a value is longer than 4096 bytes")
	case e.IssuedBefore.Year() > 9999 || e.Expires.Year() > 9999:
		return errors.New("a time is after the year 9999")
	}
	return nil
}

// maxText is the maximum length in bytes of a value of an entry.
const maxText = 4096
