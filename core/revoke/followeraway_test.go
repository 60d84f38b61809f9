package revoke_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// TestLogIsAway: what is known stays in force, and past the bound the mode holds,
// until the log is back.
func TestLogIsAway(t *testing.T) {
	t.Parallel()
	for mode, want := range map[revoke.StaleMode]struct {
		revoked bool
		err     error
	}{
		revoke.StaleServe:       {false, nil},
		revoke.StaleUnavailable: {false, revoke.ErrStale},
		revoke.StaleRefuse:      {true, nil},
	} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			log := &revoketest.Memory{}
			observed, until := watch()
			f := follow(t, log, observed, revoke.WithMaxStaleness(authtest.TimeLimit(500*time.Millisecond), mode))
			if err := f.Revoke(revoke.Entry{ID: "known"}); err != nil {
				t.Fatal(err)
			}
			log.Fail(errDown)
			until(t, "stale", func(s revoke.Status) bool { return s.Stale && errors.Is(s.Err, errDown) })
			if is, err := f.Revoked(t.Context(), revoke.Token{ID: "known"}); !is || err != nil {
				t.Errorf("a token that is known to be revoked: %v, %v", is, err)
			}
			if is, err := f.Revoked(t.Context(), revoke.Token{ID: "other"}); is != want.revoked || !errors.Is(err, want.err) {
				t.Errorf("another: %v, %v", is, err)
			}
			log.Fail(nil)
			until(t, "fresh", func(s revoke.Status) bool { return !s.Stale && s.Err == nil })
			if is, err := f.Revoked(t.Context(), revoke.Token{ID: "other"}); is || err != nil {
				t.Errorf("another, afterwards: %v, %v", is, err)
			}
		})
	}
}

// TestLogIsAwayAtTheStart: by default no instance starts without it, and with a late
// start nobody is let in before it was read.
func TestLogIsAwayAtTheStart(t *testing.T) {
	t.Parallel()
	log := &revoketest.Memory{}
	if _, err := log.Append(t.Context(), "", revoke.Entry{ID: "j"}); err != nil {
		t.Fatal(err)
	}
	log.Fail(errDown)
	if f, err := revoke.Follow(t.Context(), log, revoke.WithStartTimeout(time.Millisecond)); !errors.Is(err, errDown) {
		t.Errorf("%v, %v", f, err)
	}
	observed, until := watch()
	f := follow(t, log, revoke.WithLateStart(), observed, revoke.WithMaxStaleness(time.Hour, revoke.StaleServe))
	for _, id := range []string{"j", "k"} {
		if is, err := f.Revoked(t.Context(), revoke.Token{ID: id}); is || !errors.Is(err, revoke.ErrNotRead) {
			t.Errorf("%s before the log was read: %v, %v", id, is, err)
		}
	}
	if s := f.Status(); !s.Confirmed.IsZero() {
		t.Errorf("%+v", s)
	}
	log.Fail(nil)
	until(t, "read", func(s revoke.Status) bool { return !s.Confirmed.IsZero() })
	if !isRevoked(t, f, revoke.Token{ID: "j"}) || isRevoked(t, f, revoke.Token{ID: "k"}) {
		t.Error("what was read does not count")
	}
}

// A log that cannot be read is logged once, and so is that it can be read again.
func TestLogThatIsAwayIsLogged(t *testing.T) {
	t.Parallel()
	log, logged := &quiet{Log: &revoketest.Memory{}}, new(lines)
	f := follow(t, log, revoke.WithPollInterval(time.Hour), revoke.WithLogger(slog.New(slog.NewTextHandler(logged, nil))))
	for _, err := range []error{errDown, errDown, nil, nil} {
		log.read = func(revoke.Position) ([]revoke.Record, error) { return nil, err }
		_ = f.WaitFor(t.Context(), revoke.Position{})
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if logged.count("connection refused") != 1 || logged.count("read from their log again") != 1 {
		t.Error(logged.text.String())
	}
}

// TestLogStepsBack: a log that lost its newest records takes nothing back, and what
// gets their numbers is read.
func TestLogStepsBack(t *testing.T) {
	t.Parallel()
	for lost := range 3 {
		log := &revoketest.Memory{}
		f := follow(t, log)
		for _, id := range []string{"a", "b"} {
			if err := f.Revoke(revoke.Entry{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.WaitFor(t.Context(), revoke.Position{Number: 2}); err != nil {
			t.Fatal(err)
		}
		log.Lose(lost)
		var p revoke.Position
		for _, id := range []string{"c", "d"} {
			var err error
			if p, err = log.Append(t.Context(), "", revoke.Entry{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.WaitFor(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"a", "b", "c", "d"} {
			if !isRevoked(t, f, revoke.Token{ID: id}) {
				t.Errorf("%d lost: %s is good again", lost, id)
			}
		}
		if s := f.Status(); s.Restarts != uint64(min(lost, 1)) || s.Err != nil {
			t.Errorf("%d lost: %+v", lost, s)
		}
	}
}

// TestFailedAppend: what was to be revoked is, here at least.
func TestFailedAppend(t *testing.T) {
	t.Parallel()
	log := &revoketest.Memory{}
	f := follow(t, log)
	log.Fail(errDown)
	if err := f.Revoke(revoke.Entry{ID: "j"}); !errors.Is(err, errDown) {
		t.Error(err)
	}
	if !isRevoked(t, f, revoke.Token{ID: "j"}) {
		t.Error("it is not revoked")
	}
	if err := f.Revoke(revoke.Entry{}); err == nil || errors.Is(err, errDown) {
		t.Errorf("an entry that is none: %v", err)
	}
	log.Fail(nil)
	for _, note := range []string{"\xff", "a\x00b", strings.Repeat("a", revoke.MaxNoteSize+1)} {
		if _, err := f.Append(t.Context(), note, revoke.Entry{ID: "k"}); err == nil {
			t.Errorf("the note %.9q is accepted", note)
		}
	}
	if _, err := f.Append(t.Context(), strings.Repeat("a", revoke.MaxNoteSize), revoke.Entry{ID: "k"}); err != nil {
		t.Error(err)
	}
}
