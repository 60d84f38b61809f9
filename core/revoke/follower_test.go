package revoke_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
	"github.com/sallyport-go/sallyport/core/source"
)

var errDown = errors.New("connection refused")

// TestMemoryLog: the log of tests is a log.
func TestMemoryLog(t *testing.T) {
	t.Parallel()
	logs := map[string]*revoketest.Memory{}
	revoketest.Run(t, func(_ *testing.T, name string) revoke.Log {
		if logs[name] == nil {
			logs[name] = &revoketest.Memory{}
		}
		return logs[name]
	})
}

// follow is an instance that polls fast.
func follow(t testing.TB, l revoke.Log, opts ...revoke.FollowOption) *revoke.Follower {
	t.Helper()
	f, err := revoke.Follow(t.Context(), l, append([]revoke.FollowOption{
		revoke.WithPollInterval(100 * time.Millisecond), revoke.WithTimeout(authtest.TimeLimit(time.Minute)),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// watch gives a channel of the statuses, and an option that fills it.
func watch() (revoke.FollowOption, func(t *testing.T, what string, is func(revoke.Status) bool)) {
	var mu sync.Mutex
	var last revoke.Status
	changed := make(chan struct{}, 1)
	option := revoke.WithStatusObserver(func(s revoke.Status) {
		mu.Lock()
		last = s
		mu.Unlock()
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	return option, func(t *testing.T, what string, is func(revoke.Status) bool) {
		t.Helper()
		limit := time.After(authtest.TimeLimit(30 * time.Second))
		for {
			mu.Lock()
			s := last
			mu.Unlock()
			if is(s) {
				return
			}
			select {
			case <-changed:
			case <-limit:
				t.Fatalf("never %s: %+v", what, s)
			}
		}
	}
}

// TestFollowerSaysWhatAListSays, except what an entry revokes longer that is merged
// with another.
func TestFollowerSaysWhatAListSays(t *testing.T) {
	t.Parallel()
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	hour := func() time.Time { return noon.Add(time.Duration(r.IntN(9)-4) * time.Hour) }
	for round := range 200 {
		l, c := list(t)
		entries := make([]revoke.Entry, r.IntN(30))
		for i := range entries {
			e := revoke.Entry{Issuer: pick("", one, other)}
			if r.IntN(2) == 0 {
				e.Expires = noon.Add(time.Duration(r.IntN(3)+1) * time.Hour)
			}
			switch r.IntN(3) {
			case 0:
				e.ID = pick("a", "b", "c", "d")
			case 1:
				e.Subject, e.IssuedBefore = pick("a", "b", "c", "d"), hour()
			default:
				e.All, e.IssuedBefore = true, hour().Add(-3*time.Hour)
			}
			entries[i] = e
			if err := l.Revoke(e); err != nil {
				t.Fatal(err)
			}
		}
		log := &revoketest.Memory{}
		if len(entries) > 0 {
			if _, err := log.Append(t.Context(), "", entries...); err != nil {
				t.Fatal(err)
			}
		}
		f := follow(t, log, revoke.WithFollowerClock(c.read))
		for after := range 5 {
			c.set(noon.Add(time.Duration(after) * time.Hour))
			for range 50 {
				tok := revoke.Token{Issuer: pick("", one, other), ID: pick("", "a", "b", "x"), Subject: pick("", "a", "b", "x"), IssuedAt: hour()}
				got, want := isRevoked(t, f, tok), isRevoked(t, l, tok)
				if want && !got || got && !want && !expiredEntry(entries, tok) {
					t.Fatalf("round %d, hour %d: %+v: %v, the list says %v\n%v", round, after, tok, got, want, entries)
				}
			}
		}
		_ = f.Close()
	}
}

// expiredEntry reports whether an entry that has an end would revoke a token.
func expiredEntry(entries []revoke.Entry, tok revoke.Token) bool {
	l, err := revoke.New(revoke.WithClock(func() time.Time { return noon }))
	if err != nil {
		return false
	}
	for _, e := range entries {
		if !e.Expires.IsZero() {
			_ = l.Revoke(e)
		}
	}
	is, err := l.Revoked(context.Background(), tok)
	return is && err == nil
}

// TestFollowerOddTimes: times that no integer of nanoseconds holds.
func TestFollowerOddTimes(t *testing.T) {
	t.Parallel()
	log := &revoketest.Memory{}
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	old := time.Date(1, 6, 1, 0, 0, 0, 0, time.UTC)
	f := follow(t, log)
	for _, e := range []revoke.Entry{
		{Subject: "far", IssuedBefore: far, Expires: far}, {Subject: "old", IssuedBefore: old}, {ID: "gone", Expires: old},
		{Subject: "older", IssuedBefore: time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)}, {ID: "late", Expires: time.Date(2110, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := f.Revoke(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		token revoke.Token
		want  bool
	}{
		{revoke.Token{Subject: "far", IssuedAt: noon}, true},
		{revoke.Token{Subject: "far", IssuedAt: far}, true},
		{revoke.Token{Subject: "old", IssuedAt: noon}, false},
		{revoke.Token{Subject: "old"}, true}, // issued who knows when
		{revoke.Token{ID: "gone"}, false},
		{revoke.Token{Subject: "older", IssuedAt: noon}, false},
		{revoke.Token{ID: "late"}, true},
	} {
		if got := isRevoked(t, f, tt.token); got != tt.want {
			t.Errorf("%+v: %v", tt.token, got)
		}
	}
}

// TestFollowerIsFull: with more entries than there may be, a token may be among those
// that are not known, until enough have expired.
func TestFollowerIsFull(t *testing.T) {
	t.Parallel()
	c := &clock{now: noon}
	log := &revoketest.Memory{Now: c.read}
	f := follow(t, log, revoke.WithFollowerMaxEntries(3), revoke.WithFollowerClock(c.read))
	var p revoke.Position
	for n := range 4 {
		var err error
		if p, err = log.Append(t.Context(), "", revoke.Entry{ID: fmt.Sprint(n), Expires: noon.Add(2 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.WaitFor(t.Context(), p); !errors.Is(err, revoke.ErrFull) {
		t.Errorf("wait: %v", err)
	}
	if is, err := f.Revoked(t.Context(), revoke.Token{ID: "3"}); is || !errors.Is(err, revoke.ErrFull) {
		t.Errorf("a token of which nothing is known: %v, %v", is, err)
	}
	if !isRevoked(t, f, revoke.Token{ID: "0"}) {
		t.Error("what is known does not count")
	}
	if err := f.Revoke(revoke.Entry{ID: "here"}); !errors.Is(err, revoke.ErrFull) {
		t.Errorf("revoke: %v", err)
	}
	c.set(noon.Add(3 * time.Minute))
	if err := f.WaitFor(t.Context(), p); err != nil {
		t.Error(err)
	}
	if is, err := f.Revoked(t.Context(), revoke.Token{ID: "4"}); is || err != nil {
		t.Errorf("afterwards: %v, %v", is, err)
	}
}

// unreadable is a log whose records from some number on are of a later version.
type unreadable struct {
	*revoketest.Memory
	from atomic.Uint64 // 0 for none
}

func (l *unreadable) Read(ctx context.Context, after revoke.Position, limit int) ([]revoke.Record, error) {
	records, err := l.Memory.Read(ctx, after, limit)
	for i, r := range records {
		if from := l.from.Load(); from > 0 && r.Number >= from {
			return records[:i], fmt.Errorf("record %d: %w", r.Number, revoke.ErrUnreadable)
		}
	}
	return records, err
}

// TestFollowerCannotRead: whom a record revokes that cannot be read is not known, nor
// what follows it. So a token without an entry is neither good nor bad, until the
// record is gone or can be read.
func TestFollowerCannotRead(t *testing.T) {
	t.Parallel()
	log := &unreadable{Memory: &revoketest.Memory{}}
	log.from.Store(2)
	f := follow(t, log)
	p, err := log.Append(t.Context(), "", revoke.Entry{ID: "read"}, revoke.Entry{ID: "unreadable"}, revoke.Entry{ID: "behind it"})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFor(t.Context(), p); !errors.Is(err, revoke.ErrUnreadable) {
		t.Errorf("wait: %v", err)
	}
	if !isRevoked(t, f, revoke.Token{ID: "read"}) {
		t.Error("what was read does not count")
	}
	if is, err := f.Revoked(t.Context(), revoke.Token{ID: "behind it"}); is || !errors.Is(err, revoke.ErrUnreadable) {
		t.Errorf("a token of which nothing is known: %v, %v", is, err)
	}
	log.from.Store(0)
	if err := f.WaitFor(t.Context(), p); err != nil {
		t.Error(err)
	}
	if !isRevoked(t, f, revoke.Token{ID: "behind it"}) || isRevoked(t, f, revoke.Token{ID: "nobody's"}) {
		t.Error("the rest does not count afterwards")
	}
}

// TestWaitForAnotherRecord: a record that the log has lost was not read because
// another one has its number.
func TestWaitForAnotherRecord(t *testing.T) {
	t.Parallel()
	log := &revoketest.Memory{}
	f := follow(t, log)
	lost, err := log.Append(t.Context(), "", revoke.Entry{ID: "lost"})
	if err != nil {
		t.Fatal(err)
	}
	log.Lose(1)
	if _, err := log.Append(t.Context(), "", revoke.Entry{ID: "another"}); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFor(t.Context(), lost); !errors.Is(err, revoke.ErrNoPosition) {
		t.Errorf("wait: %v", err)
	}
}

// TestFollowerForgets gives the room of what has expired back.
func TestFollowerForgets(t *testing.T) {
	t.Parallel()
	c := &clock{now: noon}
	log := &revoketest.Memory{Now: c.read}
	f := follow(t, log, revoke.WithFollowerClock(c.read))
	entries := make([]revoke.Entry, 10_000)
	for i := range entries {
		entries[i] = revoke.Entry{ID: fmt.Sprint(i), Expires: noon.Add(time.Duration(i%10+1) * time.Hour)}
	}
	p, err := log.Append(t.Context(), "", entries...)
	if err != nil {
		t.Fatal(err)
	}
	for hours := range 11 {
		c.set(noon.Add(time.Duration(hours) * time.Hour))
		if err := f.WaitFor(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if got, want := isRevoked(t, f, revoke.Token{ID: fmt.Sprint(i)}), i%10+1 > hours; got != want {
				t.Errorf("entry %d after %d hours: %v", i, hours, got)
			}
		}
	}
	if f.Len() != 0 {
		t.Errorf("%d entries are left", f.Len())
	}
}

// Entries count to the end of the second in which they expire, and two for the same
// token to the later end.
func TestFollowerToTheEnd(t *testing.T) {
	t.Parallel()
	c := &clock{now: noon}
	f := follow(t, &revoketest.Memory{Now: c.read}, revoke.WithFollowerClock(c.read))
	end := noon.Add(1500 * time.Millisecond)
	for _, e := range []revoke.Entry{{ID: "once", Expires: end}, {ID: "twice", Expires: noon.Add(time.Second)}, {ID: "twice", Expires: end}} {
		if err := f.Revoke(e); err != nil {
			t.Fatal(err)
		}
	}
	for after, want := range map[time.Duration]bool{1400 * time.Millisecond: true, 2 * time.Second: false} {
		c.set(noon.Add(after))
		for _, id := range []string{"once", "twice"} {
			if got := isRevoked(t, f, revoke.Token{ID: id}); got != want {
				t.Errorf("%s after %v: %v", id, after, got)
			}
		}
	}
}

// TestFollowerWhileReading: readers never miss what was there before, while the table
// grows under them.
func TestFollowerWhileReading(t *testing.T) {
	t.Parallel()
	log := &revoketest.Memory{}
	f := follow(t, log)
	if err := f.Revoke(revoke.Entry{ID: "first"}); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if is, err := f.Revoked(context.Background(), revoke.Token{ID: "first", Issuer: one}); !is || err != nil {
					t.Errorf("%v, %v", is, err)
					return
				}
				if is, err := f.Revoked(context.Background(), revoke.Token{ID: fmt.Sprint("never ", n)}); is || err != nil {
					t.Errorf("%v, %v", is, err)
					return
				}
			}
		})
	}
	for n := range 1000 {
		if err := f.Revoke(revoke.Entry{ID: fmt.Sprint(n), Issuer: []string{"", one}[n%2]}); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	readers.Wait()
}

func TestFollowerOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]revoke.FollowOption{
		"nil": nil, "poll": revoke.WithPollInterval(time.Millisecond), "timeout": revoke.WithTimeout(0), "start": revoke.WithStartTimeout(0),
		"staleness": revoke.WithMaxStaleness(0, revoke.StaleServe), "mode": revoke.WithMaxStaleness(1, "deny"), "observer": revoke.WithStatusObserver(nil),
		"entries": revoke.WithFollowerMaxEntries(0), "more entries": revoke.WithFollowerMaxEntries(1 << 30), "logger": revoke.WithLogger(nil), "clock": revoke.WithFollowerClock(nil),
	} {
		if _, err := revoke.Follow(t.Context(), &revoketest.Memory{}, o); err == nil || !strings.HasPrefix(err.Error(), "revoke: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := revoke.Follow(t.Context(), nil); err == nil {
		t.Error("a log that is nil")
	}
	f := follow(t, &revoketest.Memory{})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFor(t.Context(), revoke.Position{Number: 1}); !errors.Is(err, source.ErrClosed) {
		t.Error(err)
	}
}
