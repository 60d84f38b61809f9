package setup

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/mtls"
	"github.com/sallyport-go/sallyport/core/session"
)

// basic opens the scheme Basic.
func (a *assembly) basic() (core.Authenticator, error) {
	c := a.config.Basic
	users, err := htpasswd.New()
	if err != nil {
		return nil, err
	}
	follower, err := a.loadEither(credentialFile{"basic", "htpasswd", &c.Htpasswd, &c.StoreFile}, users)
	if err != nil {
		return nil, err
	}
	var verifier basic.Verifier = users
	if c.CacheTTL != 0 {
		cache, err := basic.NewCache(users, basic.WithCacheTTL(c.CacheTTL))
		if err != nil {
			return nil, a.doc.Wrap(err, &c.CacheTTL, &a.config.Basic)
		}
		a.measure(func(i Instrument) error { return i.AddCache("passwords", cache.Stats) })
		verifier = cache
	}
	var opts options[basic.Option]
	opts.on(c.TLSRequired, basic.WithTLSRequired)
	return a.whileConfirmed(follower)(basic.New(a.config.Realm, verifier, opts...))
}

// counts returns the options with which instances share nonce counts.
func (a *assembly) counts(c *digestConfig) ([]digest.Option, error) {
	switch {
	case c.Counts.Settings == nil && c.Fallback:
		return nil, a.doc.Wrap(errors.New("this is only for counts in a store: counts is missing"), &c.Fallback)
	case c.Counts.Settings == nil:
		return nil, nil
	case !a.doc.Has(&c.NonceKey):
		return nil, a.doc.Wrap(errors.New("counts needs nonce_key: instances must accept each other's nonces"), &c.Counts)
	}
	store, err := openStore(a, countStore, &c.Counts, "digests", Instrument.CountStore)
	if err != nil {
		return nil, err
	}
	a.needs(func(ctx context.Context) error {
		_, err := store.Use(ctx, random32(), 1, time.Second)
		return err
	}, &c.Counts)
	opts := []digest.Option{digest.WithCounts(store)}
	if c.Fallback {
		opts = append(opts, digest.WithCountFallback(a.storeTold("answers of Digest are remembered")))
	}
	return opts, nil
}

// digest opens the scheme Digest.
func (a *assembly) digest() (core.Authenticator, error) {
	c := a.config.Digest
	opts := options[digest.Option]{digest.WithNonceLifetime(c.NonceLifetime), digest.WithMaxNonces(c.MaxNonces)}
	var file []digest.FileOption
	for _, name := range c.Algorithms {
		opts = append(opts, digest.WithMoreAlgorithms(digest.Algorithm(name)))
		if digest.Algorithm(name) == digest.MD5 {
			file = append(file, digest.WithMD5())
		}
	}
	opts.on(c.UserHash, digest.WithUserHash)
	if a.doc.Has(&c.NonceKey) {
		opts = append(opts, digest.WithNonceKey([]byte(c.NonceKey.Reveal()), revealed(c.PreviousKeys)...))
	} else if len(c.PreviousKeys) > 0 {
		return nil, a.doc.Wrap(errNoNonceKey, &c.PreviousKeys)
	}
	shared, err := a.counts(c)
	if err != nil {
		return nil, err
	}
	opts = append(opts, shared...)
	users, err := digest.NewFile(a.config.Realm, file...)
	if err != nil {
		return nil, err
	}
	follower, err := a.loadEither(credentialFile{"digest", "htdigest", &c.Htdigest, &c.StoreFile}, users)
	if err != nil {
		return nil, err
	}
	return a.whileConfirmed(follower)(digest.New(a.config.Realm, users, opts...))
}

// apiKeys opens the scheme of API keys.
func (a *assembly) apiKeys() (core.Authenticator, error) {
	c := a.config.APIKeys
	keys := new(apikey.File)
	follower, err := a.loadEither(credentialFile{"api_keys", "file", &c.File, &c.StoreFile}, keys)
	if err != nil {
		return nil, err
	}
	var opts options[apikey.Option]
	opts.text(c.Header, apikey.WithHeader)
	opts.text(c.Scheme, apikey.WithAuthorizationScheme)
	opts.text(c.Query, apikey.WithQueryParameter)
	return a.whileConfirmed(follower)(apikey.New(a.config.Realm, keys, opts...))
}

// certificates opens the scheme of TLS client certificates.
func (a *assembly) certificates() (core.Authenticator, error) {
	c := a.config.Certs
	identity, err := identityOf(c)
	if err != nil {
		return nil, a.doc.Wrap(err, &c.TrustDomain, &c.Identity)
	}
	var opts options[mtls.Option]
	if c.CA != "" {
		pem, err := os.ReadFile(string(c.CA))
		if err != nil {
			return nil, a.doc.Wrap(err, &c.CA)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, a.doc.Wrap(errors.New("no certificate in the file: it has a PEM block CERTIFICATE for each authority"), &c.CA)
		}
		opts = append(opts, mtls.WithRoots(pool))
	}
	if len(c.Units) > 0 {
		opts = append(opts, mtls.WithRoles(mtls.OrganizationalUnits(c.Units)))
	}
	if c.Header != "" && a.proxies == nil {
		return nil, a.doc.Wrap(errors.New("proxies is missing: it says who may send certificates"), &c.Header)
	}
	switch c.Header {
	case "client_cert":
		opts = append(opts, mtls.WithClientCertHeader(a.proxies))
	case "nginx":
		opts = append(opts, mtls.WithNginxHeaders(a.proxies, c.NginxCert, c.NginxVerify))
	}
	opts.on(c.ProxyVerifies, mtls.WithProxyVerification)
	return mtls.New(a.config.Realm, identity, opts...)
}

// identityOf chooses the name in a certificate that becomes the ID.
func identityOf(c *certsConfig) (mtls.Identity, error) {
	if (c.Identity == "spiffe") != (c.TrustDomain != "") {
		return mtls.Identity{}, errors.New("trust_domain goes with the identity spiffe, which needs it")
	}
	switch c.Identity {
	case "dns_name":
		return mtls.DNSName(), nil
	case "email":
		return mtls.Email(), nil
	case "uri":
		return mtls.URI(), nil
	case "spiffe":
		return mtls.SPIFFE(c.TrustDomain), nil
	}
	return mtls.CommonName(), nil
}

// session opens the scheme of session cookies.
func (a *assembly) session() (core.Authenticator, error) {
	c := a.config.Session
	opts := options[session.Option]{
		session.WithRealm(a.config.Realm), session.WithCookieName(c.Cookie), session.WithStoreTimeout(c.StoreTimeout),
		session.WithIdleTimeout(c.IdleTimeout), session.WithAbsoluteTimeout(c.AbsoluteTimeout), session.WithAnswers(a.answers...),
	}
	if c.Store.Name != "" {
		store, err := openStore(a, sessionStore, &c.Store, "sessions", Instrument.Store)
		if err != nil {
			return nil, err
		}
		a.needsSessions(store, &c.Store)
		opts = append(opts, session.WithStore(store))
	}
	opts.on(c.Persistent, session.WithPersistentCookie)
	opts.on(c.Strict, session.WithStrictSameSite)
	opts.on(c.PlainHTTP, session.WithPlainHTTPForDevelopment)
	opts.text(c.SignInPage, session.WithSignInPage)
	opts.text(c.SignInRedirect, session.WithSignInRedirect)
	opts.text(c.LogoutRedirect, session.WithLogoutRedirect)
	if b := a.config.Browsers; b != nil {
		opts.texts(b.Trusted, session.WithTrustedOrigins)
	}
	if a.made.revocations != nil {
		opts, a.asked = append(opts, session.WithRevocation(a.made.revocations)), true
	}
	m, err := session.New(opts...)
	if err != nil {
		return nil, err
	}
	a.made.sessions = m
	return m, a.signIn(m)
}

// signIn opens the sign-in at another server.
func (a *assembly) signIn(m *session.Manager) error {
	k := &a.config.Session.SignIn
	if k.Name == "" {
		return nil
	}
	open, err := openKind[openSignIn](a, signIn, k)
	if err != nil {
		return err
	}
	made, closing, err := open(m)
	if err != nil {
		return a.doc.Wrap(err, k.Settings, k)
	}
	if closing != nil {
		a.closes(closing)
	}
	if r, ok := made.(interface{ Ready(context.Context) error }); ok {
		a.needs(r.Ready, k)
	}
	a.made.signIn = made
	return nil
}
