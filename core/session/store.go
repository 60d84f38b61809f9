package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// maxCalls is how many calls of a store may be under way at once: each waits on
// a goroutine of its own, and a store that hangs must not collect them.
const maxCalls = 1024

// key is the name of an entry in the store: a hash, as long as the ids of scs,
// for which some stores have a column of fixed size.
type key string

func sessionKey(id string) key     { return newKey("session", id) }
func usedKey(id string) key        { return newKey("used", id) }
func endedKey(k key) key           { return newKey("ended", string(k)) }
func generationKey(who string) key { return newKey("generation", who) }

// newKey keeps kinds apart, so that no cookie can name an entry of another.
func newKey(kind, name string) key {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	return key(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// Store keeps entries for as long as it is told to. The stores of
// github.com/alexedwards/scs are such stores. Implementations must be safe for
// concurrent use.
//
// Keys are 43 characters of base64url. An error means that the store cannot be
// asked, and is 503 to clients. One that has the methods of [ContextStore] is
// called by those.
type Store interface {
	// Find returns the entry of key. One that has expired is as good as none,
	// which is not an error.
	Find(key string) (data []byte, found bool, err error)
	// Commit keeps an entry until expires, in place of the one that key has.
	Commit(key string, data []byte, expires time.Time) error
	// Delete removes the entry of key; none is not an error.
	Delete(key string) error
}

// ContextStore is a [Store] that can give up when a request is over.
type ContextStore interface {
	Store
	FindCtx(ctx context.Context, key string) (data []byte, found bool, err error)
	CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error
	DeleteCtx(ctx context.Context, key string) error
}

// store asks a [Store], and never waits longer than timeout for an answer.
// What comes of a call that was late is not awaited; no caller writes what would
// do harm then.
type store struct {
	backend Store
	ctx     ContextStore // backend, where it takes contexts
	timeout time.Duration
	calls   chan struct{}
	atOnce  bool // the backend is in memory
}

func newStore(backend Store, timeout time.Duration) *store {
	s := &store{backend: backend, timeout: timeout, calls: make(chan struct{}, maxCalls)}
	s.ctx, _ = backend.(ContextStore)
	_, s.atOnce = backend.(*memory)
	return s
}

// entry is what find finds.
type entry struct {
	data  []byte
	found bool
}

func (s *store) find(ctx context.Context, k key) ([]byte, bool, error) {
	e, err := callStore(ctx, s, "find", func(ctx context.Context) (e entry, err error) {
		if s.ctx != nil {
			e.data, e.found, err = s.ctx.FindCtx(ctx, string(k))
		} else {
			e.data, e.found, err = s.backend.Find(string(k))
		}
		return e, err
	})
	return e.data, e.found, err
}

func (s *store) commit(ctx context.Context, k key, data []byte, expires time.Time) error {
	_, err := callStore(ctx, s, "commit", func(ctx context.Context) (entry, error) {
		if s.ctx != nil {
			return entry{}, s.ctx.CommitCtx(ctx, string(k), data, expires)
		}
		return entry{}, s.backend.Commit(string(k), data, expires)
	})
	return err
}

func (s *store) delete(ctx context.Context, k key) error {
	_, err := callStore(ctx, s, "delete", func(ctx context.Context) (entry, error) {
		if s.ctx != nil {
			return entry{}, s.ctx.DeleteCtx(ctx, string(k))
		}
		return entry{}, s.backend.Delete(string(k))
	})
	return err
}

// answer is what a call came to.
type answer struct {
	entry
	err error
}

// callStore makes one call. Its error is a [core.UnavailableError], or a
// [core.InternalError] when the backend panics.
//
// A context alone would not bound the call: some clients look at theirs only
// before they wait for the network.
func callStore(ctx context.Context, s *store, what string, call func(context.Context) (entry, error)) (entry, error) {
	if s.atOnce {
		e, err := call(ctx)
		return e, failed(what, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	select {
	case s.calls <- struct{}{}:
	case <-ctx.Done():
		return entry{}, failed(what, fmt.Errorf("%d calls are under way: %w", maxCalls, ctx.Err()))
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-s.calls }()
		defer func() {
			if v := recover(); v != nil {
				done <- answer{err: &core.InternalError{Err: &core.PanicError{Value: v, Stack: debug.Stack()}}}
			}
		}()
		e, err := call(ctx)
		done <- answer{e, failed(what, err)}
	}()
	select {
	case a := <-done:
		return a.entry, a.err
	case <-ctx.Done():
		return entry{}, failed(what, fmt.Errorf("no answer in time: %w", ctx.Err()))
	}
}

func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return &core.UnavailableError{Err: fmt.Errorf("session store: %s: %w", what, err)}
}
