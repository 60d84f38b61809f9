package setup

import (
	"errors"
	"log/slog"
	"os"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/proxy"
	"github.com/sallyport-go/sallyport/core/source"
)

// assembly is a Setup under construction.
type assembly struct {
	config   *config
	doc      *decode.Document
	settings settings
	made     *Setup

	log     *slog.Logger
	proxies *proxy.Trust  // nil if there are none
	answers []core.Option // responder, observers and limiter

	instrument Instrument // nil if there is none

	store source.Source // the policy's store, once opened

	verifier verifier // of access tokens, once opened
	unusable error    // why it could not be
	opaque   verifier // the part for opaque tokens; nil if there is none

	asked bool // some scheme consults the revocation log

	measures []func(Instrument) error // see measure

	atEnd func() error // runs once nothing else can fail; may be nil
}

// assemble opens all parts. The Setup closes whatever was opened, even after an
// error.
func (a *assembly) assemble() error {
	a.log = a.logger()
	a.made.log, a.made.realm = a.log, a.config.Realm
	if err := a.trustProxies(); err != nil {
		return err
	}
	var opts []core.Option
	for _, part := range []func() ([]core.Option, error){a.logging, a.decisions, a.observers, a.answering, a.limits, a.senders} {
		more, err := part()
		if err != nil {
			return err
		}
		opts = append(opts, more...)
	}
	a.answers = slices.Clone(opts)
	err := a.followRevocations()
	schemes, refused := a.schemes()
	err = decode.Join(err, refused)
	if a.config.Policy != nil && (err == nil || a.config.Policy.Store.Settings == nil) { // a store is only asked for a service that starts
		err = decode.Join(err, a.openPolicy())
	}
	if err != nil {
		return err
	}
	if c := a.config.Revoked; c != nil && !a.asked {
		return a.doc.Wrap(errors.New("the log is never consulted: it is for bearer, dpop and session"), c)
	}
	if a.config.Policy != nil {
		opts = append(opts, core.WithAuthorizer(a.made.policy))
	}
	tenants, err := a.tenants()
	if err != nil {
		return err
	}
	opts = slices.Concat(opts, tenants, a.requests(), a.browsers(), a.settings.guard)
	guard, err := core.NewGuard(schemes, opts...)
	if err != nil {
		return a.doc.Wrap(err)
	}
	a.made.guard = guard
	if err := a.serving(); err != nil {
		return err
	}
	if err := a.measureAll(); err != nil || a.atEnd == nil {
		return err
	}
	return a.atEnd()
}

// schemes opens the schemes of the file, in its order, and returns what is wrong with
// any of them.
func (a *assembly) schemes() ([]core.Authenticator, error) {
	c := a.config
	type scheme struct {
		at  any // pointer to its field
		has bool
		new func() (core.Authenticator, error)
	}
	all := slices.DeleteFunc([]scheme{
		{&c.Bearer, c.Bearer != nil && (c.DPoP == nil || !c.DPoP.Required), a.bearer},
		{&c.DPoP, c.DPoP != nil, a.dpop},
		{&c.Basic, c.Basic != nil, a.basic},
		{&c.Digest, c.Digest != nil, a.digest},
		{&c.APIKeys, c.APIKeys != nil, a.apiKeys},
		{&c.Certs, c.Certs != nil, a.certificates},
		{&c.Session, c.Session != nil, a.session},
	}, func(s scheme) bool { return !s.has })
	if len(all) == 0 {
		return nil, a.doc.Wrap(errors.New("no scheme: the file needs one of bearer, basic, digest, api_keys, client_certificates and session, or nobody could sign in"))
	}
	slices.SortFunc(all, func(x, y scheme) int { return a.doc.Compare(x.at, y.at) })
	schemes := make([]core.Authenticator, len(all))
	var failed error
	for i, s := range all {
		var err error
		if schemes[i], err = s.new(); err != nil {
			failed = decode.Join(failed, a.doc.Wrap(err, s.at))
			continue
		}
		a.made.schemes = append(a.made.schemes, a.describe(s.at)...)
	}
	return schemes, failed
}

// logger returns the program's logger, or one that the file describes.
func (a *assembly) logger() *slog.Logger {
	c := a.config.Log
	switch {
	case a.settings.log != nil:
		return a.settings.log
	case c == nil:
		return slog.Default()
	}
	opts := &slog.HandlerOptions{Level: map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[c.Level]}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}

// logging returns the options for the log of verdicts and warnings, and for
// pseudonyms in it.
func (a *assembly) logging() ([]core.Option, error) {
	opts := []core.Option{core.WithLogger(a.log), core.WithObserver(core.LogObserver(a.log))}
	if c := a.config.Log; c != nil && a.doc.Has(&c.Pseudonym) {
		key := []byte(c.Pseudonym.Reveal())
		names, err := core.NewPseudonyms(key)
		if err != nil {
			return nil, a.doc.Wrap(err, &c.Pseudonym)
		}
		a.made.names = names
		opts = append(opts, core.WithPseudonyms(key))
	}
	return opts, nil
}

// observers opens the observers of the file.
func (a *assembly) observers() ([]core.Option, error) {
	var opts []core.Option
	for i := range a.config.Observer {
		o, err := openKind[core.Observer](a, observer, &a.config.Observer[i])
		if err != nil {
			return nil, err
		}
		opts = append(opts, core.WithObserver(o))
		measured, err := a.noteInstrument(o)
		if err != nil {
			return nil, a.doc.Wrap(err, &a.config.Observer[i], &a.config.Observer)
		}
		opts = append(opts, measured...)
	}
	return opts, nil
}

// trustProxies sets up the trust in proxies, which several parts share.
func (a *assembly) trustProxies() (err error) {
	c := a.config.Proxies
	if c == nil {
		return nil
	}
	var opts options[proxy.Option]
	opts.on(c.Forwarded, proxy.WithForwarded)
	opts.on(c.UnixSocket, proxy.WithUnixSocket)
	a.proxies, err = proxy.New(c.Trusted, opts...)
	return a.doc.Wrap(err, &c.Trusted, &a.config.Proxies)
}
