package authtest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

// Recorder is an observer that records events.
type Recorder struct {
	mu     sync.Mutex
	events []core.Event
}

// Observe implements [core.Observer].
func (r *Recorder) Observe(_ context.Context, e core.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// Events returns the events so far, oldest first.
func (r *Recorder) Events() []core.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]core.Event(nil), r.events...)
}

// Last returns the newest event; the test fails if there is none.
func (r *Recorder) Last(t testing.TB) core.Event {
	t.Helper()
	events := r.Events()
	if len(events) == 0 {
		t.Fatal("no event was observed")
	}
	return events[len(events)-1]
}

// Names is an authenticator for tests. It accepts "Name ID" or "Name ID role,role" in
// Authorization, and believes any name.
//
// Its scheme is "Name". The ID "bad" is refused, as is "not-a-token", which an audit sends;
// "down" is an outage and "panic" panics.
type Names struct{}

// Scheme implements [core.Authenticator].
func (Names) Scheme() core.Scheme { return byHeader("Name") }

// byHeader returns a scheme that reads Authorization and whose credentials cannot be
// guessed.
func byHeader(name string) core.Scheme {
	return core.Scheme{Name: name, Sender: core.SentByClient, Vary: []string{"Authorization"}, Attempt: core.Unguessable}
}

// Authenticate implements [core.Authenticator].
func (Names) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	h, _ := r.Header("Authorization")
	name, ok := strings.CutPrefix(h, "Name ")
	if !ok {
		return nil, core.ErrNoCredentials
	}
	id, roles, _ := strings.Cut(name, " ")
	switch id {
	case "bad", "not-a-token":
		return nil, &core.CredentialError{Reason: core.ReasonMalformed, Code: core.CodeInvalidCredentials}
	case "down":
		return nil, context.DeadlineExceeded
	case "panic":
		panic("authenticator")
	}
	info := core.PrincipalInfo{ID: id}
	if roles != "" {
		info.Roles = strings.Split(roles, ",")
	}
	return core.NewPrincipal(info)
}

// Challenges implements [core.Authenticator].
func (Names) Challenges(core.Request, error) []challenge.Challenge { return realm("Name") }

// realm returns a challenge with only a realm.
func realm(scheme string) []challenge.Challenge {
	c, err := challenge.New(scheme, challenge.Param{Name: "realm", Value: "test"})
	if err != nil {
		return nil
	}
	return []challenge.Challenge{c}
}

// sessions is a scheme that reads a cookie and believes the name in it, except "bad".
type sessions struct{}

func (sessions) Scheme() core.Scheme {
	return core.Scheme{Name: "Session", Sender: core.SentByBrowser, Vary: []string{"Cookie"}, Attempt: core.Unguessable}
}

func (sessions) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	id, n := r.Cookie("session")
	switch {
	case n == 0:
		return nil, core.ErrNoCredentials
	case n > 1:
		return nil, core.ErrAmbiguousCredentials
	case id == "bad":
		return nil, &core.CredentialError{Reason: core.ReasonRevoked, Code: core.CodeInvalidCredentials}
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: id})
}

func (sessions) Challenges(core.Request, error) []challenge.Challenge { return realm("Session") }

// scripted is a scheme with a fixed answer for every request.
type scripted struct {
	authenticate func(r core.Request) (*core.Principal, error)
	asked        atomic.Int64
}

func (s *scripted) Scheme() core.Scheme { return byHeader("Script") }

func (s *scripted) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	s.asked.Add(1)
	return s.authenticate(r)
}

func (s *scripted) Challenges(_ core.Request, err error) []challenge.Challenge {
	if errors.Is(err, core.ErrNoCredentials) || errtype.In[*core.CredentialError](err) {
		return realm("Script")
	}
	return nil
}

// AuthorizerFunc is a function as an authorizer.
type AuthorizerFunc func(p *core.Principal, a core.Access) (core.Decision, error)

// Authorize implements [core.Authorizer].
func (f AuthorizerFunc) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	return f(p, a)
}

// only returns a rule that allows principals with the given IDs.
func only(ids ...string) AuthorizerFunc {
	return func(p *core.Principal, _ core.Access) (core.Decision, error) {
		for _, id := range ids {
			if p.ID() == id {
				return core.Decision{Allowed: true}, nil
			}
		}
		return core.Decision{}, nil
	}
}

// guard returns a guard on Names, with a recorder.
func guard(t testing.TB, opts ...core.Option) (*core.Guard, *Recorder) {
	t.Helper()
	return guardOf(t, []core.Authenticator{Names{}}, opts...)
}

// guardOf returns a guard with a recorder.
func guardOf(t testing.TB, schemes []core.Authenticator, opts ...core.Option) (*core.Guard, *Recorder) {
	t.Helper()
	rec := new(Recorder)
	g := must.Have(core.NewGuard(schemes, append(opts, core.WithObserver(rec))...))(t)
	return g, rec
}

// handled is part of every answer of the suite's handlers, and of no other.
const handled = "handled for "

// ok is a handler that answers with the principal's ID.
func ok(x Exchange) error {
	if p := x.Principal(); p != nil {
		return x.Text(http.StatusOK, handled+p.ID())
	}
	return x.Text(http.StatusOK, handled+"anonymous")
}

// door is an app with one route, "/door", behind gates. It counts the calls of its handler.
type door struct {
	t    testing.TB
	addr string
	runs atomic.Int64
}

// newDoor serves a door for GET, HEAD, POST and OPTIONS.
func newDoor(t testing.TB, f Framework, gates ...Gate) *door {
	t.Helper()
	return newDoorIn(t, f, App{}, nil, gates...)
}

// newDoorIn serves a door as the only route of app. Its handler first calls inside, unless
// that is nil, and answers if it returns no error.
func newDoorIn(t testing.TB, f Framework, app App, inside Handler, gates ...Gate) *door {
	t.Helper()
	d := &door{t: t}
	route := d.route(gates...)
	if inside != nil {
		route.Handler = func(x Exchange) error {
			if err := inside(x); err != nil {
				return err
			}
			return d.handle(x)
		}
	}
	app.Routes = []Route{route}
	d.addr = f.Start(t, app)
	return d
}

// route returns the door's route, for apps with other routes as well.
func (d *door) route(gates ...Gate) Route {
	return Route{Pattern: "/door", Methods: []string{"GET", "HEAD", "POST", "OPTIONS"}, Gates: gates, Handler: d.handle}
}

func (d *door) handle(x Exchange) error {
	d.runs.Add(1)
	return ok(x)
}

// get requests the door with the given header lines.
func (d *door) get(header ...string) Answer {
	d.t.Helper()
	return Send(d.t, d.addr, Request("GET", "/door", header...))
}

// as returns the header line with credentials for Names.
func as(name string) string { return "Authorization: Name " + name }

// refuses requests the door, and fails the test unless the answer is a refusal with this
// status and code and the handler did not run. It returns the answer.
func (d *door) refuses(status int, code string, header ...string) Answer {
	d.t.Helper()
	before := d.runs.Load()
	a := d.get(header...)
	refused(d.t, "GET with "+strings.Join(header, "; "), a, status, code)
	if d.runs.Load() != before {
		d.t.Errorf("GET with %q: the handler ran", header)
	}
	return a
}

// admits requests the door, and fails the test unless the handler answered for this
// principal. It returns the answer.
func (d *door) admits(id string, header ...string) Answer {
	d.t.Helper()
	a := d.get(header...)
	if a.Status != http.StatusOK || a.Body != handled+id {
		d.t.Errorf("GET with %q: %d %q, want %s", header, a.Status, a.Body, id)
	}
	return a
}
