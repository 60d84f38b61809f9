package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/errtype"
)

// shortestRecheck is the minimum time that a recheck may take before it counts as
// unanswered.
const shortestRecheck = 5 * time.Second

// ContextWhileGood returns a context for a long-lived connection that is canceled
// when the request that opened the connection would no longer pass. It calls
// [Recheck] with ctx and rules at intervals of every, and when the principal's
// credentials expire ([Principal.Expires]); a refusal cancels the context, and
// [context.Cause] is then its *[Denial]. A policy edit or a revocation ends the
// connection after every at the latest.
//
// A recheck that fails because a key server, store or policy is down (Unavailable),
// or has not answered within every or 5 seconds, whichever is longer, cancels the
// context once no recheck has succeeded for longer than grace: at once if grace is
// 0.
//
// The context also ends with ctx, and when cancel is called, which releases its
// resources and must be called when the connection closes. The context of a request
// on net/http ends with its handler; on Fiber it never does. If [Recheck] cannot
// handle ctx, every is not positive or grace is negative, the returned context has
// already ended with a Faulty denial.
func ContextWhileGood(ctx context.Context, every, grace time.Duration, rules ...Authorizer) (good context.Context, cancel context.CancelFunc) {
	live, end := context.WithCancelCause(ctx)
	cancel = func() { end(context.Canceled) }
	switch {
	case every <= 0 || grace < 0:
		end(new(Guard).failure(&InternalError{fmt.Errorf("recheck every %v with a grace of %v: the first must be positive, the second not negative", every, grace)}))
	case !isKept(ctx):
		end(notKept(ctx))
	default:
		go recheckEvery(live, end, every, grace, slices.Clone(rules))
	}
	return live, cancel
}

// CloseCode returns the code to close a WebSocket with once a context of
// [ContextWhileGood] has ended: the denial's [Kind.CloseCode], or 1001 if the
// client or the server is going away (RFC 6455 §7.4.1).
func CloseCode(good context.Context) int {
	if d, ok := errtype.As[*Denial](context.Cause(good)); ok {
		return d.Kind.CloseCode()
	}
	return 1001
}

// isKept reports whether [Recheck] has a request to check.
func isKept(ctx context.Context) bool {
	at := authContextFrom(ctx)
	for at != nil && at.guard != nil && at.opened == nil {
		at = authContextFrom(at.Context)
	}
	return at != nil && at.opened != nil
}

func recheckEvery(live context.Context, end context.CancelCauseFunc, every, grace time.Duration, rules []Authorizer) {
	good := time.Now()
	var asking rechecks
	timer := time.NewTimer(untilRecheck(live, every))
	defer timer.Stop()
	for {
		select {
		case <-live.Done():
			return
		case <-timer.C:
		}
		asked := time.Now()
		err := asking.within(live, max(every, shortestRecheck), rules)
		var d *Denial
		switch {
		case err == nil:
			good = asked
		case !errors.As(err, &d) || d.Kind != Unavailable || time.Since(good) >= grace:
			end(err)
			return
		}
		timer.Reset(untilRecheck(live, every))
	}
}

// rechecks runs one recheck at a time.
type rechecks struct{ pending chan error }

// within calls [Recheck], and returns an Unavailable denial if there is no answer
// within limit. A recheck that ignores its context keeps running, and no other
// starts until it has ended.
func (a *rechecks) within(ctx context.Context, limit time.Duration, rules []Authorizer) error {
	if a.pending != nil {
		select {
		case <-a.pending: // the answer of an earlier recheck
			a.pending = nil
		default:
			return unanswered("the previous check is still running")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	answer := make(chan error, 1)
	go func() {
		defer cancel()
		answer <- Recheck(ctx, rules...)
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-answer:
		return err
	default:
		a.pending = answer
		return unanswered(fmt.Sprintf("no answer within %v", limit))
	}
}

func unanswered(why string) *Denial {
	return new(Guard).failure(&UnavailableError{Err: errors.New("recheck: " + why)})
}

// untilRecheck returns how long to wait before the next recheck.
func untilRecheck(ctx context.Context, every time.Duration) time.Duration {
	if p, ok := PrincipalFrom(ctx); ok && !p.Expires().IsZero() {
		if left := time.Until(p.Expires()); left > 0 {
			return min(every, left)
		}
	}
	return every
}
