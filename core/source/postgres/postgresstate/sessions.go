package postgresstate

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source/postgres/internal/connect"
)

const (
	// One of cleanEvery entries that are committed has up to cleaned of those deleted
	// that have expired, so that more go than come.
	cleanEvery, cleaned = 32, 128
)

// sessions is the [session.ContextStore] of a state.
type sessions struct {
	*State
	commits atomic.Uint64
}

// Sessions returns a store for session.WithStore and tokens.WithStore. Both may
// share it: their keys differ.
//
// An entry is no longer found once it has expired by the database's clock. Its row
// is deleted later: each 32nd commit deletes up to 128 expired rows of this
// service.
func (s *State) Sessions() session.ContextStore { return &sessions{State: s} }

// FindCtx implements [session.ContextStore].
func (s *sessions) FindCtx(ctx context.Context, key string) (data []byte, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err = s.pool.QueryRow(ctx, "select data from sallyport_state.entry where service = $1 and key = $2 and expires > clock_timestamp()",
		s.service, key).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, wrapped("read an entry", err)
}

// CommitCtx implements [session.ContextStore].
func (s *sessions) CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error {
	if data == nil {
		data = []byte{} // nil would be null
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.write(ctx, `insert into sallyport_state.entry values ($1, $2, $3, $4)
		on conflict (service, key) do update set data = excluded.data, expires = excluded.expires`, s.service, key, data, expires)
	if err != nil {
		return wrapped("keep an entry", err)
	}
	if s.commits.Add(1)%cleanEvery == 0 {
		// Rows that others hold are theirs to delete. What fails is done by the next.
		_ = s.write(ctx, `delete from sallyport_state.entry where service = $1 and key in (
			select e.key from sallyport_state.entry e where e.service = $1 and e.expires <= clock_timestamp()
			order by e.expires limit $2 for update skip locked)`, s.service, cleaned)
	}
	return nil
}

// DeleteCtx implements [session.ContextStore].
func (s *sessions) DeleteCtx(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.write(ctx, "delete from sallyport_state.entry where service = $1 and key = $2", s.service, key)
	return wrapped("delete an entry", err)
}

// write runs one statement.
func (s *sessions) write(ctx context.Context, sql string, args ...any) error {
	return connect.Write(ctx, s.pool, func(b *pgx.Batch) { b.Queue(sql, args...) })
}

// Find implements [session.Store].
func (s *sessions) Find(key string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), key)
}

// Commit implements [session.Store].
func (s *sessions) Commit(key string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), key, data, expires)
}

// Delete implements [session.Store].
func (s *sessions) Delete(key string) error { return s.DeleteCtx(context.Background(), key) }
