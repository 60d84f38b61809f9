// Package session keeps browsers signed in with a random id in a cookie, and a
// record for it in a store on the server. It works with every adapter.
//
// [Manager.LoginEndpoint] accepts the form of a sign-in page. Your own handler
// calls [Manager.SignIn], or [Manager.Login] if it has authenticated the user in
// another way; the [Manager] itself is the [core.Authenticator] that a guard asks
// afterwards. The stores of github.com/alexedwards/scs can be used; memory is the
// default.
//
// The store holds a record for each session, one for each principal that was logged
// out everywhere, and the time when each session was last used. A record is written
// only once, so that no request in flight can bring back a session that has been
// logged out meanwhile. The store sees ids and the names of principals only as
// SHA-256 hashes.
//
// A session does not know whether the account behind it is still in good standing:
// use rule.Account to check that for each request.
package session

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/revocation"
	"github.com/sallyport-go/sallyport/core/internal/sessionstore"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// Reasons in events, besides those of package core: [core.ReasonExpired] for the
// absolute timeout, [core.ReasonRevoked] for a logout everywhere or an entry in the
// list of [WithRevocation].
const (
	// ReasonUnknown means that the store has no such session. It was logged out, or
	// ended long ago, or its id was never issued.
	ReasonUnknown core.Reason = "unknown_session"
	// ReasonIdle means that the session was not used for longer than the idle
	// timeout.
	ReasonIdle core.Reason = "idle_session"
	// ReasonReplaced means that a login or rotation has given the browser another
	// id.
	ReasonReplaced core.Reason = "replaced_session"
)

// ClaimLoginScheme is the claim that names the scheme that authenticated a
// session's principal at login, if known. The Scheme of the principal itself is
// "Session".
const ClaimLoginScheme = "login_scheme"

const schemeName = "Session"

// Manager manages the sessions of an application. It implements
// [core.Authenticator] and is safe for concurrent use. All managers that share a
// store, in one process or several, must have the same configuration.
type Manager struct {
	settings
	store  *sessionstore.Store
	cookie cookie

	// exit lets a request log out; refusal answers an error.
	exit, refusal *core.Gate
	answering     *core.Guard // the guard of these gates

	challenges []challenge.Challenge
	params     []challenge.Param
	ended      []core.Field

	using sync.Map // calls of UseOnce under way, by key
}

var _ core.Authenticator = (*Manager)(nil)

// New returns a manager. By default sessions are kept in this process's memory, end
// after 30 minutes without use and 12 hours after login, and their cookie is
//
//	Set-Cookie: __Host-session=…; Path=/; HttpOnly; Secure; SameSite=Lax
func New(opts ...Option) (*Manager, error) {
	s := defaults()
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if s.idle > s.absolute {
		return nil, fmt.Errorf("session: idle timeout %v is longer than the absolute one, %v", s.idle, s.absolute)
	}
	if s.backend == nil {
		s.backend = sessionstore.NewMemory(s.now)
	}
	m := &Manager{settings: s, store: sessionstore.New(s.backend, s.storeTimeout)}
	if err := m.finish(); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return m, nil
}

// finish prepares what is the same for every request.
func (m *Manager) finish() (err error) {
	if m.cookie, err = newCookie(m.settings); err != nil {
		return err
	}
	m.ended = []core.Field{m.cookie.end()}
	m.params = []challenge.Param{{Name: "realm", Value: m.realm}}
	if m.loginPage != "" {
		m.params = append(m.params, challenge.Param{Name: "login", Value: m.loginPage})
	}
	c, err := challenge.New(schemeName, m.params...)
	if err != nil {
		return err
	}
	m.challenges = []challenge.Challenge{c}
	return m.finishAnswers()
}

// Scheme implements [core.Authenticator]: Session, whose cookie browsers add by
// themselves. Refusing a session that has ended deletes the cookie in the browser.
func (m *Manager) Scheme() core.Scheme {
	return core.Scheme{
		Name:    schemeName,
		Sender:  core.SentByBrowser,
		Vary:    []string{"Cookie"},
		Attempt: core.Unguessable,
		Inform:  m.inform,
	}
}

// Authenticate implements [core.Authenticator]. A request without the cookie is
// [core.ErrNoCredentials], and one with two of them, which no browser sends for a
// __Host- cookie, [core.ErrAmbiguousCredentials]. A cookie that is not a live
// session is a [core.CredentialError] with code invalid_credentials.
//
// A recheck ([core.Recheck]) does not count as use of the session, which may become
// idle while its connections are busy.
//
// If the store fails, or does not answer in time, the error is a
// [core.UnavailableError]; if a record in it cannot be read, a
// [core.InternalError].
func (m *Manager) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	id, err := m.cookie.value(r)
	if err != nil {
		return nil, err
	}
	rec, err := m.load(ctx, id)
	if err != nil {
		return nil, err
	}
	return rec.principal()
}

// load returns the record of the live session with the given id.
func (m *Manager) load(ctx context.Context, id string) (record, error) {
	data, found, err := m.store.Find(ctx, sessionKey(id))
	if err != nil {
		return record{}, err
	}
	if !found {
		return record{}, dead(ReasonUnknown)
	}
	rec, err := decode(data)
	if err != nil {
		return record{}, &core.InternalError{Err: err}
	}
	now := m.now()
	switch {
	case rec.Replaced:
		return record{}, replaced()
	case !now.Before(rec.Deadline):
		return record{}, dead(core.ReasonExpired)
	}
	if err := m.checkGeneration(ctx, generationKey(rec.ID), rec.Generation); err != nil {
		return record{}, err
	}
	for group, generation := range rec.Groups {
		if err := m.checkGeneration(ctx, group, generation); err != nil {
			return record{}, err
		}
	}
	if err := m.checkRevoked(ctx, &rec); err != nil {
		return record{}, err
	}
	return rec, m.use(ctx, id, rec, now)
}

// checkRevoked refuses a session that was revoked ([WithRevocation]).
func (m *Manager) checkRevoked(ctx context.Context, rec *record) error {
	if m.revocations == nil {
		return nil
	}
	asked := revoke.Token{Subject: rec.ID, IssuedAt: rec.LoggedIn, Expires: rec.Deadline}
	asked.Issuer, _ = rec.Claims["iss"].(string)
	sub, _ := rec.Claims["sub"].(string)
	revoked, err := revocation.ByEitherName(ctx, m.revocations, asked, sub)
	switch {
	case err != nil:
		return &core.UnavailableError{Err: fmt.Errorf("session: revocations: %w", err)}
	case revoked:
		return dead(core.ReasonRevoked)
	}
	return nil
}

// checkGeneration refuses a session whose generation is not the current one of its
// principal or group.
func (m *Manager) checkGeneration(ctx context.Context, k key, own string) error {
	generation, err := m.generation(ctx, k)
	if err == nil && generation != "" && generation != own {
		return dead(core.ReasonRevoked)
	}
	return err
}

// use refuses a session that was idle for too long, and records its use, though not
// for each request.
func (m *Manager) use(ctx context.Context, id string, rec record, now time.Time) error {
	last := rec.Issued
	if now.Sub(last) < m.notedEvery() {
		return nil
	}
	data, found, err := m.store.Find(ctx, usedKey(id))
	if err != nil {
		return err
	}
	if found {
		if last, err = time.Parse(time.RFC3339Nano, string(data)); err != nil {
			return &core.InternalError{Err: fmt.Errorf("session: time of last use in the store: %w", err)}
		}
	}
	switch age := now.Sub(last); {
	case age >= m.idle:
		return dead(ReasonIdle)
	case age < m.notedEvery(), core.IsRecheck(ctx):
		return nil
	}
	return m.store.Commit(ctx, usedKey(id), now.UTC().AppendFormat(nil, time.RFC3339Nano), now.Add(m.idle))
}

// notedEvery returns how often use is recorded: once in a twentieth of the idle
// timeout, at most a minute.
func (m *Manager) notedEvery() time.Duration { return min(m.idle/20, time.Minute) }

// errEnded is wrapped by the errors for cookies that will never be valid again.
var errEnded = errors.New("the session has ended")

// dead returns the error for a session that has ended.
func dead(why core.Reason) error {
	return &core.CredentialError{Reason: why, Code: core.CodeInvalidCredentials, Ended: true, Err: errEnded}
}

// replaced returns the error for a session whose browser has its new cookie or is
// about to get it: deleting the cookie now could delete the new one.
func replaced() error {
	return &core.CredentialError{Reason: ReasonReplaced, Code: core.CodeInvalidCredentials, Ended: true}
}

// Challenges implements [core.Authenticator]: realm and, with [WithSignInPage],
// login. A [core.StepUpError] is answered with insufficient_user_authentication,
// acr_values and max_age (RFC 9470 §3), other failures with none.
func (m *Manager) Challenges(_ core.Request, err error) []challenge.Challenge {
	var stepUp *core.StepUpError
	switch {
	case errors.Is(err, core.ErrNoCredentials), errtype.In[*core.CredentialError](err):
		return m.challenges
	case errors.As(err, &stepUp):
		return m.stepUp(stepUp.StepUp)
	}
	return nil
}

func (m *Manager) stepUp(s core.StepUp) []challenge.Challenge {
	params := append(m.params[:len(m.params):len(m.params)], challenge.Param{Name: "error", Value: core.CodeStepUp})
	if len(s.ACRValues) > 0 {
		params = append(params, challenge.Param{Name: "acr_values", Value: strings.Join(s.ACRValues, " ")})
	}
	if s.MaxAge > 0 {
		params = append(params, challenge.Param{Name: "max_age", Value: strconv.FormatInt(int64(s.MaxAge/time.Second), 10)})
	}
	c, err := challenge.New(schemeName, params...)
	if err != nil {
		return nil
	}
	return []challenge.Challenge{c}
}

func (m *Manager) inform(_ core.Request, _ *core.Principal, err error) []core.Field {
	if errors.Is(err, errEnded) {
		return m.ended
	}
	return nil
}
