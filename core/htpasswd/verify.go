package htpasswd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

// retryAfter is what a client is told to wait when too many are hashing.
const retryAfter = time.Second

// errBusy says that no turn came within the maximum wait.
var errBusy = errors.New("htpasswd: too many passwords are being checked at once")

// VerifyPassword implements [basic.Verifier]. The principal has the user as ID
// and no roles: those come from the policy.
//
// A right password costs one bcrypt comparison of the user's own cost. Every
// refusal costs what the highest cost in the file costs, whether the user is
// unknown ([basic.ErrUnknownUser]), the password wrong
// ([basic.ErrWrongPassword]) or longer than the 72 bytes bcrypt can hash (the
// same two errors; it is never cut).
//
// It waits for its turn at most as [MaxWait] says and until ctx ends. Then it
// is a [core.UnavailableError] with a RetryAfter of 1 s. A comparison that has
// begun runs to its end.
func (f *File) VerifyPassword(ctx context.Context, user, password string) (*core.Principal, error) {
	if err := f.enter(ctx); err != nil {
		return nil, &core.UnavailableError{RetryAfter: retryAfter, Err: err}
	}
	defer f.leave()
	return f.table.Load().verify(f.compare, user, []byte(password))
}

// enter waits for a turn.
func (f *File) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("htpasswd: password not checked: %w", err)
	}
	select {
	case f.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(f.maxWait)
	defer timer.Stop()
	select {
	case f.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("htpasswd: waiting to check a password: %w", ctx.Err())
	case <-timer.C:
		return errBusy
	}
}

func (f *File) leave() { <-f.slots }

func (t *table) verify(compare func(hash, password []byte) error, user string, password []byte) (*core.Principal, error) {
	u, known := t.users[user]
	if !known {
		spend(compare, t.decoys[t.top], password)
		return nil, fmt.Errorf("htpasswd: %w", basic.ErrUnknownUser)
	}
	if len(password) > maxPassword {
		spend(compare, t.decoys[t.top], password)
		return nil, fmt.Errorf("htpasswd: %w: longer than %d bytes", basic.ErrWrongPassword, maxPassword)
	}
	err := compare(u.hash, password)
	if err == nil {
		return u.principal, nil
	}
	if !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return nil, &core.InternalError{Err: fmt.Errorf("htpasswd: comparing with a hash that passed the checks: %w", err)}
	}
	// 2^c rounds are done; 2^c + 2^(c+1) + … + 2^(top-1) more make 2^top, so
	// that a user whose hash is cheaper than others cannot be told by time.
	for cost := u.cost; cost < t.top; cost++ {
		spend(compare, t.decoys[cost], password)
	}
	return nil, fmt.Errorf("htpasswd: %w", basic.ErrWrongPassword)
}

// spend does the work of a comparison whose result means nothing.
func spend(compare func(hash, password []byte) error, hash, password []byte) {
	_ = compare(hash, password[:min(len(password), maxPassword)])
}
