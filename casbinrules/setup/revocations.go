package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core/linefile"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// revocationsConfig is the log in which revoked tokens and sessions are looked up.
type revocationsConfig struct {
	Store    decode.Kind   `key:"store" slot:"revocation log" doc:"the log that instances share, one kind with its settings; required"`
	Poll     time.Duration `key:"poll_interval" default:"5s" doc:"how often the log is read, in addition to notifications"`
	MaxStale time.Duration `key:"max_staleness" doc:"how long tokens and sessions are accepted without the log; no limit by default"`
	Stale    string        `key:"when_stale" enum:"serve,unavailable,refuse" doc:"what happens after that: continue (the default), 503, or 401 for everybody"`
	Late     bool          `key:"late_start" doc:"start while the log cannot be read, and answer 503 until it was read; otherwise the service does not start"`
}

// RegisterRevocationLog registers a kind of log under its name below
// revocations.store; otherwise it is like [RegisterSessionStore].
func RegisterRevocationLog[T any](name string, open func(settings *T) (l revoke.Log, closing func() error, err error)) {
	register(revocationLog, name, open)
}

// followRevocations opens the log that tokens and sessions are checked against.
func (a *assembly) followRevocations() error {
	c := a.config.Revoked
	if c == nil {
		return nil
	}
	if c.Store.Settings == nil {
		return a.doc.Wrap(errors.New("store is missing: the log that instances share"), c)
	}
	log, err := openKind[revoke.Log](a, revocationLog, &c.Store)
	if err != nil {
		return err
	}
	opts := options[revoke.FollowOption]{revoke.WithPollInterval(c.Poll), revoke.WithLogger(a.log)}
	switch {
	case a.doc.Has(&c.MaxStale):
		opts = append(opts, revoke.WithMaxStaleness(c.MaxStale, revoke.StaleMode(cmp.Or(c.Stale, string(revoke.StaleServe)))))
	case a.doc.Has(&c.Stale):
		return a.doc.Wrap(errors.New("when_stale needs max_staleness"), &c.Stale)
	}
	opts.on(c.Late || a.settings.noWrites, revoke.WithLateStart) // a tool asks Ready
	if p := a.settings.predecessor; p != nil && p.revocations != nil {
		opts = append(opts, revoke.WithPredecessor(p.revocations))
	}
	f, err := revoke.Follow(a.settings.ctx, log, opts...)
	if err != nil {
		return a.doc.Wrap(fmt.Errorf("revocations: %w", err), c)
	}
	a.closes(f.Close)
	a.made.revocations = f
	a.needsRevocations(f, &c.Store)
	a.measure(func(i Instrument) error { return i.AddRevocations(a.config.Realm, f.Status) })
	return nil
}

// revoked opens a file of revoked tokens. What the predecessor has loaded from it stays
// until the file can be loaded again.
func (a *assembly) revoked(path string) (list *revokedFile, err error) {
	if p := a.settings.predecessor; p != nil {
		list = p.revoked[path]
	}
	if list == nil {
		file, err := revoke.OpenFile(path)
		if err != nil {
			return nil, err
		}
		list = &revokedFile{File: file, log: a.log}
	}
	if a.made.revoked == nil {
		a.made.revoked = map[string]*revokedFile{}
	}
	a.made.revoked[path] = list
	return list, a.load(path, list)
}

// revokedFile is a file of revocations that warns of an edit that takes some back, since a
// file that was written in part looks the same.
type revokedFile struct {
	*revoke.File
	log *slog.Logger

	mu   sync.Mutex
	ends []time.Time // when each line that was loaded last expires
}

func (f *revokedFile) Load(name string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	had := f.Len()
	if err := f.File.Load(name, data); err != nil {
		return err
	}
	before := unexpired(f.ends)
	f.ends = nil
	linefile.New(name).Each(string(data), func(_ int, line string) {
		if e, err := revoke.ParseEntry(line); err == nil {
			f.ends = append(f.ends, e.Expires)
		}
	})
	// Lines alone may be duplicates, and entries alone have expired.
	if after := unexpired(f.ends); after < before && f.Len() < had {
		f.log.Warn("file has lost revocations that have not expired: what it no longer names is accepted again", "file", name, "before", before, "after", after)
	}
	return nil
}

func unexpired(ends []time.Time) (n int) {
	now := time.Now()
	for _, end := range ends {
		if end.IsZero() || now.Before(end) {
			n++
		}
	}
	return n
}

// revocationsOf returns the lists that the tokens of an issuer are looked up in.
func (a *assembly) revocationsOf(c *issuerConfig) (lists allLists, err error) {
	if c.Revocations != "" {
		list, err := a.revoked(string(c.Revocations))
		if err != nil {
			return nil, a.doc.Wrap(err, &c.Revocations)
		}
		lists = append(lists, list)
	}
	if a.made.revocations != nil {
		lists, a.asked = append(lists, a.made.revocations), true
	}
	return lists, nil
}

// Revocations returns the follower of the file's log, or nil if there is none. Use
// it to revoke tokens and sessions, and to check tokens that the program verifies
// itself.
func (s *Setup) Revocations() *revoke.Follower { return s.revocations }

// allLists consults several lists; a token is revoked if any of them says so.
type allLists []revoke.Checker

// Revoked implements [revoke.Checker].
func (l allLists) Revoked(ctx context.Context, t revoke.Token) (bool, error) {
	var failed error
	for _, list := range l {
		revoked, err := list.Revoked(ctx, t)
		if revoked {
			return true, nil
		}
		failed = errors.Join(failed, err)
	}
	return false, failed
}
