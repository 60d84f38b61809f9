package core

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/pause"
)

// How long an attempt waits while as many others as may fail are under way, and how
// often it asks the limiter meanwhile.
const (
	attemptPatience = 5 * time.Second
	shortestPause   = time.Millisecond
	longestPause    = 50 * time.Millisecond
)

// errNotSettled is reported to a limiter for an attempt that panicked.
var errNotSettled = &InternalError{errors.New("the attempt ended in a panic")}

// limited calls verify for credentials of account if l allows it, and reports the
// result to l even if verify panics. A nil l allows everything.
func limited(ctx context.Context, l AttemptLimiter, r Request, account string,
	verify func(context.Context) (*Principal, error)) (p *Principal, err error) {
	if l == nil {
		p, err = verify(ctx)
		return p, proves(p, err, "the attempt")
	}
	if err := reserve(ctx, l, r, account); err != nil {
		return nil, err
	}
	err = errNotSettled
	defer func() {
		settled := ctx
		if ctx.Err() != nil { // the client has gone; its guess counts all the same
			settled = context.WithoutCancel(ctx)
		}
		l.Report(settled, r, account, err)
	}()
	p, err = verify(ctx)
	err = proves(p, err, "the attempt") // nobody is no success that a limiter should remember
	return p, err
}

// proves returns err, or an error about an authenticator that returned neither
// principal nor error.
func proves(p *Principal, err error, who ...string) error {
	if err == nil && (p == nil || p.ID() == "") {
		return &InternalError{errors.New(strings.Join(who, " ") + " returned neither principal nor error")}
	}
	return err
}

// reserve asks l for an attempt, and asks again while others that may make room for
// it are under way.
func reserve(ctx context.Context, l AttemptLimiter, r Request, account string) error {
	var deadline time.Time
	for wait := shortestPause; ; wait = min(2*wait, longestPause) {
		err := l.Allow(ctx, r, account)
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrNoCredentials) { // would turn a guesser into a guest
			return &InternalError{fmt.Errorf("attempt limiter: %v", err)}
		}
		var limit *LimitError
		if !errors.As(err, &limit) || !limit.Pending {
			return err
		}
		now := time.Now()
		if deadline.IsZero() {
			deadline = now.Add(attemptPatience)
		}
		if !now.Before(deadline) {
			return err
		}
		if err := pause.For(ctx, wait); err != nil {
			return fmt.Errorf("waiting for other attempts to end: %w", err)
		}
	}
}

// WithAttemptLimiter limits how often guessable credentials may be wrong (429).
// Without it nothing is counted.
func WithAttemptLimiter(l AttemptLimiter) Option {
	return func(g *Guard) error {
		if isnil.Value(l) {
			return errors.New("attempt limiter is nil")
		}
		if g.set.limiter {
			return errors.New("two attempt limiters")
		}
		g.limiter, g.set.limiter = l, true
		return nil
	}
}

// attempt asks one scheme and, if r may be a guess for account, the limiter before
// and after it.
func (g *Guard) attempt(ctx context.Context, r Request, s *scheme, account string, guess bool) (*Principal, error) {
	if g.limiter == nil || !guess {
		return s.Authenticate(ctx, r)
	}
	return limited(ctx, g.limiter, r, account, func(ctx context.Context) (*Principal, error) { return s.Authenticate(ctx, r) })
}
