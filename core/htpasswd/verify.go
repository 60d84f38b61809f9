package htpasswd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

// retryAfter is what a client is told to wait when too many are hashing.
const retryAfter = time.Second

var (
	// errBusy says that no turn came within the maximum wait.
	errBusy = errors.New("htpasswd: too many passwords are being checked at once")
	// errEmpty says that the file was never loaded.
	errEmpty = errors.New("htpasswd: no password file has been loaded yet")
)

// VerifyPassword implements [basic.Verifier]. The principal has the user, as
// the file spells it in Unicode normalization form C, as ID and no roles: those
// come from the policy. User and password are brought into that form first, as
// RFC 7617 §2.1 asks of the sender.
//
// A right password costs one comparison with the user's own hash. Every refusal
// costs the same, whether the user is unknown ([basic.ErrUnknownUser]), the
// password wrong ([basic.ErrWrongPassword]) or longer than the 72 bytes bcrypt
// can hash (the same two errors; it is never cut): as much as the highest cost
// of bcrypt in the file, and a hash of each setting of argon2id in it. So the
// time tells neither who is in the file nor with what hash.
//
// It waits for its turn at most as [WithMaxWait] says and until ctx ends. Then, or
// when nothing has been loaded yet, it is a [core.UnavailableError] with a
// RetryAfter of 1 s. A comparison that has begun runs to its end.
func (f *File) VerifyPassword(ctx context.Context, user, password string) (*core.Principal, error) {
	t := f.table.Load()
	if t == nil {
		return nil, &core.UnavailableError{RetryAfter: retryAfter, Err: errEmpty}
	}
	leave, err := f.slots.enter(ctx, t.memory)
	if err != nil {
		return nil, &core.UnavailableError{RetryAfter: retryAfter, Err: err}
	}
	defer leave()
	return t.verify(f.matches, f.Spelling(user), norm.NFC.Bytes([]byte(password)))
}

// Spelling implements [basic.Speller]: user in Unicode normalization form C.
func (f *File) Spelling(user string) string { return norm.NFC.String(user) }

// matching compares a hash with a password.
type matching func(h *hash, password []byte) (bool, error)

func (t *table) verify(matches matching, user string, password []byte) (*core.Principal, error) {
	u, known := t.users[user]
	if !known {
		t.spend(matches, nil, password)
		return nil, fmt.Errorf("htpasswd: %w", basic.ErrUnknownUser)
	}
	if u.hash.bcrypt() && len(password) > maxPassword {
		t.spend(matches, nil, password)
		return nil, fmt.Errorf("htpasswd: %w: longer than %d bytes", basic.ErrWrongPassword, maxPassword)
	}
	right, err := matches(u.hash, password)
	if err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("htpasswd: comparing with a hash that passed the checks: %w", err)}
	}
	if right {
		return u.principal, nil
	}
	t.spend(matches, u.hash, password)
	return nil, fmt.Errorf("htpasswd: %w", basic.ErrWrongPassword)
}

// spend does the work that is left of a refusal after done was compared.
func (t *table) spend(matches matching, done *hash, password []byte) {
	for _, h := range t.decoys.rest(done) {
		if h.bcrypt() {
			_, _ = matches(h, password[:min(len(password), maxPassword)])
		} else {
			_, _ = matches(h, password)
		}
	}
}
