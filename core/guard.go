package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/problem"
)

// defaultRetryAfter is what a client waits on a 503 when the failing part
// does not say.
const defaultRetryAfter = 5 * time.Second

// Guard is authenticators, authorizer, responder and observers, assembled once
// and safe for concurrent use. Adapters mount its gates as middleware.
type Guard struct {
	schemes    []scheme
	authorizer Authorizer
	anonymous  AnonymousAuthorizer
	roles      RoleSource
	givenRoles bool // roles is from WithRoles
	responder  Responder
	observers  []Observer
	methods    []string
	retryAfter time.Duration
	strict     bool
	logger     *slog.Logger
	vary       []string
	varyFields []Field
}

// scheme is an authenticator with what the guard asks of it only once.
type scheme struct {
	Authenticator
	fallback []challenge.Challenge // sent if it names none for a 401
	allowed  []Field               // added to successful answers
}

// Option configures a [Guard].
type Option func(*Guard) error

// NewGuard assembles a guard that accepts the given schemes, in order: the
// first that finds credentials of its kind decides.
//
// By default it has no authorizer, so only the gates Authenticate, Optional
// and Require can be mounted; it answers in problem+json and logs every event
// with [LogObserver] to slog's default logger. Whatever cannot work (no
// scheme, a scheme twice, a nil part) is an error here and never at a request.
func NewGuard(authenticators []Authenticator, opts ...Option) (*Guard, error) {
	g := &Guard{retryAfter: defaultRetryAfter, logger: slog.Default()}
	if len(authenticators) == 0 {
		return nil, errors.New("guard: no authenticator: without one every request would be anonymous")
	}
	for i, a := range authenticators {
		if err := g.addScheme(a); err != nil {
			return nil, fmt.Errorf("guard: authenticator %d: %w", i+1, err)
		}
	}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("guard: option %d is nil", i+1)
		}
		if err := opt(g); err != nil {
			return nil, fmt.Errorf("guard: %w", err)
		}
	}
	if g.responder == nil {
		g.responder = newDefaultResponder()
	}
	if g.observers == nil {
		g.observers = []Observer{LogObserver(nil)}
	}
	if err := g.checkRoles(g.authorizer); err != nil {
		return nil, fmt.Errorf("guard: authorizer: %w", err)
	}
	g.finishVary()
	return g, nil
}

func (g *Guard) addScheme(a Authenticator) error {
	if isNil(a) {
		return errors.New("is nil")
	}
	name := a.Scheme()
	c, err := challenge.New(name, challenge.Param{Name: "realm", Value: "restricted"})
	if err != nil {
		return err
	}
	for _, s := range g.schemes {
		if strings.EqualFold(s.Scheme(), name) {
			return fmt.Errorf("scheme %s is there twice", name)
		}
	}
	g.schemes = append(g.schemes, scheme{Authenticator: a, fallback: []challenge.Challenge{c}})
	return nil
}

// finishVary works out which answers depend on which request fields. Every
// scheme is asked of every request, so all answers depend on all their fields.
func (g *Guard) finishVary() {
	for _, s := range g.schemes {
		for _, name := range s.Vary() {
			if name = http.CanonicalHeaderKey(name); !slices.Contains(g.vary, name) {
				g.vary = append(g.vary, name)
			}
		}
	}
	if len(g.vary) > 0 {
		g.varyFields = []Field{{"Vary", strings.Join(g.vary, ", ")}}
	}
	for i, s := range g.schemes {
		g.schemes[i].allowed = g.varyFields
		if v := s.Vary(); len(v) != 1 || http.CanonicalHeaderKey(v[0]) != "Authorization" {
			g.schemes[i].allowed = append(slices.Clone(g.varyFields), Field{"Cache-Control", "private"})
		}
	}
}

// WithAuthorizer sets the authorizer that the Authorize gate asks.
func WithAuthorizer(a Authorizer) Option {
	return func(g *Guard) error {
		if isNil(a) {
			return errors.New("authorizer is nil")
		}
		if g.authorizer != nil {
			return errors.New("two authorizers: combine them with rule.All or rule.Any")
		}
		g.authorizer = a
		g.anonymous, _ = a.(AnonymousAuthorizer)
		if source, ok := a.(RoleSource); ok && !g.givenRoles {
			g.roles = source
		}
		return nil
	}
}

// WithRoles adds the roles of a source that is not the authorizer itself, and
// is asked in place of it.
func WithRoles(s RoleSource) Option {
	return func(g *Guard) error {
		if isNil(s) {
			return errors.New("role source is nil")
		}
		if g.givenRoles {
			return errors.New("two role sources")
		}
		g.roles, g.givenRoles = s, true
		return nil
	}
}

// WithResponder sets what denials look like.
func WithResponder(r Responder) Option {
	return func(g *Guard) error {
		if isNil(r) {
			return errors.New("responder is nil")
		}
		if g.responder != nil {
			return errors.New("two responders: combine them with respond.Negotiate")
		}
		g.responder = r
		return nil
	}
}

// WithObserver adds an observer. The first one given replaces the default.
func WithObserver(o Observer) Option {
	return func(g *Guard) error {
		if isNil(o) {
			return errors.New("observer is nil")
		}
		g.observers = append(g.observers, o)
		return nil
	}
}

// WithMethods lets methods outside RFC 9110 and PATCH, or TRACE and CONNECT,
// reach rules and handlers. Without it they are refused at every gate, unless
// the authorizer is a [MethodAuthorizer] that judges them.
func WithMethods(methods ...string) Option {
	return func(g *Guard) error {
		g.methods = append(g.methods, methods...)
		return nil
	}
}

// WithRetryAfter sets what a client is told to wait on a 503 when the failing
// part does not say; 5 s by default, at least 1 s.
func WithRetryAfter(d time.Duration) Option {
	return func(g *Guard) error {
		if d < time.Second {
			return fmt.Errorf("retry after %v: at least 1s", d)
		}
		g.retryAfter = d
		return nil
	}
}

// WithLogger sets where warnings at assembly go; slog's default otherwise.
func WithLogger(l *slog.Logger) Option {
	return func(g *Guard) error {
		if l == nil {
			return errors.New("logger is nil")
		}
		g.logger = l
		return nil
	}
}

// Strict turns warnings at assembly, such as a rule with a role the policy
// does not know, into errors.
func Strict() Option {
	return func(g *Guard) error {
		g.strict = true
		return nil
	}
}

// authenticate is gate one: the principal, or nil for none, or a denial.
func (g *Guard) authenticate(ctx context.Context, r Request, e *Event) (*Principal, []Field, *Denial) {
	if _, n := r.Header("Authorization"); n > 1 {
		return nil, nil, g.refuse(r, -1, fmt.Errorf("%w: %d Authorization lines", ErrAmbiguousCredentials, n))
	}
	for i := range g.schemes {
		s := &g.schemes[i]
		e.Scheme = s.Scheme() // also when it panics
		p, err := s.Authenticate(ctx, r)
		if hasNone(err) {
			e.Scheme = ""
			continue
		}
		if err == nil && (p == nil || p.ID() == "") {
			err = &InternalError{fmt.Errorf("authenticator %s returned neither principal nor error", s.Scheme())}
		}
		if err != nil {
			return nil, nil, g.refuse(r, i, err)
		}
		if p.Scheme() == "" {
			p = p.withScheme(s.Scheme())
		}
		if g.roles != nil {
			extra, err := g.roles.RolesOf(ctx, p)
			if err != nil {
				return nil, nil, g.failure(err)
			}
			if len(extra) > 0 {
				p = p.withRoles(extra)
			}
		}
		e.PrincipalID = p.ID()
		return p, s.allowed, nil
	}
	return nil, g.varyFields, nil
}

// observe tells every observer, whatever they do.
func (g *Guard) observe(ctx context.Context, e Event) {
	for _, o := range g.observers {
		observeOne(ctx, o, e, g.logger)
	}
}

func observeOne(ctx context.Context, o Observer, e Event, l *slog.Logger) {
	defer func() {
		if v := recover(); v != nil {
			l.ErrorContext(ctx, "observer panicked", "panic", fmt.Sprint(v))
		}
	}()
	o.Observe(ctx, e)
}

// judgesMethod reports whether method may go on to rules and handlers.
func (g *Guard) judgesMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return slices.Contains(g.methods, method)
}

// defaultResponder answers in problem details.
type defaultResponder struct{ bodies *problem.Bodies }

var problemFields = []Field{{"Content-Type", problem.MediaType}, {"X-Content-Type-Options", "nosniff"}}

func newDefaultResponder() defaultResponder {
	return defaultResponder{problem.NewBodies(problem.Render)}
}

func (d defaultResponder) Respond(_ Request, denial *Denial) Response {
	status := denial.Kind.Status()
	return Response{Status: status, Fields: problemFields, Body: d.bodies.Body(status, denial.Code, denial.Message)}
}

// isNil reports whether an interface holds nothing or a nil pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Interface:
		return rv.IsNil()
	}
	return false
}
