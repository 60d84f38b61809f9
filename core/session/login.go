package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// replacedFor is how long requests that were on their way when an id was
// exchanged are told apart from those with an id nobody knows.
const replacedFor = time.Minute

// generationSlack is how much longer than any session it must judge a
// generation is kept, for clocks that differ.
const generationSlack = time.Hour

// crossSiteError is a login that another site caused.
type crossSiteError struct {
	who *core.Principal
	err error
}

func (e *crossSiteError) Error() string { return fmt.Sprintf("session: login refused: %v", e.err) }
func (e *crossSiteError) Unwrap() error { return e.err }

// Login starts a session for p, whom the caller has proved, and returns the
// fields that the handler adds to its response with AddFields of its adapter.
// Whatever id the request brought is not used; if it named a session, that one
// is over.
//
// The session keeps p's id, roles, scopes, tenant, claims, the time and scheme
// of its authentication; a missing time is now. Claims must be JSON values and
// come back as decoded from JSON. Roles that a policy gave p are not kept, the
// guard asks the policy again. The session ends at p's Expires at the latest.
//
// An error means that nobody was logged in, and that an earlier session may go
// on: the store failed, p or its claims cannot be kept, the request has two
// session cookies, or it is an unsafe one that a page of another site caused
// ([core.CrossSite]). [Manager.Refuse] answers it.
func (m *Manager) Login(ctx context.Context, r core.Request, p *core.Principal) ([]core.Field, error) {
	if p == nil || p.ID() == "" {
		return nil, &core.InternalError{Err: errors.New("session: login of nobody")}
	}
	if err := core.CrossSite(r, m.origins...); err != nil {
		return nil, &crossSiteError{p, err}
	}
	old, err := m.cookie.read(r)
	if errors.Is(err, core.ErrAmbiguousCredentials) {
		return nil, err
	}
	rec, now := newRecord(p), m.now()
	rec.Issued, rec.Deadline = now, now.Add(m.absolute)
	if rec.AuthTime.IsZero() {
		rec.AuthTime = now
	}
	if e := p.Expires(); !e.IsZero() && e.Before(rec.Deadline) {
		rec.Deadline = e
	}
	if !now.Before(rec.Deadline) {
		return nil, &core.InternalError{Err: errors.New("session: the principal that logs in has expired")}
	}
	if rec.Generation, err = m.generation(ctx, rec.ID); err != nil {
		return nil, err
	}
	return m.start(ctx, r, rec, old)
}

// Rotate gives the session of r a new id, with p in place of the principal it
// had: call it when roles have changed or after a step-up. The fields it returns
// are to be added to the response. p must have the same ID; nil keeps the
// principal as it is. The session ends when it would have ended before, and a
// zero AuthTime of p leaves that as it was.
//
// The errors are those of [Manager.Authenticate] and [Manager.Login].
func (m *Manager) Rotate(ctx context.Context, r core.Request, p *core.Principal) ([]core.Field, error) {
	old, err := m.cookie.read(r)
	if err != nil {
		return nil, err
	}
	was, err := m.load(ctx, old)
	if err != nil {
		return nil, err
	}
	rec := was
	if p != nil {
		if p.ID() != was.ID {
			return nil, &core.InternalError{Err: errors.New("session: rotate for another principal than the session's: use Login")}
		}
		rec = newRecord(p)
		rec.Deadline, rec.Generation = was.Deadline, was.Generation
		if rec.AuthTime.IsZero() {
			rec.AuthTime = was.AuthTime
		}
		if rec.Scheme == "" {
			rec.Scheme = was.Scheme
		}
	}
	rec.Issued = m.now()
	return m.start(ctx, r, rec, old)
}

// start stores a session under a new id and ends the one called old, if any.
func (m *Manager) start(ctx context.Context, r core.Request, rec record, old string) ([]core.Field, error) {
	if err := m.cookie.mayGo(r); err != nil {
		return nil, err
	}
	data, err := rec.encode()
	if err != nil {
		return nil, &core.InternalError{Err: err}
	}
	id := newID()
	if err := m.store.commit(ctx, sessionKey(id), data, rec.Deadline); err != nil {
		return nil, err
	}
	if old != "" {
		if err := m.replace(ctx, old); err != nil {
			return nil, err
		}
	}
	return []core.Field{
		m.cookie.issue(id, rec.Deadline),
		{Name: "Cache-Control", Value: "no-store"},
	}, nil
}

// replace ends a session whose browser gets another id.
func (m *Manager) replace(ctx context.Context, id string) error {
	_, found, err := m.store.find(ctx, sessionKey(id))
	if err != nil || !found {
		return err // an id that nobody issued leaves no trace
	}
	data, err := (&record{Version: recordVersion, Replaced: true}).encode()
	if err != nil {
		return &core.InternalError{Err: err}
	}
	return m.store.commit(context.WithoutCancel(ctx), sessionKey(id), data, m.now().Add(replacedFor))
}

// Logout ends the session of r in the store and returns the fields that take the
// cookie out of the browser. Without a cookie there is nothing to do and nothing
// to add; a session that is over already is no error.
//
// When the store fails the session may live on, and so does the cookie: the
// error is a [core.UnavailableError], which [Manager.Refuse] answers. The caller
// sees to it that the request is no other site's, as a guard and
// [Manager.LogoutEndpoint] do, and calls it for POST alone.
func (m *Manager) Logout(ctx context.Context, r core.Request) ([]core.Field, error) {
	id, err := m.cookie.read(r)
	switch {
	case errors.Is(err, core.ErrNoCredentials):
		return nil, nil
	case errors.Is(err, core.ErrAmbiguousCredentials):
		return nil, err
	case err == nil:
		// Who leaves is not held back by leaving fast.
		if err := m.store.delete(context.WithoutCancel(ctx), sessionKey(id)); err != nil {
			return nil, err
		}
	}
	return append(m.ended[:1:1], core.Field{Name: "Cache-Control", Value: "no-store"}), nil
}

// LogoutEverywhere ends all sessions of the principal called id, on every
// machine that shares the store, with one write. One that logs in while it runs
// may be logged out too. To keep the browser that asked for it signed in, call
// [Manager.Login] afterwards.
func (m *Manager) LogoutEverywhere(ctx context.Context, id string) error {
	if id == "" {
		return &core.InternalError{Err: errors.New("session: logout everywhere of nobody")}
	}
	return m.store.commit(context.WithoutCancel(ctx), generationKey(id), []byte(rand.Text()),
		m.now().Add(m.absolute+generationSlack))
}

// generation is what the sessions of the principal called id must have in
// common, or "" when all of them are good: it has not been logged out everywhere
// for as long as a session lives.
func (m *Manager) generation(ctx context.Context, id string) (string, error) {
	data, found, err := m.store.find(ctx, generationKey(id))
	if err != nil || !found {
		return "", err
	}
	if len(data) == 0 || len(data) > 64 {
		return "", &core.InternalError{Err: fmt.Errorf("session: generation of %d bytes in the store", len(data))}
	}
	return string(data), nil
}
