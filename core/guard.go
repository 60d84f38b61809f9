package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
	"github.com/sallyport-go/sallyport/core/option"
)

// Guard holds authenticators, authorizer, responder and observers. It is assembled
// once and safe for concurrent use. Adapters mount its gates as middleware.
type Guard struct {
	root       *Guard // the guard that With derived it from, or itself
	schemes    []scheme
	authorizer Authorizer
	anonymous  AnonymousAuthorizer
	roles      RoleSource
	ownRoles   bool          // roles are those of WithRoles, of this guard or the one it is derived from
	tenant     *TenantSource // nil for none
	responder  Responder
	observers  []Observer
	countsOnly bool // all observers are a CounterFunc
	limiter    AttemptLimiter
	origins    []string // trusted ones
	cors       []string // origins whose scripts may read refusals
	noPrompts  bool
	informs    bool // some scheme has an Inform
	// sharedCaching leaves Cache-Control to handlers that set it.
	sharedCaching bool
	rechecks      bool // requests are kept for Recheck
	methods       []string
	maxPath       int // in bytes, as sent
	// encodedSlashes lets encoded slashes through inside parameters.
	encodedSlashes bool
	retryAfter     time.Duration
	strict         bool
	logger         *slog.Logger
	varyFields     []Field
	nobody         admission // of requests without credentials
	conceals       bool      // refusals, behind what notFound answers
	notFound       any
	pseudonyms     *Pseudonyms                       // nil for none
	clientAddr     func(Request) (netip.Addr, error) // nil for the peer's
	traceID        func(context.Context) string      // nil for that of Traceparent
	denials        *denialCache
	set            setOptions
}

// setOptions records which parts options have set.
type setOptions struct{ authorizer, roles, responder, observers, limiter, origins, pseudonyms, tenant bool }

// Option configures a [Guard].
type Option func(*Guard) error

// NewGuard assembles a guard that accepts the given schemes, in order: the
// first that finds credentials of its kind decides.
//
// By default it has no authorizer, so only the gates Authenticate, Optional and
// Require can be mounted; it responds with problem+json and logs every event with
// [LogObserver] to slog's default logger. NewGuard returns an error for any
// configuration that cannot work (no scheme, a scheme twice, a nil part), so that
// none fails at request time.
func NewGuard(authenticators []Authenticator, opts ...Option) (*Guard, error) {
	g := &Guard{retryAfter: defaultRetryAfter, maxPath: defaultMaxPath, logger: slog.Default()}
	if len(authenticators) == 0 {
		return nil, errors.New("guard: no authenticator: without one every request would be anonymous")
	}
	for i, a := range authenticators {
		if err := g.addScheme(a); err != nil {
			return nil, fmt.Errorf("guard: authenticator %d: %w", i+1, err)
		}
	}
	g.root = g
	if err := g.apply(opts); err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	return g, nil
}

// With returns a variant of g for some of the routes, with the same parts except
// those that opts set. Use it to narrow the schemes with [WithSchemes], or to give
// a group of pages a [Responder] of its own.
//
// A request that has passed gate one of g, or of another variant, is not
// authenticated again at a gate of the variant, as long as the variant accepts the
// scheme it passed with and has no authorizer, roles, tenants or trusted origins of
// its own.
func (g *Guard) With(opts ...Option) (*Guard, error) {
	if g == nil {
		return nil, errors.New("guard variant: the guard is nil: the error of NewGuard says why")
	}
	if len(g.schemes) == 0 {
		return nil, errors.New("guard variant: the guard was not made by NewGuard")
	}
	v := *g
	v.set = setOptions{}
	v.schemes, v.methods = slices.Clone(g.schemes), slices.Clone(g.methods)
	v.origins, v.cors = slices.Clone(g.origins), slices.Clone(g.cors)
	if err := v.apply(opts); err != nil {
		return nil, fmt.Errorf("guard variant: %w", err)
	}
	if v.set.roles || v.set.authorizer || v.set.origins || v.set.tenant {
		v.root = &v // the result of gate one depends on these
	}
	return &v, nil
}

// apply applies options, fills in defaults and checks the result.
func (g *Guard) apply(opts []Option) error {
	if err := option.Apply(g, opts); err != nil {
		return err
	}
	if g.responder == nil {
		g.responder = new(defaultResponder)
	}
	if g.observers == nil {
		g.observers = []Observer{LogObserver(nil)}
	}
	g.countsOnly = !slices.ContainsFunc(g.observers, func(o Observer) bool { _, counts := o.(CounterFunc); return !counts })
	if err := g.checkRoles(g.authorizer); err != nil {
		return fmt.Errorf("authorizer: %w", err)
	}
	g.finishVary()
	g.denials = newDenialCache(g)
	return nil
}

// acceptsMethod reports whether method may reach rules and handlers.
func (g *Guard) acceptsMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return slices.Contains(g.methods, method)
}

// WithAuthorizer sets the authorizer that the Authorize gate asks.
func WithAuthorizer(a Authorizer) Option {
	return func(g *Guard) error {
		if isnil.Value(a) {
			return errors.New("authorizer is nil")
		}
		if g.set.authorizer {
			return errors.New("two authorizers: combine them with rule.All or rule.Any")
		}
		g.authorizer, g.set.authorizer = a, true
		if err := checkWrapper(a, maxWrappers); err != nil {
			return fmt.Errorf("authorizer: %w", err)
		}
		g.anonymous, _ = a.(AnonymousAuthorizer)
		if source, ok := wrapped.As[RoleSource](a); ok && !g.ownRoles {
			g.roles = source
		}
		return nil
	}
}

// WithRoles sets a source of roles that is asked in place of the authorizer, and of
// one that a variant has ([Guard.With]).
func WithRoles(s RoleSource) Option {
	return func(g *Guard) error {
		if isnil.Value(s) {
			return errors.New("role source is nil")
		}
		if g.set.roles {
			return errors.New("two role sources")
		}
		if err := checkSource(s, maxWrappers); err != nil {
			return fmt.Errorf("role source: %w", err)
		}
		g.roles, g.set.roles, g.ownRoles = s, true, true
		return nil
	}
}

// WithResponder sets what denials look like.
func WithResponder(r Responder) Option {
	return func(g *Guard) error {
		if isnil.Value(r) {
			return errors.New("responder is nil")
		}
		if g.set.responder {
			return errors.New("two responders: choose by request with respond.New")
		}
		g.responder, g.set.responder = r, true
		return nil
	}
}

// WithObserver adds an observer. The first one replaces the default, or in a
// variant the observers of the guard that it is derived from.
func WithObserver(o Observer) Option {
	return func(g *Guard) error {
		if isnil.Value(o) {
			return errors.New("observer is nil")
		}
		if !g.set.observers {
			g.observers, g.set.observers = nil, true
		}
		g.observers = append(g.observers, o)
		return nil
	}
}

// WithSchemes narrows the schemes to those named, in the guard's order. Credentials
// of other schemes are then ignored. It is for [Guard.With]; a name that the guard
// does not have is an error.
func WithSchemes(schemes ...string) Option {
	return func(g *Guard) error {
		if len(schemes) == 0 {
			return errors.New("schemes must not be empty: name at least one")
		}
		for _, name := range schemes {
			if !g.accepts(name) {
				return fmt.Errorf("scheme %q: the guard does not have it", name)
			}
		}
		g.schemes = slices.DeleteFunc(slices.Clone(g.schemes), func(s scheme) bool {
			return !slices.ContainsFunc(schemes, func(name string) bool { return strings.EqualFold(name, s.name) })
		})
		return nil
	}
}

// accepts reports whether scheme is one of the guard's.
func (g *Guard) accepts(name string) bool {
	return slices.ContainsFunc(g.schemes, func(s scheme) bool { return strings.EqualFold(name, s.name) })
}

// WithMethods lets methods other than PATCH and those of RFC 9110, or TRACE and
// CONNECT, reach rules and handlers. Without it every gate refuses them, unless the
// authorizer is a [MethodAuthorizer] that decides on them.
func WithMethods(methods ...string) Option {
	return func(g *Guard) error {
		for _, m := range methods {
			if !challenge.IsToken(m) {
				return fmt.Errorf("method %q is not a token (RFC 9110 §9.1)", m)
			}
		}
		g.methods = append(g.methods, methods...)
		return nil
	}
}

// WithLogger sets the logger for warnings: those at assembly, and the one that a
// handler wrote after a refusal, which is never sent. The default is slog's.
func WithLogger(l *slog.Logger) Option {
	return func(g *Guard) error { return option.Set(&g.logger, l, "logger is nil") }
}

// WithWarningsAsErrors turns warnings at assembly into errors, such as one about a
// rule with a role that the policy does not know.
func WithWarningsAsErrors() Option { return func(g *Guard) error { return option.On(&g.strict) } }
