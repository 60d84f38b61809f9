package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// replacedFor is how long requests that were under way when an id was replaced can
// be told from those with an unknown id.
const replacedFor = time.Minute

// generationSlack is how much longer a generation is kept than any of its sessions,
// for clocks that differ: one that shows the time of another zone until it is set is up
// to half a day off.
const generationSlack = 24 * time.Hour

// crossSiteError is the error for a login that another site caused.
type crossSiteError struct {
	who *core.Principal
	err error
}

func (e *crossSiteError) Error() string { return fmt.Sprintf("session: login refused: %v", e.err) }
func (e *crossSiteError) Unwrap() error { return e.err }

// Login starts a session for p, which the caller has authenticated, and returns the
// fields that the handler adds to its response with AddFields of its adapter. The
// id in the request is never reused; if it named a session, that session ends, and
// so does one that a rotation has just put in its place.
//
// The session keeps p's id, roles, scopes, tenant, claims, and the time and scheme
// of its authentication; a missing time is set to now. Claims must be JSON values
// and come back as decoded from JSON. Roles that a policy gave p are not kept: the
// guard asks the policy again. The session ends at p's Expires at the latest.
//
// An error means that nobody was logged in, and that an earlier session may
// continue: the store failed, p or its claims cannot be stored, the request has two
// session cookies, or it is an unsafe one that a page of another site caused
// ([core.CrossSite]). [Manager.Refuse] answers it.
func (m *Manager) Login(ctx context.Context, r core.Request, p *core.Principal, opts ...LoginOption) ([]core.Field, error) {
	var with login
	if err := option.Apply(&with, opts); err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("session: login: %w", err)}
	}
	if p == nil || p.ID() == "" {
		return nil, &core.InternalError{Err: errors.New("session: login without a principal")}
	}
	if err := core.CrossSite(r, m.origins...); err != nil {
		return nil, &crossSiteError{p, err}
	}
	old, err := m.cookie.value(r)
	if errors.Is(err, core.ErrAmbiguousCredentials) {
		return nil, err
	}
	rec, now := newRecord(p), m.now()
	rec.LoggedIn, rec.Issued, rec.Deadline = now, now, now.Add(m.absolute)
	switch {
	case with.authTime != nil:
		rec.AuthTime = *with.authTime
	case rec.AuthTime.IsZero():
		rec.AuthTime = now
	}
	if e := p.Expires(); !e.IsZero() && e.Before(rec.Deadline) {
		rec.Deadline = e
	}
	if !now.Before(rec.Deadline) {
		return nil, &core.InternalError{Err: errors.New("session: the principal that logs in has expired")}
	}
	if rec.Generation, err = m.generation(ctx, generationKey(rec.ID)); err != nil {
		return nil, err
	}
	if rec.Groups, err = m.join(ctx, with.groups); err != nil {
		return nil, err
	}
	return m.start(ctx, r, rec, func(key) error {
		if old == "" {
			return nil
		}
		return m.end(context.WithoutCancel(ctx), sessionKey(old), func(ctx context.Context, k key) error { return m.mark(ctx, k, "") })
	})
}

// Rotate gives the session of r a new id and the principal p: call it when roles
// have changed or after a step-up. Add the fields it returns to the response. p
// must have the same ID; nil keeps the principal. The session's end does not
// change, and a zero AuthTime of p keeps the earlier one.
//
// The errors are those of [Manager.Authenticate] and [Manager.Login]. A logout with
// the old id ends the new session too, whichever of rotation and logout comes
// first.
func (m *Manager) Rotate(ctx context.Context, r core.Request, p *core.Principal) ([]core.Field, error) {
	old, err := m.cookie.value(r)
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
			return nil, &core.InternalError{Err: errors.New("session: rotate: the principal is not the session's: use Login")}
		}
		rec = newRecord(p)
		rec.LoggedIn, rec.Deadline, rec.Generation, rec.Groups = was.LoggedIn, was.Deadline, was.Generation, was.Groups
		if rec.AuthTime.IsZero() {
			rec.AuthTime = was.AuthTime
		}
		rec.Scheme = cmp.Or(rec.Scheme, was.Scheme)
	}
	rec.Issued = m.now()
	return m.start(ctx, r, rec, func(next key) error { return m.succeed(ctx, sessionKey(old), next) })
}

// start stores a session under a new id and calls replace with its key to end the
// previous session.
func (m *Manager) start(ctx context.Context, r core.Request, rec record, replace func(next key) error) ([]core.Field, error) {
	if err := m.cookie.mayGo(r); err != nil {
		return nil, err
	}
	data, err := rec.encode()
	if err != nil {
		return nil, &core.InternalError{Err: err}
	}
	id := newID()
	if err := m.store.Commit(ctx, sessionKey(id), data, rec.Deadline); err != nil {
		return nil, err
	}
	if err := replace(sessionKey(id)); err != nil {
		return nil, err
	}
	return []core.Field{
		m.cookie.issue(id, rec.Deadline),
		{Name: "Cache-Control", Value: "no-store"},
	}, nil
}

// mark replaces a session whose browser gets another id with a mark. next is the
// session that ends when this one is logged out, or "".
func (m *Manager) mark(ctx context.Context, k, next key) error {
	data, err := (&record{Version: recordVersion, Replaced: true, Next: next}).encode()
	if err != nil {
		return &core.InternalError{Err: err}
	}
	return m.store.Commit(context.WithoutCancel(ctx), k, data, m.now().Add(replacedFor))
}

// succeed replaces the session k with next, unless a logout or a login ends k at
// the same time. This side records that it has replaced k and then checks whether k
// was ended; the other records that it ends k and then checks whether k was
// replaced, so that one of them sees the other.
func (m *Manager) succeed(ctx context.Context, k, next key) error {
	_, found, err := m.store.Find(ctx, k)
	if err == nil && found { // an id that was never issued leaves no trace
		err = m.mark(ctx, k, next)
	}
	if err != nil {
		return err
	}
	_, ended, err := m.store.Find(ctx, endedKey(k))
	if err != nil || found && !ended {
		return err
	}
	if err := m.store.Delete(context.WithoutCancel(ctx), next); err != nil {
		return err
	}
	return replaced()
}

// generation returns the value that the valid sessions of a principal or a group
// share, or "" if all of them are valid: there was no logout for as long as a
// session lives.
func (m *Manager) generation(ctx context.Context, k key) (string, error) {
	data, found, err := m.store.Find(ctx, k)
	if err != nil || !found {
		return "", err
	}
	if len(data) == 0 || len(data) > 64 {
		return "", &core.InternalError{Err: fmt.Errorf("session: generation of %d bytes in the store", len(data))}
	}
	return string(data), nil
}
