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

// retryAfter is how long a client is told to wait if too many passwords are being
// hashed.
const retryAfter = time.Second

var (
	// errBusy means that no slot became free within the maximum wait.
	errBusy = errors.New("htpasswd: too many passwords are being checked at once")
	// errEmpty means that the file was never loaded.
	errEmpty = errors.New("htpasswd: no password file has been loaded yet")
)

// VerifyPassword implements [basic.Verifier]. The principal's ID is the user in
// Unicode normalization form C, and it has no roles: those come from the policy.
// User and password are first converted to that form, as RFC 7617 §2.1 asks of the
// sender.
//
// A right password costs one comparison with the user's own hash. Every refusal
// costs the same, whether the user is unknown ([basic.ErrUnknownUser]), the
// password wrong ([basic.ErrWrongPassword]) or longer than the 72 bytes bcrypt can
// hash (the same two errors; it is never cut): as much as the highest bcrypt cost
// in the file, and a hash for each argon2id setting in it. So the time reveals
// neither who is in the file nor with what kind of hash.
//
// It waits for a slot for at most the time of [WithMaxWait], or until ctx ends.
// Then, or if no file is loaded yet, it returns a [core.UnavailableError] with a
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

// Spelling implements [basic.Speller]. It returns user in Unicode normalization
// form C.
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

// spend does the rest of a refusal's work after done was compared.
func (t *table) spend(matches matching, done *hash, password []byte) {
	for _, h := range t.decoys.rest(done) {
		_, _ = matches(h, password[:min(len(password), maxPassword)]) // bcrypt takes no more
	}
}
