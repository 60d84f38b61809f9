package redisstate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/session"
)

// sessions is the [session.ContextStore] of a state.
type sessions struct{ *State }

// Sessions returns a store for session.WithStore and tokens.WithStore. Both may
// share it: their keys differ. An entry is one key, which expires to the
// millisecond.
func (s *State) Sessions() session.ContextStore { return sessions{s} }

func (s sessions) key(key string) string { return s.prefix + "session:" + key }

// FindCtx implements [session.ContextStore].
func (s sessions) FindCtx(ctx context.Context, key string) (data []byte, found bool, err error) {
	data, err = s.client.Get(ctx, s.key(key)).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("redisstate: read an entry: %w", err)
	}
	return data, true, nil
}

// CommitCtx implements [session.ContextStore].
func (s sessions) CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error {
	// An absolute expiry cannot extend a lifetime if the command is slow. If it has already
	// passed, the key is deleted.
	if err := s.client.Do(ctx, "SET", s.key(key), data, "PXAT", max(expires.UnixMilli(), 1)).Err(); err != nil {
		return fmt.Errorf("redisstate: keep an entry: %w", err)
	}
	return nil
}

// DeleteCtx implements [session.ContextStore].
func (s sessions) DeleteCtx(ctx context.Context, key string) error {
	if err := s.client.Del(ctx, s.key(key)).Err(); err != nil {
		return fmt.Errorf("redisstate: delete an entry: %w", err)
	}
	return nil
}

// Find implements [session.Store].
func (s sessions) Find(key string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), key)
}

// Commit implements [session.Store].
func (s sessions) Commit(key string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), key, data, expires)
}

// Delete implements [session.Store].
func (s sessions) Delete(key string) error { return s.DeleteCtx(context.Background(), key) }
