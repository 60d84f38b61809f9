// Package sessionstore calls the stores for sessions and refresh tokens, and provides an
// in-memory store.
package sessionstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// MaxCalls is the maximum number of concurrent calls to a store. Each has its own
// goroutine, which must not accumulate if a store hangs.
const MaxCalls = 1024

// Key is the key of an entry in a store: a hash of the same length as the IDs of scs, for
// which some stores have a fixed-size column.
type Key string

// NewKey includes kind in the hash, so that no client input can name an entry of another
// kind.
func NewKey(kind, name string) Key {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	return Key(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// Backend is the interface session.Store.
type Backend interface {
	Find(key string) (data []byte, found bool, err error)
	Commit(key string, data []byte, expires time.Time) error
	Delete(key string) error
}

// ContextBackend is the interface session.ContextStore.
type ContextBackend interface {
	FindCtx(ctx context.Context, key string) (data []byte, found bool, err error)
	CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error
	DeleteCtx(ctx context.Context, key string) error
}

// Store calls a [Backend], and never waits longer than timeout for it. The result of a call
// that timed out is ignored; callers only write what does no harm if it is stored late.
type Store struct {
	backend Backend
	ctx     ContextBackend // backend, if it accepts contexts
	timeout time.Duration
	calls   chan struct{}
	atOnce  bool // the backend is in memory
}

// New returns a store that waits at most timeout.
func New(backend Backend, timeout time.Duration) *Store {
	s := &Store{backend: backend, timeout: timeout, calls: make(chan struct{}, MaxCalls)}
	s.ctx, _ = backend.(ContextBackend)
	_, s.atOnce = backend.(*Memory)
	return s
}

// entry is the result of Find.
type entry struct {
	data  []byte
	found bool
}

// Find returns the entry of k.
func (s *Store) Find(ctx context.Context, k Key) ([]byte, bool, error) {
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

// Commit stores an entry until expires.
func (s *Store) Commit(ctx context.Context, k Key, data []byte, expires time.Time) error {
	_, err := callStore(ctx, s, "commit", func(ctx context.Context) (entry, error) {
		if s.ctx != nil {
			return entry{}, s.ctx.CommitCtx(ctx, string(k), data, expires)
		}
		return entry{}, s.backend.Commit(string(k), data, expires)
	})
	return err
}

// Delete removes the entry of k.
func (s *Store) Delete(ctx context.Context, k Key) error {
	_, err := callStore(ctx, s, "delete", func(ctx context.Context) (entry, error) {
		if s.ctx != nil {
			return entry{}, s.ctx.DeleteCtx(ctx, string(k))
		}
		return entry{}, s.backend.Delete(string(k))
	})
	return err
}

// answer is the result of a call.
type answer struct {
	entry
	err error
}

// callStore makes one call. Its error is a [core.UnavailableError], or a
// [core.InternalError] if the backend panics.
//
// A context alone would not bound the call, since some clients only check theirs before
// waiting for the network. When the request ends, the wait ends but not the call: database
// clients would close the connection, so a client that disconnects on purpose could force
// every connection to be reopened.
func callStore(ctx context.Context, s *Store, what string, call func(context.Context) (entry, error)) (entry, error) {
	if s.atOnce {
		e, err := call(ctx)
		return e, failed(what, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	select {
	case s.calls <- struct{}{}:
	case <-ctx.Done():
		return entry{}, failed(what, fmt.Errorf("%d calls are in progress: %w", MaxCalls, ctx.Err()))
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-s.calls }()
		defer func() {
			if v := recover(); v != nil {
				done <- answer{err: &core.InternalError{Err: &core.PanicError{Value: v, Stack: debug.Stack()}}}
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
		defer cancel()
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
