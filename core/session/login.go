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
// is over, and so is one that a rotation has just put in its place.
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

// Rotate gives the session of r a new id, with p in place of the principal it
// had: call it when roles have changed or after a step-up. The fields it returns
// are to be added to the response. p must have the same ID; nil keeps the
// principal as it is. The session ends when it would have ended before, and a
// zero AuthTime of p leaves that as it was.
//
// The errors are those of [Manager.Authenticate] and [Manager.Login]. A logout
// with the id that the request brought ends the new session too, whichever of
// the two comes first.
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
			return nil, &core.InternalError{Err: errors.New("session: rotate for another principal than the session's: use Login")}
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

// start stores a session under a new id and has replace end the one before it,
// given the key of the new one.
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

// mark leaves a mark in the place of a session whose browser gets another id.
// next is the session that ends when this one is logged out; "" for none.
func (m *Manager) mark(ctx context.Context, k, next key) error {
	data, err := (&record{Version: recordVersion, Replaced: true, Next: next}).encode()
	if err != nil {
		return &core.InternalError{Err: err}
	}
	return m.store.Commit(context.WithoutCancel(ctx), k, data, m.now().Add(replacedFor))
}

// succeed puts the session next in the place of k, unless k is ended at the same
// time, by a logout or a login. This side says that it has replaced k and then
// looks whether k was ended, the other says that it ends k and then looks whether
// k was replaced, so that one of them sees the other.
func (m *Manager) succeed(ctx context.Context, k, next key) error {
	_, found, err := m.store.Find(ctx, k)
	if err == nil && found { // an id that nobody issued leaves no trace
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

// generation is what the sessions of a principal or a group must have in common,
// or "" when all of them are good: it has not been logged out for as long as a
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
