package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
)

// Loader loads the content of one file, as password files and API key files do. It
// is the same as in core/watch.
type Loader interface {
	// Load replaces what was loaded before with data, the whole content of the
	// named file; if it returns an error, nothing has changed. Errors say what is
	// wrong as "name:line: message" and do not reveal secrets.
	//
	// It is called by one goroutine at a time, while others use what is loaded,
	// and must not modify data.
	Load(name string, data []byte) error
}

// FollowFile loads the named file of a source into the given Loader, now and
// whenever a revision changes it, as core/watch does for a local file. Otherwise it
// is like [Follow]. The first revision must have the file, and into must accept it;
// later, a revision without the file, or with one that into refuses, changes
// nothing: into keeps what it loaded last, and [Status.Err] says why, as does
// the log unless there is a [WithStatusObserver].
//
// Each follower reads all files of a source. A policy in the same source is
// followed separately, so one may briefly be a revision ahead of the other.
func FollowFile(ctx context.Context, src Source, name string, into Loader, opts ...Option) (*Follower, error) {
	if isnil.Value(into) {
		return nil, errors.New("source: the loader is nil")
	}
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	var loaded [sha256.Size]byte // of the content that into holds
	first := true
	return Follow(ctx, src, func(_ context.Context, c *Content) error {
		data, found := c.File(name)
		if !found {
			return fmt.Errorf("there is no file %s", name)
		}
		sum := sha256.Sum256(data)
		if !first && sum == loaded {
			return nil // another file has changed
		}
		// The Loader may keep and modify its data, but not what was fetched.
		if err := into.Load(name, bytes.Clone(data)); err != nil {
			return err
		}
		loaded, first = sum, false
		return nil
	}, opts...)
}

// ReasonStale means that credentials could not be checked because the file for them
// has not been confirmed for too long; see [WhileConfirmed].
const ReasonStale core.Reason = "credentials_stale"

// WhileConfirmed wraps a scheme whose file, such as a password file, f follows:
// once the source has not confirmed the file for longer than [WithMaxStaleness]
// allows, requests with credentials of the scheme get 503 with [ReasonStale],
// whatever the credentials. When the source is back, the scheme works again at
// once. Without WhileConfirmed a scheme keeps using the file that it has. Close f
// after the last request: a closed follower never becomes stale.
//
// It returns an error if f has no bound.
func WhileConfirmed(f *Follower, a core.Authenticator) (core.Authenticator, error) {
	switch {
	case f == nil || isnil.Value(a):
		return nil, errors.New("source: follower and scheme must not be nil")
	case f.settings.maxStale == 0:
		return nil, errors.New("source: the follower has no bound: give FollowFile the option WithMaxStaleness")
	}
	return &whileConfirmed{a, f}, nil
}

// whileConfirmed has everything that the scheme says about itself.
type whileConfirmed struct {
	core.Authenticator
	follower *Follower
}

// Unwrap returns the scheme itself.
func (w *whileConfirmed) Unwrap() core.Authenticator { return w.Authenticator }

// Authenticate implements [core.Authenticator].
func (w *whileConfirmed) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	p, err := w.Authenticator.Authenticate(ctx, r)
	if !w.follower.stale.Load() || errors.Is(err, core.ErrNoCredentials) || errors.Is(err, core.ErrAmbiguousCredentials) {
		return p, err
	}
	return nil, &core.UnavailableError{Reason: ReasonStale, Err: errStale}
}

var errStale = errors.New("the source of the credentials has not confirmed them for longer than WithMaxStaleness (max_staleness) allows")
