package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/session"
)

// do measures one call of a store. A reached limit is a result, not a failure.
func (d dependency) do(ctx context.Context, operation string, call func(context.Context) error) error {
	ctx, c := d.begin(ctx, operation, attribute.String("db.operation.name", operation))
	err := call(ctx)
	var limit *core.LimitError
	switch {
	case err == nil:
		c.end(ctx, ok, "")
	case errors.As(err, &limit):
		c.end(ctx, rejected, "")
	default:
		c.end(ctx, results[failed], errorType(ctx))
	}
	return err
}

// measured is do for a call with a result.
func measured[T any](ctx context.Context, d dependency, operation string, call func(context.Context) (T, error)) (result T, err error) {
	err = d.do(ctx, operation, func(ctx context.Context) (err error) {
		result, err = call(ctx)
		return err
	})
	return result, err
}

// Store returns a session store that measures the calls of base and records a span
// for each. dependency is as for [Telemetry.Transport]. It calls the methods of
// [session.ContextStore] if base has them.
func (t *Telemetry) Store(dependency string, base session.Store) (session.ContextStore, error) {
	d, err := t.newDependency("store", dependency, base == nil)
	if err != nil {
		return nil, err
	}
	s := store{dependency: d, base: base}
	s.ctx, _ = base.(session.ContextStore)
	return s, nil
}

type store struct {
	dependency
	base session.Store
	ctx  session.ContextStore // base if it takes contexts, or nil
}

func (s store) Find(key string) ([]byte, bool, error) { return s.FindCtx(context.Background(), key) }
func (s store) Delete(key string) error               { return s.DeleteCtx(context.Background(), key) }
func (s store) Commit(key string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), key, data, expires)
}

func (s store) FindCtx(ctx context.Context, key string) (data []byte, found bool, err error) {
	err = s.do(ctx, "find", func(ctx context.Context) (err error) {
		if s.ctx != nil {
			data, found, err = s.ctx.FindCtx(ctx, key)
		} else {
			data, found, err = s.base.Find(key)
		}
		return err
	})
	return data, found, err
}

func (s store) CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error {
	return s.do(ctx, "commit", func(ctx context.Context) error {
		if s.ctx != nil {
			return s.ctx.CommitCtx(ctx, key, data, expires)
		}
		return s.base.Commit(key, data, expires)
	})
}

func (s store) DeleteCtx(ctx context.Context, key string) error {
	return s.do(ctx, "delete", func(ctx context.Context) error {
		if s.ctx != nil {
			return s.ctx.DeleteCtx(ctx, key)
		}
		return s.base.Delete(key)
	})
}

// AttemptStore returns a store for attempts.WithStore that measures the calls of
// base and records a span for each. dependency is as for [Telemetry.Transport].
func (t *Telemetry) AttemptStore(dependency string, base attempts.Store) (attempts.Store, error) {
	d, err := t.newDependency("store", dependency, base == nil)
	if err != nil {
		return nil, err
	}
	return attemptStore{d, base}, nil
}

type attemptStore struct {
	dependency
	base attempts.Store
}

func (s attemptStore) Reserve(ctx context.Context, a attempts.Attempt) (attempts.Answer, error) {
	return measured(ctx, s.dependency, "reserve", func(ctx context.Context) (attempts.Answer, error) { return s.base.Reserve(ctx, a) })
}

func (s attemptStore) Settle(ctx context.Context, a attempts.Attempt, o attempts.Outcome) error {
	return s.do(ctx, "settle", func(ctx context.Context) error { return s.base.Settle(ctx, a, o) })
}

// ReplayStore returns a store for dpop.WithReplays that measures the calls of base
// and records a span for each. dependency is as for [Telemetry.Transport].
func (t *Telemetry) ReplayStore(dependency string, base dpop.ReplayStore) (dpop.ReplayStore, error) {
	d, err := t.newDependency("store", dependency, base == nil)
	if err != nil {
		return nil, err
	}
	return replayStore{d, base}, nil
}

type replayStore struct {
	dependency
	base dpop.ReplayStore
}

func (s replayStore) Remember(ctx context.Context, key, id [32]byte, ttl time.Duration) (fresh bool, err error) {
	return measured(ctx, s.dependency, "remember", func(ctx context.Context) (bool, error) { return s.base.Remember(ctx, key, id, ttl) })
}

// CountStore returns a store for digest.WithCounts that measures the calls of base
// and records a span for each. dependency is as for [Telemetry.Transport].
func (t *Telemetry) CountStore(dependency string, base digest.CountStore) (digest.CountStore, error) {
	d, err := t.newDependency("store", dependency, base == nil)
	if err != nil {
		return nil, err
	}
	return countStore{d, base}, nil
}

type countStore struct {
	dependency
	base digest.CountStore
}

func (s countStore) Use(ctx context.Context, nonce [32]byte, count uint32, ttl time.Duration) (fresh bool, err error) {
	return measured(ctx, s.dependency, "use", func(ctx context.Context) (bool, error) { return s.base.Use(ctx, nonce, count, ttl) })
}
