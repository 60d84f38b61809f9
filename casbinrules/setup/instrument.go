package setup

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source"
)

// Instrument is an observer in the list observers that measures more than verdicts.
// A setup passes it the policy, the key sets, caches, limits, the followers of
// stores, and the transports and stores with which it calls other services. The
// kinds prometheus and opentelemetry are such observers.
//
// The names that it receives are the realm for the policy, the decision log, the
// limits and the revocations; the issuer for its keys and tokens; the section for a
// file of credentials in a store; and passwords, introspection, sessions, attempts,
// proofs and digests.
type Instrument interface {
	core.Observer
	// TraceID is for [core.WithTraceID].
	TraceID(ctx context.Context) string
	// AddPolicy is called once, with the policy; PolicyReloaded after each reload,
	// whether it succeeded or failed.
	AddPolicy(name string, policy *casbinrules.Authorizer) error
	PolicyReloaded(ctx context.Context, name string, e casbinrules.ReloadEvent)
	// AddKeySet is called for each issuer whose keys are fetched. The function it
	// returns is called after every fetch.
	AddKeySet(name string) (func(jwtauth.Refresh), error)
	// AddDecisionLog is called once, with a function that counts the log's
	// decisions.
	AddDecisionLog(name string, stats func() decisionlog.Stats) error
	// AddCache is called for each cache of credentials, AddAttempts with the limits on
	// guessing, AddSource for each file of credentials in a store, and AddRevocations
	// with the log of revocations.
	AddCache(name string, stats func() core.CacheStats) error
	AddAttempts(name string, stats func() attempts.Stats) error
	AddSource(name string, status func() source.Status) error
	AddRevocations(name string, status func() revoke.Status) error
	// Transport and the stores wrap what calls other services.
	Transport(dependency string, base http.RoundTripper) (http.RoundTripper, error)
	Store(dependency string, base session.Store) (session.Store, error)
	AttemptStore(dependency string, base attempts.Store) (attempts.Store, error)
	ReplayStore(dependency string, base dpop.ReplayStore) (dpop.ReplayStore, error)
	CountStore(dependency string, base digest.CountStore) (digest.CountStore, error)
	// Page is the page of [Setup.Metrics], and of [Setup.Handler] at /metrics; nil if there is none.
	Page() http.Handler
}

// noteInstrument remembers o if it is an Instrument.
func (a *assembly) noteInstrument(o core.Observer) ([]core.Option, error) {
	i, ok := o.(Instrument)
	switch {
	case !ok:
		return nil, nil
	case a.instrument != nil:
		return nil, errors.New("two observers that measure: use only one of prometheus and opentelemetry")
	}
	a.instrument = i
	return []core.Option{core.WithTraceID(i.TraceID)}, nil
}

// measure registers a call of the instrument, which may not be open yet; measureAll
// makes it once all parts are open.
func (a *assembly) measure(add func(Instrument) error) { a.measures = append(a.measures, add) }

// measureAll makes the calls that measure registered, and takes the page.
func (a *assembly) measureAll() error {
	if a.instrument == nil {
		return nil
	}
	for _, add := range a.measures {
		if err := add(a.instrument); err != nil {
			return a.doc.Wrap(err, &a.config.Observer)
		}
	}
	a.made.page = a.instrument.Page()
	return nil
}

// openStore opens a store, wrapped by the instrument's method measured if there is an
// instrument.
func openStore[T any](a *assembly, slot string, k *decode.Kind, name string, measured func(i Instrument, name string, store T) (T, error)) (T, error) {
	store, err := openKind[T](a, slot, k)
	if err != nil || a.instrument == nil {
		return store, err
	}
	return measured(a.instrument, name, store)
}

// policyReloads returns the options that report reloads to the log and to the
// instrument.
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

// remoteOptions returns the options for keys that are fetched from an issuer.
func (a *assembly) remoteOptions(c *issuerConfig) ([]jwtauth.RemoteOption, error) {
	name := c.Issuer
	if name == "" {
		name = hostOf(string(c.JWKS))
	}
	refreshed := a.refreshed(name)
	if a.instrument == nil {
		return []jwtauth.RemoteOption{jwtauth.WithRefreshObserver(refreshed)}, nil
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
		refreshed(r)
		note(r)
	}
	return []jwtauth.RemoteOption{jwtauth.WithRefreshObserver(told), jwtauth.WithTransport(transport)}, nil
}

// hostOf returns the host of a URL, whose query may contain a secret.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "" // the package that fetches it reports the error
	}
	return u.Host
}

// measuredIntrospection returns the options that measure calls of the endpoint.
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
