package sessiontest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// ErrDown is the error of a [Store] that is down.
var ErrDown = errors.New("store: connection refused")

// Store is a [session.Store] for tests: it has its own clock, can fail or hang, and counts
// calls. It is safe for concurrent use.
type Store struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[string]entry
	err     error
	failing []string // the verbs that fail; all if empty
	before  func(ctx context.Context, verb string)
	asked   map[string]int
}

type entry struct {
	data    []byte
	expires time.Time
}

// NewStore returns an empty store whose entries expire by now.
func NewStore(now func() time.Time) *Store {
	return &Store{now: now, entries: map[string]entry{}, asked: map[string]int{}}
}

// Fail makes every later call, or those with the given verbs, return err; nil ends all
// failures. The verbs are "find", "commit" and "delete".
func (s *Store) Fail(err error, verbs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.failing = err, verbs
}

// Before makes every call first run f with the verb; nil ends that.
func (s *Store) Before(f func(ctx context.Context, verb string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// Asked returns how often the store was called with verb.
func (s *Store) Asked(verb string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[verb]
}

// Keys returns the keys of all entries, sorted.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.entries))
}

// Contents returns everything that the store holds, keys and data, for tests of what it
// must not contain.
func (s *Store) Contents() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []byte
	for k, e := range s.entries {
		all = append(append(append(all, k...), ' '), e.data...)
		all = append(all, '\n')
	}
	return string(all)
}

// Overwrite replaces the data of every entry by the result of f.
func (s *Store) Overwrite(f func(data []byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, e := range s.entries {
		e.data = f(slices.Clone(e.data))
		s.entries[k] = e
	}
}

// enter is called first in every method.
func (s *Store) enter(ctx context.Context, verb string) error {
	s.mu.Lock()
	s.asked[verb]++
	before, err := s.before, s.err
	if len(s.failing) > 0 && !slices.Contains(s.failing, verb) {
		err = nil
	}
	s.mu.Unlock()
	if before != nil {
		before(ctx, verb)
	}
	return err
}

// FindCtx implements session.ContextStore.
func (s *Store) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	if err := s.enter(ctx, "find"); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok || !s.now().Before(e.expires) {
		return nil, false, nil
	}
	return e.data, true, nil
}

// CommitCtx implements session.ContextStore.
func (s *Store) CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error {
	if err := s.enter(ctx, "commit"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[key] = entry{slices.Clone(data), expires}
	return nil
}

// DeleteCtx implements session.ContextStore.
func (s *Store) DeleteCtx(ctx context.Context, key string) error {
	if err := s.enter(ctx, "delete"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, key)
	return nil
}

// Find implements session.Store.
func (s *Store) Find(key string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), key)
}

// Commit implements session.Store.
func (s *Store) Commit(key string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), key, data, expires)
}

// Delete implements session.Store.
func (s *Store) Delete(key string) error { return s.DeleteCtx(context.Background(), key) }
