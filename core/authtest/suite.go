package authtest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// Run runs every case against f.
func Run(t *testing.T, f Framework) {
	for _, group := range []struct {
		name  string
		cases map[string]func(*testing.T, Framework)
	}{
		{"gates", gateCases},
		{"resource", resourceCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for name, run := range group.cases {
				t.Run(name, func(t *testing.T) { run(t, f) })
			}
		})
	}
}

// Recorder is an observer that keeps events.
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

// Events are the events so far, oldest first.
func (r *Recorder) Events() []core.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]core.Event(nil), r.events...)
}

// Last is the newest event; the test fails when there is none.
func (r *Recorder) Last(t testing.TB) core.Event {
	t.Helper()
	events := r.Events()
	if len(events) == 0 {
		t.Fatal("no event was observed")
	}
	return events[len(events)-1]
}

// Names is an authenticator for tests. Credentials are "Name ID" or
// "Name ID role,role" in Authorization: whoever is named is believed.
//
// It is scheme "Name"; ID "bad" is refused, "down" is a failing dependency and
// "panic" panics.
type Names struct{}

// Scheme implements [core.Authenticator].
func (Names) Scheme() string { return "Name" }

// Vary implements [core.Authenticator].
func (Names) Vary() []string { return []string{"Authorization"} }

// Authenticate implements [core.Authenticator].
func (Names) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	h, _ := r.Header("Authorization")
	name, ok := strings.CutPrefix(h, "Name ")
	if !ok {
		return nil, core.ErrNoCredentials
	}
	id, roles, _ := strings.Cut(name, " ")
	switch id {
	case "bad":
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
func (Names) Challenges(core.Request, error) []challenge.Challenge {
	c, err := challenge.New("Name", challenge.Param{Name: "realm", Value: "test"})
	if err != nil {
		return nil
	}
	return []challenge.Challenge{c}
}

// AuthorizerFunc is an authorizer made of a function.
type AuthorizerFunc func(p *core.Principal, a core.Access) (core.Decision, error)

// Authorize implements [core.Authorizer].
func (f AuthorizerFunc) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	return f(p, a)
}

// guard assembles a guard on Names with a recorder.
func guard(t testing.TB, opts ...core.Option) (*core.Guard, *Recorder) {
	t.Helper()
	rec := new(Recorder)
	g, err := core.NewGuard([]core.Authenticator{Names{}}, append(opts, core.WithObserver(rec))...)
	if err != nil {
		t.Fatal(err)
	}
	return g, rec
}

// ok is a handler that answers with the principal's ID.
func ok(x Exchange) error {
	if p := x.Principal(); p != nil {
		return x.Text(http.StatusOK, p.ID())
	}
	return x.Text(http.StatusOK, "anonymous")
}
