package setup

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
)

// Ready waits until every other service that the file names has answered: issuers
// with their keys, introspection, sign-in, stores and the log of revocations. It is
// for programs that would rather fail to start than answer 503, and for checks. What
// is in the store of the policy is not asked for: [Open] has read it, or begun with
// last_good_file.
//
// A Redis server that evicts keys, or is a replica outside a cluster, is reported, too, if
// its user may ask for that (+info).
//
// If some of them have not answered correctly when ctx ends, the error is an
// [Errors] that names each, at its place in the file. To see whether it may write,
// Ready stores entries with random names in the stores of sessions, attempts, proofs
// and Digest counts, which expire by themselves.
func (s *Setup) Ready(ctx context.Context) error {
	failed := make([]error, len(s.remote))
	var all sync.WaitGroup
	for i, ask := range s.remote {
		all.Go(func() { failed[i] = ask(ctx) })
	}
	all.Wait()
	var found Errors
	for _, err := range failed {
		if placed, ok := errors.AsType[*Error](err); ok {
			found = append(found, placed)
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortStableFunc(found, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(found, func(a, b *Error) bool { return a.Line == b.Line && a.Column == b.Column })
}

// needs registers a question for Ready, which is repeated until it is answered. An
// error is reported at the first of fields that the file contains.
func (a *assembly) needs(ask func(context.Context) error, fields ...any) {
	doc := a.doc
	a.made.remote = append(a.made.remote, func(ctx context.Context) error {
		var last error
		for {
			err := ask(ctx)
			if err == nil {
				return nil
			}
			if last == nil || ctx.Err() == nil { // else it only says that ctx has ended
				last = err
			}
			select {
			case <-ctx.Done():
				return doc.Wrap(fmt.Errorf("not ready: %w", last), fields...)
			case <-time.After(askAgain):
			}
		}
	})
}

// askAgain is the pause between two questions of Ready.
const askAgain = 2 * time.Second

// needsIntrospection asks about a token that nobody has issued: an answer shows that
// the endpoint is there and accepts this client.
func (a *assembly) needsIntrospection(v verifier, at any) {
	a.needs(func(ctx context.Context) error {
		_, err := v.VerifyToken(ctx, rand.Text())
		if _, refused := errors.AsType[*core.CredentialError](err); refused {
			return nil
		}
		return err
	}, at)
}

// needsSessions keeps an entry that nobody asks for, finds and deletes it. A server whose
// clock is ahead says that it has expired, as it would of sessions before their time.
func (a *assembly) needsSessions(store session.Store, at *decode.Kind) {
	a.needs(func(ctx context.Context) error {
		s, key, until := withContext(store), rand.Text(), time.Now().Add(sessionTest)
		if err := s.CommitCtx(ctx, key, []byte(key), until); err != nil {
			return err
		}
		data, _, err := s.FindCtx(ctx, key)
		if err == nil && string(data) != key {
			err = errors.New("it does not keep what it is given: see its clock, and whether it answers from a replica")
		}
		return errors.Join(err, s.DeleteCtx(ctx, key))
	}, at)
}

// sessionTest is less than any time for which package session keeps an entry.
const sessionTest = 30 * time.Second

// contextless is a [session.Store] whose calls cannot be stopped.
type contextless struct{ session.Store }

func withContext(s session.Store) session.ContextStore {
	if c, ok := s.(session.ContextStore); ok {
		return c
	}
	return contextless{s}
}

func (s contextless) FindCtx(_ context.Context, key string) ([]byte, bool, error) { return s.Find(key) }

func (s contextless) CommitCtx(_ context.Context, key string, data []byte, expires time.Time) error {
	return s.Commit(key, data, expires)
}

func (s contextless) DeleteCtx(_ context.Context, key string) error { return s.Delete(key) }

// needsAttempts reserves an attempt that nobody makes, and gives it back.
func (a *assembly) needsAttempts(store attempts.Store, at *decode.Kind) {
	a.needs(func(ctx context.Context) error {
		nobody := attempts.Attempt{MaxWait: time.Second, Counters: []attempts.Counter{{
			Part: attempts.Address, Key: rand.Text(), Burst: 1, Interval: time.Second, Ahead: time.Second,
		}}}
		if _, err := store.Reserve(ctx, nobody); err != nil {
			return err
		}
		return store.Settle(ctx, nobody, attempts.Outcome{Reserved: true})
	}, at)
}

// needsRevocations waits for the first reading of a log that may be late.
func (a *assembly) needsRevocations(f *revoke.Follower, at any) {
	a.needs(func(context.Context) error {
		status := f.Status()
		if status.Confirmed.IsZero() {
			return cmp.Or(status.Err, errors.New("the log was not read yet"))
		}
		return nil
	}, at)
}

// random32 returns what no client sends.
func random32() (b [32]byte) {
	_, _ = rand.Read(b[:]) // never fails
	return b
}
