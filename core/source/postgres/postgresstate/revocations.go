package postgresstate

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source/postgres/internal/connect"
)

const (
	// channel is where appends are notified.
	channel = "sallyport_state"
	// dropped is how many records that have expired an append drops at most: it must
	// be more than are appended at a time as a rule.
	dropped = 100
)

// revocations is the [revoke.Log] of a state.
type revocations struct{ *State }

// Revocations returns the log for [revoke.Follow]. An append is one transaction,
// which notifies, and deletes up to 100 records that expired more than an hour ago, by
// the clocks of the database and of this machine.
//
// A record has the database's time and role. Roles with the rights of [Grants] can
// neither change nor undo revocations.
func (s *State) Revocations() revoke.Log { return revocations{s} }

// Append implements [revoke.Log].
func (l revocations) Append(ctx context.Context, note string, entries ...revoke.Entry) (revoke.Position, error) {
	if err := revoke.CheckAppend(note, entries); err != nil {
		return revoke.Position{}, fmt.Errorf("postgresstate: revoke: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	var at revoke.Position
	// An instance that is lost in the middle must not hold the lock of appends.
	err := connect.Write(ctx, l.pool, func(b *pgx.Batch) {
		for _, e := range entries {
			at.Tag = rand.Text()
			b.Queue(`insert into sallyport_state.revocation (service, revision, tag, note, entry, expires)
				values ($1, 1, $2, $3, $4, $5) returning revision`, l.service, at.Tag, note, e.String(), nullTime(e.Expires)).
				QueryRow(func(row pgx.Row) error { return row.Scan(&at.Number) })
		}
		// The newest record of before stays, since instances begin to read there. What
		// has expired only by the database's clock may be needed when that is set back.
		b.Queue(`delete from sallyport_state.revocation where service = $1 and revision in (
			select r.revision from sallyport_state.revocation r where r.service = $1
			and r.revision < (select max(m.revision) from sallyport_state.revocation m where m.service = $1) - $2
			and r.expires < least(clock_timestamp(), $4) - interval '1 hour' order by r.expires limit $3)`, l.service, len(entries), dropped, time.Now())
	})
	if err != nil {
		return revoke.Position{}, wrapped("revoke", err)
	}
	return at, nil
}

// nullTime is null for never.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Read implements [revoke.Log].
func (l revocations) Read(ctx context.Context, after revoke.Position, limit int) ([]revoke.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	// The record at the position is read too: that it is there says that the log is
	// the one that was read before.
	if after.Number > 0 {
		limit++
	}
	rows, err := l.pool.Query(ctx, `select revision, tag, added, db_user, note, entry from sallyport_state.revocation
		where service = $1 and revision >= $2 order by revision limit $3`, l.service, int64(after.Number), limit)
	if err != nil {
		return nil, wrapped("read revocations", err)
	}
	defer rows.Close()
	var records []revoke.Record
	var unreadable error
	for unreadable == nil && rows.Next() {
		var r revoke.Record
		var number int64
		var entry string
		if err := rows.Scan(&number, &r.Tag, &r.Added, &r.By, &r.Note, &entry); err != nil {
			return nil, wrapped("read revocations", err)
		}
		r.Number = uint64(number)
		if r.Entry, err = revoke.ParseEntry(entry); err != nil {
			unreadable = fmt.Errorf("postgresstate: read revocation %d: %w: %w", number, revoke.ErrUnreadable, err)
			continue
		}
		records = append(records, r)
	}
	rows.Close()
	switch err := rows.Err(); {
	case err != nil:
		return nil, wrapped("read revocations", err)
	case after.Number == 0:
		return records, unreadable
	case len(records) == 0 || records[0].Position != after:
		return nil, fmt.Errorf("postgresstate: read after revocation %d: %w", after.Number, revoke.ErrNoPosition)
	}
	return records[1:], unreadable
}

// Listen implements [revoke.Log].
func (l revocations) Listen(ctx context.Context, hint func()) error {
	listened := false
	err := new(connect.Listener).Listen(ctx, l.pool, channel, l.service, func() {
		listened = true
		hint()
	})
	if listened && ctx.Err() == nil {
		l.pool.Reset() // the server, or the way to it, is not what it was
	}
	return wrapped("listen", err)
}
