package core

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// shortestRecheck is how long a recheck may at least take before it counts as one
// that nobody has answered.
const shortestRecheck = 5 * time.Second

// ContextWhileGood gives a context for a connection that is open as long as the
// request that opened it would still pass. [Recheck] judges that, with ctx and
// rules, each time that every has passed and at the moment when the principal's
// credentials expire ([Principal.Expires]); a refusal cancels the context, and
// [context.Cause] is then its *[Denial]. A policy edit or a revocation ends the
// connection after every at the latest.
//
// A recheck that could not be made, since a key server, store or policy was down
// (Unavailable) or has not answered within every or 5 seconds, whichever is more,
// ends it once none has succeeded for longer than grace: at once for a grace of 0.
//
// The context ends with ctx as well, and when cancel is called, which frees what
// it holds and must be called when the connection is over. The context of a
// request on net/http ends with its handler; on Fiber it never does.
// A ctx that [Recheck] cannot judge, an every that is not positive or a negative
// grace gives a context that has ended with a Faulty denial.
func ContextWhileGood(ctx context.Context, every, grace time.Duration, rules ...Authorizer) (good context.Context, cancel context.CancelFunc) {
	live, end := context.WithCancelCause(ctx)
	cancel = func() { end(context.Canceled) }
	switch {
	case every <= 0 || grace < 0:
		end(new(Guard).failure(&InternalError{fmt.Errorf("recheck every %v with a grace of %v: the first must be positive, the second not negative", every, grace)}))
	case !isKept(ctx):
		end(notKept(ctx))
	default:
		go recheckEvery(live, end, every, grace, rules)
	}
	return live, cancel
}

// CloseCode is what to close a WebSocket with once a context of [ContextWhileGood]
// has ended: the denial's [Kind.CloseCode], or 1001 where the client or the server
// has left (RFC 6455 §7.4.1).
func CloseCode(good context.Context) int {
	var d *Denial
	if errors.As(context.Cause(good), &d) {
		return d.Kind.CloseCode()
	}
	return 1001
}

// isKept reports whether [Recheck] has something to judge.
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

// rechecks asks one at a time.
type rechecks struct{ pending chan error }

// within is [Recheck], or an Unavailable denial without an answer within limit.
// What does not heed its context goes on by itself, and until it has ended no
// other is asked.
func (a *rechecks) within(ctx context.Context, limit time.Duration, rules []Authorizer) error {
	if a.pending != nil {
		select {
		case <-a.pending: // about a moment that has passed
			a.pending = nil
		default:
			return unanswered("the one before still runs")
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

// untilRecheck is how long to wait for the next recheck.
func untilRecheck(ctx context.Context, every time.Duration) time.Duration {
	if p, ok := PrincipalFrom(ctx); ok && !p.Expires().IsZero() {
		if left := time.Until(p.Expires()); left > 0 {
			return min(every, left)
		}
	}
	return every
}
