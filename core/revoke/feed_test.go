package revoke_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// quiet is a log without notifications, which is read only when the follower has to.
type quiet struct {
	revoke.Log
	read func(after revoke.Position) ([]revoke.Record, error) // nil for the log's own
}

func (q *quiet) Listen(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return ctx.Err()
}

func (q *quiet) Read(ctx context.Context, after revoke.Position, limit int) ([]revoke.Record, error) {
	if q.read != nil {
		return q.read(after)
	}
	return q.Log.Read(ctx, after, limit)
}

func record(n uint64, id string) revoke.Record {
	return revoke.Record{Position: revoke.Position{Number: n}, Entry: revoke.Entry{ID: id}}
}

// One read goes to the end of the log, however many pages that takes, and from the
// beginning of a log that has lost its position.
func TestOneReadReachesTheEnd(t *testing.T) {
	t.Parallel()
	memory := &revoketest.Memory{}
	entries := make([]revoke.Entry, 4097)
	for i := range entries {
		entries[i].ID = fmt.Sprint(i)
	}
	if _, err := memory.Append(t.Context(), "", entries...); err != nil {
		t.Fatal(err)
	}
	f := follow(t, &quiet{Log: memory}, revoke.WithPollInterval(time.Hour))
	if !isRevoked(t, f, revoke.Token{ID: "4096"}) {
		t.Error("the last of 4097 records was not read")
	}
	memory.Lose(1)
	if _, err := memory.Append(t.Context(), "", revoke.Entry{ID: "instead"}); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFor(t.Context(), revoke.Position{}); err != nil || !isRevoked(t, f, revoke.Token{ID: "instead"}) {
		t.Errorf("what the log has instead of what it lost was not read: %v", err)
	}
}

// After a record that cannot be what was appended, tokens without an entry may be
// revoked by the rest.
func TestRecordsThatCannotBe(t *testing.T) {
	t.Parallel()
	for why, second := range map[string]revoke.Record{
		"the log returned record 1 after record 1": record(1, "b"),
		"record 2: ": record(2, ""),
	} {
		log := &quiet{Log: &revoketest.Memory{}}
		f := follow(t, log, revoke.WithPollInterval(time.Hour))
		log.read = func(revoke.Position) ([]revoke.Record, error) {
			return []revoke.Record{record(1, "a"), second, record(3, "c")}, nil
		}
		if err := f.WaitFor(t.Context(), revoke.Position{}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
		if !isRevoked(t, f, revoke.Token{ID: "a"}) {
			t.Errorf("%s: the record before it does not count", why)
		}
		if is, err := f.Revoked(t.Context(), revoke.Token{ID: "c"}); is || !errors.Is(err, revoke.ErrUnreadable) {
			t.Errorf("%s: a token after it: %v, %v", why, is, err)
		}
	}
}

// A log without a beginning is not read forever.
func TestLogWithoutABeginning(t *testing.T) {
	t.Parallel()
	log := &quiet{read: func(revoke.Position) ([]revoke.Record, error) { return nil, revoke.ErrNoPosition }}
	if _, err := revoke.Follow(t.Context(), log, revoke.WithStartTimeout(time.Millisecond)); !errors.Is(err, revoke.ErrNoPosition) {
		t.Error(err)
	}
}

// Who waits for a record learns of the read that found it.
func TestWaitForARecordToCome(t *testing.T) {
	t.Parallel()
	log := &quiet{Log: &revoketest.Memory{}}
	f := follow(t, log, revoke.WithPollInterval(time.Hour))
	looked, done := make(chan struct{}, 9), make(chan error, 1)
	log.read = func(after revoke.Position) ([]revoke.Record, error) {
		records, err := log.Log.Read(t.Context(), after, 1)
		looked <- struct{}{} // what is appended from here on is not among them
		return records, err
	}
	go func() { done <- f.WaitFor(t.Context(), revoke.Position{Number: 1}) }()
	<-looked
	if err := f.Revoke(revoke.Entry{ID: "j"}); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFor(t.Context(), revoke.Position{}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A successor of a follower that has not read anything reads from the beginning.
func TestSuccessorOfOneThatHasNotRead(t *testing.T) {
	t.Parallel()
	log := &quiet{read: func(revoke.Position) ([]revoke.Record, error) { return nil, errDown }}
	old := follow(t, log, revoke.WithLateStart())
	f := follow(t, &quiet{read: func(after revoke.Position) ([]revoke.Record, error) {
		if after != (revoke.Position{}) {
			return nil, nil
		}
		return []revoke.Record{record(1, "j")}, nil
	}}, revoke.WithPredecessor(old))
	if !isRevoked(t, f, revoke.Token{ID: "j"}) {
		t.Error("the log was not read")
	}
}
