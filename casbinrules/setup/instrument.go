package setup

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/session"
)

// Instrument is an observer of the list observers that measures more than verdicts:
// a setup hands it the policy, the key sets and whatever calls other services. The
// kinds prometheus and opentelemetry are such observers. Names are the realm for
// the policy and the decision log, the issuer for its keys, and introspection and sessions.
type Instrument interface {
	core.Observer
	// TraceID is for [core.WithTraceID].
	TraceID(ctx context.Context) string
	// AddPolicy is called once, with the policy; PolicyReloaded whenever that was
	// loaded again, or could not be.
	AddPolicy(name string, policy *casbinrules.Authorizer) error
	PolicyReloaded(ctx context.Context, name string, e casbinrules.ReloadEvent)
	// AddKeySet is called for each issuer whose keys are fetched. What it returns is
	// told of every fetch.
	AddKeySet(name string) (func(jwtauth.Refresh), error)
	// AddDecisionLog is called once, with what counts the decisions of the log.
	AddDecisionLog(name string, stats func() decisionlog.Stats) error
	// Transport and Store wrap what calls other services.
	Transport(dependency string, base http.RoundTripper) (http.RoundTripper, error)
	Store(dependency string, base session.Store) (session.Store, error)
	// Page answers at /metrics of [Setup.Handler]; nil for none.
	Page() http.Handler
}

// noteInstrument keeps o if it is an instrument.
func (a *assembly) noteInstrument(o core.Observer) ([]core.Option, error) {
	i, ok := o.(Instrument)
	switch {
	case !ok:
		return nil, nil
	case a.instrument != nil:
		return nil, errors.New("two observers that measure: the file may have one of prometheus and opentelemetry")
	}
	a.instrument = i
	return []core.Option{core.WithTraceID(i.TraceID)}, nil
}

// policyReloads has the instrument told of reloads, beside the log.
func (a *assembly) policyReloads() []casbinrules.Option {
	if a.instrument == nil {
		return nil
	}
	i, name := a.instrument, a.config.Realm
	return []casbinrules.Option{
		casbinrules.WithReloadObserver(casbinrules.LogReloads(a.log)),
		casbinrules.WithReloadObserver(func(ctx context.Context, e casbinrules.ReloadEvent) { i.PolicyReloaded(ctx, name, e) }),
	}
}

// remoteOptions are those of keys that are fetched from an issuer.
func (a *assembly) remoteOptions(c *issuerConfig) ([]jwtauth.RemoteOption, error) {
	if a.instrument == nil {
		return []jwtauth.RemoteOption{jwtauth.WithRefreshObserver(a.refreshed)}, nil
	}
	name := c.Issuer
	if name == "" {
		name = hostOf(string(c.JWKS))
	}
	note, err := a.instrument.AddKeySet(name)
	if err != nil {
		return nil, err
	}
	transport, err := a.instrument.Transport(name, jwtauth.NewTransport())
	if err != nil {
		return nil, err
	}
	told := func(r jwtauth.Refresh) {
		a.refreshed(r)
		note(r)
	}
	return []jwtauth.RemoteOption{jwtauth.WithRefreshObserver(told), jwtauth.WithTransport(transport)}, nil
}

// hostOf is the host of a URL, whose query may hold a secret.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "" // the package that fetches says so
	}
	return u.Host
}

// measuredIntrospection has calls of the endpoint measured.
func (a *assembly) measuredIntrospection() ([]introspect.Option, error) {
	if a.instrument == nil {
		return nil, nil
	}
	transport, err := a.instrument.Transport("introspection", introspect.NewTransport())
	if err != nil {
		return nil, err
	}
	return []introspect.Option{introspect.WithTransport(transport)}, nil
}
