// Package forwardauth lets a proxy ask a guard before it passes a request on: nginx
// with auth_request, Traefik with ForwardAuth, Caddy with forward_auth, Envoy with
// ext_authz. One guard can thus protect applications of any kind.
//
//	gate, err := guard.Authorize()
//	service, err := forwardauth.New(gate, proxies, forwardauth.Nginx())
//	mux.Handle("/check", httpauth.Serve(service.Check))
//	mux.Handle("/refusal", httpauth.Serve(service.Refusal))
//
// Only trusted peers may ask about a request; to anyone else this service does not
// exist. The application must be reachable only through the proxy: a client that
// reaches it directly passes no gate and can claim any identity.
package forwardauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/localcaller"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// Service answers requests of proxies. It is safe for concurrent use.
type Service struct {
	gate       *core.Gate
	trusted    *proxy.Trust
	proxy      Proxy
	identity   Identity
	preflights bool
	semicolons bool
	logger     *slog.Logger
	packer     packer
}

// Option configures a [Service].
type Option func(*Service) error

// WithPreflights lets CORS preflights through to the application, without
// credentials and without an identity; the application answers them itself.
//
// Without it they end here: behind nginx with the guard's answer, and behind
// proxies that cannot pass such an answer on with 403. For those, run the proxy's
// CORS filter before this service.
func WithPreflights() Option { return func(s *Service) error { return option.On(&s.preflights) } }

// WithSemicolons lets paths with a semicolon through, which are otherwise refused
// with 400. Many application servers strip path parameters before routing, and so
// take /open/..;/admin and /admin;x for /admin, although no rule for /admin
// applied.
func WithSemicolons() Option { return func(s *Service) error { return option.On(&s.semicolons) } }

// WithLogger sets the logger for peers that are not trusted proxies, logged by
// address or, with [core.WithPseudonyms], by pseudonym; [slog.Default] by default.
func WithLogger(l *slog.Logger) Option {
	return func(s *Service) error { return option.Set(&s.logger, l, "logger is nil") }
}

// New returns a service that asks gate about requests described by the proxies in
// trusted, which are of the kind p.
//
// The gate sees the method, target, path and query of the original request and the
// header fields of the one that the proxy sends. There is no router here, so
// policies see a path without a route and without parameters. The connection counts
// as TLS if X-Forwarded-Proto says https. Its certificate is the proxy's and is
// hidden, so package mtls needs one of its options for headers.
func New(gate *core.Gate, trusted *proxy.Trust, p Proxy, opts ...Option) (*Service, error) {
	switch {
	case gate == nil:
		return nil, errors.New("forwardauth: gate is nil: make one with the methods of a guard")
	case trusted == nil:
		return nil, errors.New("forwardauth: no trusted proxy: every request would be refused")
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("forwardauth: %w", err)
	}
	s := &Service{gate: gate, trusted: trusted, proxy: p, identity: defaultIdentity, logger: slog.Default()}
	if err := option.Apply(s, opts); err != nil {
		return nil, fmt.Errorf("forwardauth: %w", err)
	}
	return s, nil
}

// Check is a [core.Endpoint] that tells the proxy whether to pass a request on: 200
// with the fields of [Identity], or the refusal. Mount it for all methods.
//
// Traefik and Envoy pass refusals to clients unchanged. nginx passes only 401 and
// 403, so for it every refusal is one of them, or 500 or 503, both of which nginx
// turns into 500; a refused path is 403 there, not 400. The whole response,
// including challenges, is in the field [AnswerField] for [Service.Refusal].
//
// A peer that is not a trusted proxy gets 404, whatever it sends. A trusted one
// that does not describe the request gets 500, since its configuration is wrong.
func (s *Service) Check(ctx context.Context, r core.Request) core.Response {
	if !s.trusts(r) {
		return nothing()
	}
	// A gate before this endpoint decided on the proxy's own request, not on the
	// one asked about.
	ctx = localcaller.ThroughProxy(core.ContextWithPrincipal(ctx, nil))
	o := s.proxy.original(r)
	if o.err == nil && !s.semicolons {
		o.err = refuseSemicolons(o.route.Path)
	}
	v := s.gate.Check(ctx, o)
	switch {
	case v.Response == nil:
		return s.pass(v)
	case v.Denial == nil && s.preflights:
		return s.pass(core.Verdict{Context: ctx})
	case s.proxy.carries:
		return s.carried(v)
	case v.Denial == nil:
		return core.Response{Status: http.StatusForbidden, Fields: withNoStore(v.Response.Fields)}
	}
	return *v.Response
}

// trusts reports whether r comes from a trusted proxy.
func (s *Service) trusts(r core.Request) bool {
	if s.trusted.PeerTrusted(r) {
		return true
	}
	peer := r.RemoteAddr()
	if host, _, err := net.SplitHostPort(peer); err == nil {
		peer = host
	}
	if addr, err := netip.ParseAddr(peer); err == nil {
		peer = addr.Unmap().WithZone("").String() // as the field client of events
	}
	s.logger.Warn("forwardauth: refused a peer that is not a trusted proxy (proxies.trusted)", "peer", s.gate.Pseudonym(peer))
	return false
}

// nothing returns the response to peers that must not ask. It is not a 403, since
// they were not authenticated.
func nothing() core.Response {
	return core.Response{Status: http.StatusNotFound, Fields: []core.Field{noStore}}
}

// pass returns the response for a request that passed.
func (s *Service) pass(v core.Verdict) core.Response {
	p, _ := core.PrincipalFrom(v.Context)
	return core.Response{Status: http.StatusOK, Fields: append(withNoStore(v.Fields), s.identity.fields(p)...)}
}

var noStore = core.Field{Name: "Cache-Control", Value: "no-store"}

// withNoStore adds no-store to the fields of a response, where it replaces private.
func withNoStore(fields []core.Field) []core.Field {
	return append(slices.Clone(fields), noStore)
}
