package redisstate

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source/redis/internal/connect"
)

// dropped is the maximum number of expired records that one append deletes. It must exceed
// the usual number of records per append.
const dropped = 100

var (
	//go:embed revoke.lua
	revokeLua string

	appendRevocations = redis.NewScript(revokeLua)
)

// revocations is the [revoke.Log] of a state.
type revocations struct{ *State }

// Revocations returns the log for [revoke.Follow], in a stream. An append is one
// script, which notifies, and deletes up to 100 records that expired more than an
// hour ago, by the clocks of the server and of this machine.
//
// The server must keep its data, since this is not a cache: set maxmemory-policy to
// noeviction and appendonly to yes. Revocations that it nevertheless loses stay in
// effect on instances that have read them, but not on those that start afterwards.
func (s *State) Revocations() revoke.Log { return revocations{s} }

func (l revocations) stream() string  { return l.prefix + "revoke:log" }
func (l revocations) channel() string { return l.prefix + "revoked" }

// Append implements [revoke.Log].
func (l revocations) Append(ctx context.Context, note string, entries ...revoke.Entry) (revoke.Position, error) {
	if err := revoke.CheckAppend(note, entries); err != nil {
		return revoke.Position{}, fmt.Errorf("redisstate: revoke: %w", err)
	}
	var at revoke.Position
	args := []any{l.channel(), note, dropped, time.Now().Unix()}
	for _, e := range entries {
		var expires int64
		if !e.Expires.IsZero() {
			expires = max(e.Expires.Unix(), 1)
		}
		at.Tag = rand.Text()
		args = append(args, at.Tag, e.String(), expires)
	}
	got, err := l.run(ctx, appendRevocations, 1, []string{l.stream(), l.prefix + "revoke:expiry"}, args...)
	if err != nil {
		return revoke.Position{}, fmt.Errorf("redisstate: revoke: %w", err)
	}
	at.Number = uint64(got[0])
	return at, nil
}

// Read implements [revoke.Log].
func (l revocations) Read(ctx context.Context, after revoke.Position, limit int) ([]revoke.Record, error) {
	// The record at the position is read as well: it proves that this is the same log as
	// before.
	if after.Number > 0 {
		limit++
	}
	messages, err := l.client.XRangeN(ctx, l.stream(), strconv.FormatUint(after.Number, 10)+"-0", "+", int64(limit)).Result()
	if err != nil {
		return nil, fmt.Errorf("redisstate: read revocations: %w", err)
	}
	records := make([]revoke.Record, 0, len(messages))
	var unreadable error
	for _, m := range messages {
		r, err := record(m)
		if err != nil {
			unreadable = fmt.Errorf("redisstate: read revocation %s: %w: %w", m.ID, revoke.ErrUnreadable, err)
			break
		}
		records = append(records, r)
	}
	switch {
	case after.Number == 0:
		return records, unreadable
	case len(records) == 0 || records[0].Position != after:
		return nil, fmt.Errorf("redisstate: read after revocation %d: %w", after.Number, revoke.ErrNoPosition)
	}
	return records[1:], unreadable
}

// record parses an entry of the stream.
func record(m redis.XMessage) (r revoke.Record, err error) {
	field := func(name string) string {
		text, _ := m.Values[name].(string)
		return text
	}
	number, _ := strings.CutSuffix(m.ID, "-0")
	r.Number, err = strconv.ParseUint(number, 10, 63)
	if r.Tag = field("tag"); err != nil || r.Tag == "" {
		return r, errors.New("the entry of the stream is not a revocation")
	}
	seconds, err := strconv.ParseInt(field("added"), 10, 64)
	if err != nil {
		return r, err
	}
	r.Added, r.Note = time.Unix(seconds, 0), field("note")
	r.Entry, err = revoke.ParseEntry(field("entry"))
	return r, err
}

// Listen implements [revoke.Log].
func (l revocations) Listen(ctx context.Context, hint func()) error {
	if err := connect.Listen(ctx, l.client, l.channel(), func(string) { hint() }); err != nil {
		return fmt.Errorf("redisstate: listen: %w", err)
	}
	return nil
}
