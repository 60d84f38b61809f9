// Package forwardauth lets a proxy ask a guard before it passes a request on:
// nginx with auth_request, Traefik with ForwardAuth, Caddy with forward_auth,
// Envoy with ext_authz. So
// one guard stands before applications of any kind.
//
//	gate, err := guard.Authorize()
//	service, err := forwardauth.New(gate, proxies, forwardauth.Nginx())
//	mux.Handle("/check", httpauth.Serve(service.Check))
//	mux.Handle("/refusal", httpauth.Serve(service.Refusal))
//
// What a proxy tells of the request it asks about is believed from trusted
// peers alone; for anybody else there is nothing here. The application must be
// reachable through the proxy only: whoever reaches it directly passes no gate
// and can claim any identity.
package forwardauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/localcaller"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// Service answers what proxies ask. It is safe for concurrent use.
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

// WithPreflights lets CORS preflights through to the application, which answers
// them itself, without credentials and without an identity.
//
// Without it they end here: as the guard answers them behind nginx, and with
// 403 behind proxies that cannot pass such an answer on. Let the CORS filter of
// those stand before this service.
func WithPreflights() Option {
	return func(s *Service) error {
		s.preflights = true
		return nil
	}
}

// WithSemicolons lets paths with a semicolon through, which are refused with
// 400 without it. Many an application server cuts path parameters off before it
// looks for a handler, so that it takes /open/..;/admin for /admin and
// /admin;x for /admin, which no rule for /admin has seen.
func WithSemicolons() Option {
	return func(s *Service) error {
		s.semicolons = true
		return nil
	}
}

// WithLogger is told of peers that are not trusted proxies, by their addresses or, with
// [core.WithPseudonyms], their pseudonyms; [slog.Default] is by default.
func WithLogger(l *slog.Logger) Option {
	return func(s *Service) error { return option.Set(&s.logger, l, "logger is nil") }
}

// New makes a service that asks gate about what the proxies in trusted say, in
// the way of p.
//
// The gate sees the method, target, path and query of the original request and
// the header fields of the one that the proxy sends. There is no router here,
// so policies see a path without a route and without parameters. The connection
// counts as TLS where X-Forwarded-Proto says https; its certificate is the
// proxy's and not shown, so package mtls wants the option for headers.
func New(gate *core.Gate, trusted *proxy.Trust, p Proxy, opts ...Option) (*Service, error) {
	switch {
	case gate == nil:
		return nil, errors.New("forwardauth: gate is nil: make one with the methods of a guard")
	case trusted == nil:
		return nil, errors.New("forwardauth: no trusted proxy: nobody could ask")
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

// Check is a [core.Endpoint] that answers whether the proxy may pass a request
// on: 200 with the fields of [Identity], or the refusal. Mount it for all
// methods.
//
// Traefik and Envoy give refusals to clients as they are. nginx passes 401 and
// 403 alone, so for it every refusal is one of them, or 500 or 503, both of
// which nginx makes 500; a refused path is 403 there, not 400. The whole answer,
// challenges included, is in the field [AnswerField] for [Service.Refusal].
//
// A peer that is not a trusted proxy gets 404, whatever it sends. A trusted one
// that does not say what the request was gets 500: that is its configuration.
func (s *Service) Check(ctx context.Context, r core.Request) core.Response {
	if !s.trusts(r) {
		return nothing()
	}
	// A gate before this endpoint has judged the proxy's own request, with its
	// own method, and not the one that is asked about.
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
	s.logger.Warn("forwardauth: refused a peer that is not a trusted proxy", "peer", s.gate.Pseudonym(peer))
	return false
}

// nothing is the answer to those who are not to ask. It is no 403, since nobody
// has asked who they are.
func nothing() core.Response {
	return core.Response{Status: http.StatusNotFound, Fields: []core.Field{noStore}}
}

// pass is the answer for a request that passed.
func (s *Service) pass(v core.Verdict) core.Response {
	p, _ := core.PrincipalFrom(v.Context)
	return core.Response{Status: http.StatusOK, Fields: append(withNoStore(v.Fields), s.identity.fields(p)...)}
}

var noStore = core.Field{Name: "Cache-Control", Value: "no-store"}

// withNoStore are fields of an answer that nobody may keep.
func withNoStore(fields []core.Field) []core.Field {
	out := make([]core.Field, 0, len(fields)+5)
	for _, f := range fields {
		if f.Name != noStore.Name {
			out = append(out, f)
		}
	}
	return append(out, noStore)
}
