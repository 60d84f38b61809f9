package setup

import (
	"errors"
	"os"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/respond"
)

// formats are the formats of refusals for programs.
var formats = map[string]func() respond.Format{
	"problem": respond.Problem, "json": respond.JSON, "text": respond.Text,
}

// languages are the languages of pages.
var languages = map[string]func() respond.Texts{"en": respond.English, "de": respond.German}

// answering returns the options for the form of refusals.
func (a *assembly) answering() ([]core.Option, error) {
	c := a.config.Answers
	if c == nil {
		return nil, nil
	}
	opts := options[respond.Option]{respond.WithRequestID(c.RequestID)}
	if len(c.Formats) > 0 {
		all := make([]respond.Format, len(c.Formats))
		for i, name := range c.Formats {
			all[i] = formats[name]()
		}
		opts = append(opts, respond.WithAPI(all[0], all[1:]...))
	}
	if len(c.Languages) > 0 {
		texts := make([]respond.Texts, len(c.Languages))
		for i, name := range c.Languages {
			texts[i] = languages[name]()
		}
		opts = append(opts, respond.WithTexts(texts...))
	}
	opts.text(c.SignInPage, respond.WithSignInPage)
	opts.text(c.SignInRedirect, respond.WithSignInRedirect)
	opts.text(c.SwitchAccount, respond.WithSwitchAccount)
	opts.text(c.CSP, respond.WithContentSecurityPolicy)
	if c.Contact != nil {
		opts = append(opts, respond.WithContact(c.Contact.Text, c.Contact.Link))
	}
	if c.Style != "" {
		css, err := os.ReadFile(string(c.Style))
		if err != nil {
			return nil, a.doc.Wrap(err, &c.Style)
		}
		opts = append(opts, respond.WithStyle(string(css)))
	}
	r, err := respond.New(opts...)
	if err != nil {
		return nil, a.doc.Wrap(err, &a.config.Answers)
	}
	return []core.Option{core.WithResponder(r), core.WithRetryAfter(c.RetryAfter)}, nil
}

// limits returns the options that limit guessing of credentials.
func (a *assembly) limits() ([]core.Option, error) {
	c := a.config.Attempts
	if c == nil {
		return nil, nil
	}
	opts := []attempts.Option{
		attempts.WithMaxWait(c.MaxWait), attempts.WithKnownAddressLifetime(c.Known), attempts.WithMaxEntries(c.MaxEntries),
	}
	if a.proxies != nil {
		opts = append(opts, attempts.WithTrustedProxies(a.proxies))
	}
	add := func(b *budget, with func(int, time.Duration, int) attempts.Option) {
		if b != nil {
			opts = append(opts, with(b.Failures, b.Per, b.Burst))
		}
	}
	add(c.Address, attempts.WithAddressBudget)
	add(c.Network, attempts.WithNetworkBudget)
	add(c.Account, attempts.WithAccountBudget)
	shared, err := a.sharedLimits(c)
	if err != nil {
		return nil, err
	}
	l, err := attempts.New(append(opts, shared...)...)
	if err != nil {
		return nil, a.doc.Wrap(err, &a.config.Attempts)
	}
	a.measure(func(i Instrument) error { return i.AddAttempts(a.config.Realm, l.Stats) })
	return []core.Option{core.WithAttemptLimiter(l)}, nil
}

// sharedLimits returns the options with which instances count attempts together.
func (a *assembly) sharedLimits(c *attemptsConfig) ([]attempts.Option, error) {
	if c.Store.Settings == nil {
		for _, key := range []any{&c.StoreKey, &c.Unshared} {
			if a.doc.Has(key) {
				return nil, a.doc.Wrap(errors.New("this is only for attempts in a store"), key)
			}
		}
		return nil, nil
	}
	if !a.doc.Has(&c.StoreKey) {
		return nil, a.doc.Wrap(errors.New("store_key is missing: at least 32 random bytes that all instances share"), &a.config.Attempts)
	}
	store, err := openStore(a, attemptStore, &c.Store, "attempts", Instrument.AttemptStore)
	if err != nil {
		return nil, err
	}
	a.needsAttempts(store, &c.Store)
	return []attempts.Option{
		attempts.WithStore(store, []byte(c.StoreKey.Reveal())), attempts.WithUnsharedAttempts(c.Unshared),
		attempts.WithStoreObserver(a.storeTold("attempts are counted")),
	}, nil
}

// storeTold returns a function that logs when a store becomes unavailable, so that
// the instance works alone, and when it is available again.
func (a *assembly) storeTold(what string) func(error) {
	return func(err error) {
		if err != nil {
			a.log.Warn(what+" by this instance alone: the store cannot be asked", "error", err)
			return
		}
		a.log.Info(what + " in the store again")
	}
}

// requests returns the options that say which requests are accepted.
func (a *assembly) requests() []core.Option {
	c := a.config.Requests
	if c == nil {
		return nil
	}
	var opts options[core.Option]
	opts.texts(c.Methods, core.WithMethods)
	opts.on(c.EncodedSlashes, core.WithEncodedSlashes)
	return append(opts, core.WithMaxPathSize(int(c.MaxPathSize)))
}

// tenants returns the option that says which tenant a request is for.
func (a *assembly) tenants() ([]core.Option, error) {
	c := a.config.Tenant
	if c == nil {
		return nil, nil
	}
	var from options[core.TenantSource]
	from.text(c.Path, core.TenantFromPath)
	from.text(c.Host, core.TenantFromHost)
	from.text(c.Header, core.TenantFromHeader)
	if len(from) != 1 {
		return nil, a.doc.Wrap(errors.New("name one place where requests say which tenant they are for: path, host or header"), &a.config.Tenant)
	}
	option := core.WithTenant(from[0])
	if err := option(new(core.Guard)); err != nil { // at its place in the file, which NewGuard does not know
		return nil, a.doc.Wrap(err, &c.Path, &c.Host, &c.Header)
	}
	return []core.Option{option}, nil
}

// senders returns the options about where requests come from, which the guard and the
// endpoints for signing in and out share.
func (a *assembly) senders() ([]core.Option, error) {
	var opts options[core.Option]
	if a.proxies != nil {
		opts = append(opts, core.WithClientAddress(a.proxies.Client))
	}
	c := a.config.Browsers
	if c == nil {
		return opts, nil
	}
	// NewGuard does not know their places in the file.
	if err := core.WithTrustedOrigins(c.Trusted...)(new(core.Guard)); err != nil {
		return nil, a.doc.Wrap(err, &c.Trusted)
	}
	if len(c.CORS) > 0 {
		cors := core.WithCORS(c.CORS...)
		if err := cors(new(core.Guard)); err != nil {
			return nil, a.doc.Wrap(err, &c.CORS)
		}
		opts = append(opts, cors)
	}
	return opts, nil
}

// browsers returns the guard's own options about requests from browsers.
func (a *assembly) browsers() []core.Option {
	c := a.config.Browsers
	if c == nil {
		return nil
	}
	var opts options[core.Option]
	opts.texts(c.Trusted, core.WithTrustedOrigins)
	opts.on(!c.Prompts, core.WithoutPrompts)
	return opts
}
