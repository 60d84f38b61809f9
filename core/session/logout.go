package session

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Logout ends the session of r in the store and returns the fields that delete the
// cookie in the browser. Without a cookie it does nothing and returns no fields; a
// session that has ended already is not an error.
//
// If the store fails, the session may still be alive, and the cookie is kept: the
// error is a [core.UnavailableError], which [Manager.Refuse] answers. The caller
// has to make sure that the request does not come from another site, as a guard and
// [Manager.LogoutEndpoint] do, and that it is a POST.
func (m *Manager) Logout(ctx context.Context, r core.Request) ([]core.Field, error) {
	id, err := m.cookie.value(r)
	switch {
	case errors.Is(err, core.ErrNoCredentials):
		return nil, nil
	case errors.Is(err, core.ErrAmbiguousCredentials):
		return nil, err
	case err == nil:
		// A client that disconnects early is still logged out.
		if err := m.end(context.WithoutCancel(ctx), sessionKey(id), m.store.Delete); err != nil {
			return nil, err
		}
	}
	return append(m.ended[:1:1], core.Field{Name: "Cache-Control", Value: "no-store"}), nil
}

// end ends the session k, which dispose then removes, and those that rotations have
// put in its place. See succeed for the order. The newest is ended first, so that
// repeating an interrupted call still finds all that are left.
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
		if rec, err := decode(data); found && err == nil { // an unreadable record is not a session
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

// endedFor returns a time longer than a rotation can take.
func (m *Manager) endedFor() time.Duration { return replacedFor + 10*m.storeTimeout }

// LogoutEverywhere ends all sessions of the principal with the given ID, on every
// machine that shares the store, with one write. A login while it runs may be ended
// too. To keep the requesting browser signed in, call [Manager.Login] afterwards.
func (m *Manager) LogoutEverywhere(ctx context.Context, id string) error {
	if id == "" {
		return &core.InternalError{Err: errors.New("session: logout everywhere: the ID must not be empty")}
	}
	return m.renew(ctx, generationKey(id))
}

// renew gives a principal or group a new generation.
func (m *Manager) renew(ctx context.Context, k key) error {
	return m.store.Commit(context.WithoutCancel(ctx), k, []byte(rand.Text()), m.now().Add(m.absolute+generationSlack))
}
