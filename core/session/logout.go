package session

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Logout ends the session of r in the store and returns the fields that take the
// cookie out of the browser. Without a cookie there is nothing to do and nothing
// to add; a session that is over already is no error.
//
// When the store fails the session may live on, and so does the cookie: the
// error is a [core.UnavailableError], which [Manager.Refuse] answers. The caller
// sees to it that the request is no other site's, as a guard and
// [Manager.LogoutEndpoint] do, and calls it for POST alone.
func (m *Manager) Logout(ctx context.Context, r core.Request) ([]core.Field, error) {
	id, err := m.cookie.value(r)
	switch {
	case errors.Is(err, core.ErrNoCredentials):
		return nil, nil
	case errors.Is(err, core.ErrAmbiguousCredentials):
		return nil, err
	case err == nil:
		// Who leaves is not held back by leaving fast.
		if err := m.end(context.WithoutCancel(ctx), sessionKey(id), m.store.Delete); err != nil {
			return nil, err
		}
	}
	return append(m.ended[:1:1], core.Field{Name: "Cache-Control", Value: "no-store"}), nil
}

// end ends the session k, which dispose then does away with, and those that
// rotations have put in its place. See succeed for the order. The newest goes first,
// so that whoever repeats what was interrupted finds the way to all that are left.
func (m *Manager) end(ctx context.Context, k key, dispose func(context.Context, key) error) error {
	var all []key
	for k != "" {
		_, found, err := m.store.Find(ctx, k)
		if err != nil {
			return err
		}
		if !found {
			break // an id that nobody issued leaves no trace
		}
		if err := m.store.Commit(ctx, endedKey(k), []byte("ended"), m.now().Add(m.endedFor())); err != nil {
			return err
		}
		data, found, err := m.store.Find(ctx, k)
		if err != nil {
			return err
		}
		all, k = append(all, k), ""
		if rec, err := decode(data); found && err == nil { // what cannot be read is no session
			k = rec.Next
		}
	}
	for i := len(all) - 1; i > 0; i-- {
		if err := m.store.Delete(ctx, all[i]); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	return dispose(ctx, all[0])
}

// endedFor is longer than a rotation that has begun can go on.
func (m *Manager) endedFor() time.Duration { return replacedFor + 10*m.storeTimeout }

// LogoutEverywhere ends all sessions of the principal called id, on every
// machine that shares the store, with one write. One that logs in while it runs
// may be logged out too. To keep the browser that asked for it signed in, call
// [Manager.Login] afterwards.
func (m *Manager) LogoutEverywhere(ctx context.Context, id string) error {
	if id == "" {
		return &core.InternalError{Err: errors.New("session: logout everywhere without an ID")}
	}
	return m.renew(ctx, generationKey(id))
}

// renew gives a principal or group another generation.
func (m *Manager) renew(ctx context.Context, k key) error {
	return m.store.Commit(context.WithoutCancel(ctx), k, []byte(rand.Text()), m.now().Add(m.absolute+generationSlack))
}
