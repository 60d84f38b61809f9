package core_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

var errDown = errors.New("key server: connection refused")

// request is a request without a framework.
type request struct {
	method  string // GET unless set
	route   core.Route
	err     error // returned by Route
	headers http.Header
}

var _ core.Request = (*request)(nil)

// get is a request for a path with header fields "Name: value".
func get(path string, fields ...string) *request {
	r := &request{route: core.Route{Pattern: path, Path: path}, headers: http.Header{}}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.headers.Add(name, value)
	}
	return r
}

// with is the request with another method.
func (r *request) with(method string) *request {
	r.method = method
	return r
}

func (r *request) Method() string {
	if r.method == "" {
		return http.MethodGet
	}
	return r.method
}
func (r *request) Target() string             { return r.route.Path }
func (r *request) Host() string               { return "example.com" }
func (r *request) Route() (core.Route, error) { return r.route, r.err }
func (r *request) Param(string) string        { return "" }
func (r *request) Header(name string) (string, int) {
	values := r.headers[http.CanonicalHeaderKey(name)]
	if len(values) == 0 {
		return "", 0
	}
	return values[0], len(values)
}
func (r *request) Cookie(string) (string, int) { return "", 0 }
func (r *request) Query(string) (string, int)  { return "", 0 }
func (r *request) TLS() *tls.ConnectionState   { return nil }
func (r *request) RemoteAddr() string          { return "192.0.2.1:4711" }

// scheme is an authenticator whose credentials are "Authorization: <name>
// <answer>". The answer is a key of its answers.
type scheme struct {
	name       string
	vary       []string
	answers    map[string]answer
	challenges func(err error) []challenge.Challenge // nil: one with a realm
	asked      int
}

type answer struct {
	p   *core.Principal
	err error
}

func (s *scheme) Scheme() core.Scheme {
	vary := s.vary
	if vary == nil {
		vary = []string{"Authorization"}
	}
	return core.Scheme{Name: s.name, Sender: core.SentByClient, Vary: vary, Attempt: core.Unguessable}
}

func (s *scheme) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	s.asked++
	value, _ := r.Header("Authorization")
	name, credentials, _ := strings.Cut(value, " ")
	if name != s.name {
		return nil, fmt.Errorf("%s: %w", s.name, core.ErrNoCredentials)
	}
	a, ok := s.answers[credentials]
	switch {
	case credentials == "panic":
		panic("authenticator: secret detail")
	case !ok:
		return nil, &core.CredentialError{Reason: core.ReasonWrongSecret}
	}
	return a.p, a.err
}

func (s *scheme) Challenges(_ core.Request, err error) []challenge.Challenge {
	if s.challenges != nil {
		return s.challenges(err)
	}
	var scope *core.ScopeError
	params := []challenge.Param{{Name: "realm", Value: "test"}}
	var bad *core.CredentialError
	switch {
	case errors.As(err, &scope):
		params = append(params, challenge.Param{Name: "error", Value: core.CodeInsufficientScope},
			challenge.Param{Name: "scope", Value: strings.Join(scope.Scopes, " ")})
	case errors.As(err, &bad) && bad.Code != "":
		params = append(params, challenge.Param{Name: "error", Value: bad.Code})
	case errors.Is(err, core.ErrAmbiguousCredentials):
		params = append(params, challenge.Param{Name: "error", Value: core.CodeInvalidRequest})
	}
	c, cerr := challenge.New(s.name, params...)
	if cerr != nil {
		panic(cerr)
	}
	return []challenge.Challenge{c}
}

func newPrincipal(t testing.TB, info core.PrincipalInfo) *core.Principal {
	t.Helper()
	p, err := core.NewPrincipal(info)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newScheme returns a scheme that knows "alice", a viewer, and all kinds of failures.
func newScheme(t testing.TB, name string) *scheme {
	t.Helper()
	_, nameless := core.NewPrincipal(core.PrincipalInfo{Roles: []string{"viewer"}})
	return &scheme{name: name, answers: map[string]answer{
		"alice":     {p: newPrincipal(t, core.PrincipalInfo{ID: "alice", Roles: []string{"viewer"}})},
		"expired":   {err: &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken, Err: errors.New("secret detail")}},
		"ambiguous": {err: fmt.Errorf("two tokens: %w", core.ErrAmbiguousCredentials)},
		"down":      {err: errDown},
		"broken":    {err: &core.InternalError{Err: errors.New("secret detail")}},
		"soon":      {err: &core.UnavailableError{Reason: core.ReasonUnknownKey, RetryAfter: time.Second, Err: errors.New("secret detail")}},
		"nothing":   {},
		"nameless":  {err: fmt.Errorf("verifier: %w", nameless)},
		"nobody":    {p: &core.Principal{}},
	}}
}

// observer records events.
type observer struct {
	mu     sync.Mutex
	events []core.Event
}

func (o *observer) Observe(_ context.Context, e core.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

// last returns the event of the last verdict.
func (o *observer) last(t testing.TB) core.Event {
	t.Helper()
	if len(o.events) == 0 {
		t.Fatal("no event")
	}
	return o.events[len(o.events)-1]
}

var discard = slog.New(slog.DiscardHandler)

// newGuard returns a guard with its own observer.
func newGuard(t testing.TB, schemes []core.Authenticator, opts ...core.Option) (*core.Guard, *observer) {
	t.Helper()
	o := &observer{}
	g, err := core.NewGuard(schemes, append([]core.Option{core.WithObserver(o), core.WithLogger(discard)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return g, o
}

// mounted returns a gate, and fails the test if it cannot be mounted.
func mounted(t testing.TB) func(*core.Gate, error) *core.Gate {
	return func(gate *core.Gate, err error) *core.Gate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return gate
	}
}

// rule is a function as an authorizer.
type rule func(p *core.Principal, a core.Access) (core.Decision, error)

func (r rule) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	return r(p, a)
}

func allowing() rule {
	return func(*core.Principal, core.Access) (core.Decision, error) {
		return core.Decision{Allowed: true, Rule: "policy.csv:1"}, nil
	}
}

func answering(d core.Decision, err error) rule {
	return func(*core.Principal, core.Access) (core.Decision, error) { return d, err }
}

// values are the values of a field in an answer, in order.
func values(fields []core.Field, name string) (all []string) {
	for _, f := range fields {
		if f.Name == name {
			all = append(all, f.Value)
		}
	}
	return all
}

// wantFields compares the values of one field.
func wantFields(t *testing.T, fields []core.Field, name string, want ...string) {
	t.Helper()
	if got := values(fields, name); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

// newLog returns a logger that writes to b.
func newLog(b *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
