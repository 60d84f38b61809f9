package revoke_test

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

// TestSuccessorKnowsWhatIsKnown: whatever happened to the log, what a follower knows is
// known to the one that replaces it, and either way a log that lost records is logged.
func TestSuccessorKnowsWhatIsKnown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens  func(log *revoketest.Memory) *revoketest.Memory
		restarts uint64
	}{
		"nothing":             {func(log *revoketest.Memory) *revoketest.Memory { return log }, 0},
		"it is emptied":       {func(log *revoketest.Memory) *revoketest.Memory { log.Lose(2); return log }, 1},
		"its newest is lost":  {func(log *revoketest.Memory) *revoketest.Memory { log.Lose(1); return log }, 1},
		"another one is used": {func(*revoketest.Memory) *revoketest.Memory { return new(revoketest.Memory) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := new(revoketest.Memory)
			old := follow(t, log)
			for _, id := range []string{"a", "b"} {
				p, err := old.Append(t.Context(), "", revoke.Entry{ID: id})
				if err != nil {
					t.Fatal(err)
				}
				if err := old.WaitFor(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			log.Fail(errDown)
			if err := old.Revoke(revoke.Entry{ID: "here only"}); !errors.Is(err, errDown) {
				t.Fatal(err)
			}
			log.Fail(nil)
			log = c.happens(log)
			logged := new(lines)
			next := follow(t, log, revoke.WithPredecessor(old), revoke.WithLogger(slog.New(slog.NewTextHandler(logged, nil))))
			if err := old.Close(); err != nil {
				t.Error(err)
			}
			p, err := log.Append(t.Context(), "", revoke.Entry{ID: "later"})
			if err != nil {
				t.Fatal(err)
			}
			if err := next.WaitFor(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"a", "b", "here only", "later"} {
				if !isRevoked(t, next, revoke.Token{ID: id}) {
					t.Errorf("%s is good again", id)
				}
			}
			if isRevoked(t, next, revoke.Token{ID: "other"}) {
				t.Error("a token that nobody revoked is")
			}
			if s := next.Status(); s.Restarts != c.restarts || s.Err != nil {
				t.Errorf("%+v", s)
			}
			if n := logged.count("level=ERROR"); n != int(c.restarts) || logged.count("has lost what was read last") != n {
				t.Errorf("logged: %s", logged.text.String())
			}
		})
	}
}

// TestSuccessorsBound: the number of entries that a successor may know is its own.
func TestSuccessorsBound(t *testing.T) {
	t.Parallel()
	log := new(revoketest.Memory)
	old := follow(t, log, revoke.WithFollowerMaxEntries(1))
	if err := old.Revoke(revoke.Entry{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if err := follow(t, log, revoke.WithPredecessor(old), revoke.WithFollowerMaxEntries(2)).Revoke(revoke.Entry{ID: "b"}); err != nil {
		t.Error(err)
	}
	if err := follow(t, log, revoke.WithPredecessor(old), revoke.WithFollowerMaxEntries(2)).Revoke(revoke.Entry{ID: "c"}); !errors.Is(err, revoke.ErrFull) {
		t.Error(err)
	}
	if _, err := revoke.Follow(t.Context(), log, revoke.WithPredecessor(nil)); err == nil {
		t.Error("a predecessor that is nil")
	}
}
