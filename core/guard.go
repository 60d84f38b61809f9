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

	"github.com/sallyport-go/sallyport/core/internal/problem"
	"github.com/sallyport-go/sallyport/core/option"
)

// defaultRetryAfter is what a client waits on a 503 when the failing part
// does not say.
const defaultRetryAfter = 5 * time.Second

// defaultMaxPath is how many bytes of path a pattern may have to be held
// against, whoever asks.
const defaultMaxPath = 8 << 10

// Guard is authenticators, authorizer, responder and observers, assembled once
// and safe for concurrent use. Adapters mount its gates as middleware.
type Guard struct {
	root       *Guard // what With made it from, or itself
	schemes    []scheme
	authorizer Authorizer
	anonymous  AnonymousAuthorizer
	roles      RoleSource
	responder  Responder
	observers  []Observer
	limiter    AttemptLimiter
	origins    []string // trusted ones
	cors       []string // origins whose scripts may read refusals
	noPrompts  bool
	informs    bool // some scheme has an Inform
	// sharedCaching leaves Cache-Control to handlers that set it.
	sharedCaching bool
	methods       []string
	maxPath       int // in bytes, as sent
	// encodedSlashes lets them through inside parameters.
	encodedSlashes bool
	retryAfter     time.Duration
	strict         bool
	logger         *slog.Logger
	varyFields     []Field
	conceals       bool // refusals, behind what notFound answers
	notFound       any
	pseudonyms     *Pseudonyms                       // nil for none
	clientAddr     func(Request) (netip.Addr, error) // nil for the peer's
	standing       *standing                         // answers that are the same again and again
	given          given
}

// given are the parts that options have set, each of which goes once.
type given struct{ authorizer, roles, responder, observers, limiter, origins, pseudonyms bool }

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

// With makes a variant of g for some of the routes: with the same parts, save
// those that opts set. It is where [WithSchemes] narrows the schemes and where a
// group of pages gets a [Responder] of its own.
//
// A request that has passed gate one of g, or of another variant, does not
// authenticate again at a gate of the variant, as long as the variant accepts
// the scheme it passed with and has no authorizer, roles or trusted origins of
// its own.
func (g *Guard) With(opts ...Option) (*Guard, error) {
	if g == nil || len(g.schemes) == 0 {
		return nil, errors.New("guard variant: the guard was not made by NewGuard")
	}
	v := *g
	v.given = given{}
	v.schemes, v.methods = slices.Clone(g.schemes), slices.Clone(g.methods)
	v.origins, v.cors = slices.Clone(g.origins), slices.Clone(g.cors)
	if err := v.apply(opts); err != nil {
		return nil, fmt.Errorf("guard variant: %w", err)
	}
	if v.given.roles || v.given.authorizer || v.given.origins {
		v.root = &v // what gate one finds out depends on these
	}
	return &v, nil
}

// apply sets what options say, fills in defaults and checks the whole.
func (g *Guard) apply(opts []Option) error {
	if err := option.Apply(g, opts); err != nil {
		return err
	}
	if g.responder == nil {
		g.responder = newDefaultResponder()
	}
	if g.observers == nil {
		g.observers = []Observer{LogObserver(nil)}
	}
	if err := g.checkRoles(g.authorizer); err != nil {
		return fmt.Errorf("authorizer: %w", err)
	}
	g.finishVary()
	g.standing = newStanding(g)
	return nil
}

// finishVary works out which answers depend on which request fields. Every
// scheme is asked of every request, so all answers depend on all their fields.
func (g *Guard) finishVary() {
	var vary []string
	for _, s := range g.schemes {
		for _, name := range s.vary {
			if !slices.Contains(vary, name) {
				vary = append(vary, name)
			}
		}
	}
	if g.noPrompts {
		vary = append(vary, fetchMode)
	}
	g.varyFields = nil
	if len(vary) > 0 {
		g.varyFields = []Field{sharedField("Vary", strings.Join(vary, ", "))}
	}
	for i := range g.schemes {
		g.schemes[i].allowed = append(slices.Clone(g.varyFields), private)
	}
}

// observe tells every observer, whatever they do.
func (g *Guard) observe(ctx context.Context, e *Event) {
	if g.pseudonyms != nil {
		g.pseudonyms.event(e)
	}
	for _, o := range g.observers {
		observeOne(ctx, o, e, g)
	}
}

// panicText is what a panic said, for the log.
func (g *Guard) panicText(v any) string {
	if g.pseudonyms != nil {
		return g.pseudonyms.Of(fmt.Sprint(v))
	}
	return fmt.Sprint(v)
}

func observeOne(ctx context.Context, o Observer, e *Event, g *Guard) {
	defer func() {
		if v := recover(); v != nil {
			g.logger.ErrorContext(ctx, "observer panicked", "panic", g.panicText(v))
		}
	}()
	o.Observe(ctx, *e)
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

var problemFields = []Field{sharedField("Content-Type", problem.MediaType), sharedField("X-Content-Type-Options", "nosniff")}

func newDefaultResponder() defaultResponder {
	return defaultResponder{problem.NewBodies(problem.Render)}
}

// Looks implements looking: all requests are answered alike.
func (d defaultResponder) Looks() (of any, look func(Request) int) {
	return d, func(Request) int { return 0 }
}

func (d defaultResponder) Respond(_ Request, denial *Denial) Response {
	resp := Response{Status: denial.Kind.Status(), Fields: problemFields}
	if needs := problem.NeedsOf(denial.Code, denial.Challenges); needs != (problem.Needs{}) {
		resp.Body = problem.Document{Status: resp.Status, Detail: denial.Message, Error: denial.Code, Needs: needs}.JSON()
	} else {
		resp.Body = d.bodies.Body(resp.Status, denial.Code, denial.Message)
	}
	return resp
}
