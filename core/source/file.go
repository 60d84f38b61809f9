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

// Loader takes in the content of one file, as files of passwords and of API keys
// do. It is that of core/watch.
type Loader interface {
	// Load puts data, the whole content of the file called name, in the place
	// of what was loaded before: all of it, or with an error none. Errors say
	// what is wrong as "name:line: message" and hold no secret of the file.
	//
	// It is called by one goroutine at a time, while others use what is loaded,
	// and must not modify data.
	Load(name string, data []byte) error
}

// FollowFile has into load the file of a name in a source, now and whenever a
// revision has another content of it: what core/watch does for a file on the
// machine. It is [Follow] in all else. The first revision must have the file, and
// into must take it; later on a revision without the file, or with one that is
// refused, changes nothing: into keeps what it loaded last, and [Status.Err] says
// why. Give [WithStatusObserver] a function that logs that.
//
// Each follower reads all files of a source, and a policy in the same source is
// followed by itself: for a moment, one may be a revision ahead of the other.
func FollowFile(ctx context.Context, src Source, name string, into Loader, opts ...Option) (*Follower, error) {
	if isnil.Value(into) {
		return nil, errors.New("source: the loader is nil")
	}
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	var loaded [sha256.Size]byte // of what into holds
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
		// What was fetched is nobody's to keep or to modify.
		if err := into.Load(name, bytes.Clone(data)); err != nil {
			return err
		}
		loaded, first = sum, false
		return nil
	}, opts...)
}

// ReasonStale is why credentials are neither good nor bad that would be judged by
// a file which has not been confirmed for too long; see [WhileConfirmed].
const ReasonStale core.Reason = "credentials_stale"

// WhileConfirmed is a scheme whose file f follows, such as one of passwords: once
// the source has not confirmed the file for longer than [WithMaxStaleness] allows,
// requests with credentials of the scheme are 503 with [ReasonStale], whatever the
// credentials. When the source is back, it judges them as before at once. Without
// it a scheme goes on with the file that it has. Close f after the last request:
// once it is closed, nothing grows old any more.
//
// The error says that f has no bound.
func WhileConfirmed(f *Follower, a core.Authenticator) (core.Authenticator, error) {
	switch {
	case f == nil || isnil.Value(a):
		return nil, errors.New("source: follower and scheme must not be nil")
	case f.settings.maxStale == 0:
		return nil, errors.New("source: the follower has no bound: give FollowFile the option WithMaxStaleness")
	}
	return &whileConfirmed{a, f}, nil
}

// whileConfirmed has all that the scheme says of itself.
type whileConfirmed struct {
	core.Authenticator
	follower *Follower
}

// Unwrap is the scheme itself.
func (w *whileConfirmed) Unwrap() core.Authenticator { return w.Authenticator }

// Authenticate implements [core.Authenticator].
func (w *whileConfirmed) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	p, err := w.Authenticator.Authenticate(ctx, r)
	if !w.follower.stale.Load() || errors.Is(err, core.ErrNoCredentials) || errors.Is(err, core.ErrAmbiguousCredentials) {
		return p, err
	}
	return nil, &core.UnavailableError{Reason: ReasonStale, Err: errStale}
}

var errStale = errors.New("the source of the credentials has not confirmed them for longer than WithMaxStaleness allows")
