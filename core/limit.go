package core

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long an attempt waits while as many others are under way as may fail, and
// how often the limiter is asked meanwhile.
const (
	attemptPatience = 5 * time.Second
	shortestPause   = time.Millisecond
	longestPause    = 50 * time.Millisecond
)

// errNotSettled is what a limiter is told of an attempt that panicked.
var errNotSettled = &InternalError{errors.New("the attempt ended in a panic")}

var errNobody = &InternalError{errors.New("the attempt returned neither principal nor error")}

// limited has verify look at credentials for account if l allows it, and tells l
// how it ended, whatever verify does.
func limited(ctx context.Context, l AttemptLimiter, r Request, account string,
	verify func(context.Context) (*Principal, error)) (p *Principal, err error) {
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
	if p, err = verify(ctx); err == nil && (p == nil || p.ID() == "") {
		err = errNobody // no success that a limiter should remember
	}
	return p, err
}

// reserve asks l for an attempt, and again while others are under way that may
// leave room for it.
func reserve(ctx context.Context, l AttemptLimiter, r Request, account string) error {
	var deadline time.Time
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		err := l.Allow(ctx, r, account)
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrNoCredentials) { // would make a guest of a guesser
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
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for other attempts to end: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}
