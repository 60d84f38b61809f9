//go:build unix

package redisstate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// instance follows revocations, and reports its status.
func instance(t *testing.T, l revoke.Log, statuses chan<- revoke.Status) *revoke.Follower {
	t.Helper()
	limit := authtest.TimeLimit(30 * time.Second)
	f, err := revoke.Follow(t.Context(), l, revoke.WithPollInterval(time.Minute), revoke.WithTimeout(limit), revoke.WithStartTimeout(limit),
		revoke.WithStatusObserver(func(s revoke.Status) {
			select {
			case statuses <- s:
			default:
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestRevocations runs the suite of logs on Redis.
func TestRevocations(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	revoketest.Run(t, func(t *testing.T, name string) revoke.Log { return open(t, s, name).Revocations() })
}

// TestRevocationsWhileAway: what was revoked while an instance was disconnected applies
// soon after it reconnects, and an emptied server undoes nothing.
func TestRevocationsWhileAway(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	statuses := make(chan revoke.Status, 1000)
	f := instance(t, open(t, s, "away").Revocations(), statuses)
	if err := f.Revoke(revoke.Entry{ID: "before"}); err != nil {
		t.Fatal(err)
	}
	s.Crash()
	limit := time.After(authtest.TimeLimit(time.Minute))
	for lost := false; !lost; {
		select {
		case st := <-statuses:
			lost = st.ListenErr != nil
		case <-limit:
			t.Fatal("the outage goes unnoticed")
		}
	}
	s.Start()
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	log := open(t, s, "away").Revocations()
	p, err := log.Append(ctx, "", revoke.Entry{ID: "meanwhile"})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFor(ctx, p); err != nil {
		t.Fatal(err)
	}
	says(t, s, "FLUSHALL")
	if p, err = log.Append(ctx, "", revoke.Entry{ID: "after"}); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFor(ctx, p); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"before", "meanwhile", "after"} {
		if is, err := f.Revoked(ctx, revoke.Token{ID: id}); !is || err != nil {
			t.Errorf("%s: %v, %v", id, is, err)
		}
	}
	if st := f.Status(); st.Restarts != 1 {
		t.Errorf("%+v", st)
	}
}

// TestInvalidEntriesInTheStream: an entry that is not a revocation is an error, so it is never
// skipped.
func TestInvalidEntriesInTheStream(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for i, add := range [][]any{
		{"1-1", "tag", "t", "entry", "jti a", "added", "1"}, {"1-0", "entry", "jti a", "added", "1"},
		{"1-0", "tag", "t", "entry", "jti", "added", "1"}, {"1-0", "tag", "t", "entry", "jti a"},
	} {
		l := open(t, s, []string{"a", "b", "c", "d"}[i]).Revocations()
		says(t, s, append([]any{"XADD", "sallyport:{" + []string{"a", "b", "c", "d"}[i] + "}:revoke:log"}, add...)...)
		if got, err := l.Read(t.Context(), revoke.Position{}, 10); !errors.Is(err, revoke.ErrUnreadable) || len(got) > 0 {
			t.Errorf("%v is read as %v, error %v", add, got, err)
		}
	}
}

// TestNewestIsRemoved: revocations go on after somebody has removed the newest, such as one
// that cannot be read, or all of them.
func TestNewestIsRemoved(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	log := open(t, s, "removed").Revocations()
	f := instance(t, log, nil)
	var all []revoke.Entry
	revoked := func(entries ...revoke.Entry) {
		t.Helper()
		all = append(all, entries...)
		p, err := log.Append(t.Context(), "", entries...)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.WaitFor(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if is, err := f.Revoked(t.Context(), revoke.Token{ID: e.ID}); !is || err != nil {
				t.Errorf("%s: %v, %v", e.ID, is, err)
			}
		}
	}
	revoked(revoke.Entry{ID: "a"}, revoke.Entry{ID: "b"})
	says(t, s, "XDEL", "sallyport:{removed}:revoke:log", "2-0")
	revoked(revoke.Entry{ID: "c"}, revoke.Entry{ID: "d"})
	says(t, s, "XTRIM", "sallyport:{removed}:revoke:log", "MAXLEN", "0")
	revoked(revoke.Entry{ID: "e", Expires: time.Now().Add(time.Hour)})
}

// TestUsersOfRevocations: the users on the page can do what they need, and one that only
// follows cannot revoke.
func TestUsersOfRevocations(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for user, rights := range usersOfPage(t, "../../../../docs/shared-state.md", "shop") {
		says(t, s, append([]any{"ACL", "SETUSER", user, "on", ">secret"}, rights...)...)
	}
	app := instance(t, as(t, s, "app", "shop").Revocations(), nil)
	p, err := app.Append(t.Context(), "a note", revoke.Entry{ID: "j", Expires: time.Now().Add(-2 * time.Hour)}, revoke.Entry{ID: "k"})
	if err != nil {
		t.Fatal(err)
	}
	verifier := instance(t, as(t, s, "verifier", "shop").Revocations(), nil)
	if err := verifier.WaitFor(t.Context(), p); err != nil {
		t.Error(err)
	}
	var refused client.Error
	if err := verifier.Revoke(revoke.Entry{ID: "x"}); !errors.As(err, &refused) {
		t.Errorf("a follower can revoke: %v", err)
	}
}
