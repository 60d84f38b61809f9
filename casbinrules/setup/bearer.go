package setup

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

// verifier verifies tokens for the schemes Bearer and DPoP.
type verifier interface {
	bearer.TokenVerifier
	dpop.TokenVerifier
}

// bearer opens the scheme Bearer.
func (a *assembly) bearer() (core.Authenticator, error) {
	c := a.config.Bearer
	tokens, err := a.tokens()
	if err != nil {
		return nil, err
	}
	opts := options[bearer.Option]{bearer.WithMaxTokenSize(int(c.MaxTokenSize))}
	opts.text(c.Cookie, bearer.WithCookie)
	opts.text(c.Metadata, bearer.WithResourceMetadata)
	return bearer.New(a.config.Realm, tokens, opts...)
}

// dpop opens the scheme DPoP.
func (a *assembly) dpop() (core.Authenticator, error) {
	c := a.config.DPoP
	if a.config.Bearer == nil {
		return nil, errors.New("bearer is missing: it says whose tokens are bound")
	}
	tokens, err := a.tokens()
	if err != nil {
		return nil, err
	}
	opts := options[dpop.Option]{
		dpop.WithProofAge(c.ProofAge), dpop.WithLeeway(c.Leeway), dpop.WithMaxTokenSize(int(a.config.Bearer.MaxTokenSize)),
	}
	for _, more := range c.Address[1:] {
		opts = append(opts, dpop.WithAddress(more))
	}
	opts.texts(c.Algorithms, dpop.WithAlgorithms)
	opts.text(a.config.Bearer.Metadata, dpop.WithResourceMetadata)
	if a.doc.Has(&c.NonceKey) {
		opts = append(opts, dpop.WithNonces(c.NonceLifetime, []byte(c.NonceKey.Reveal()), revealed(c.PreviousKeys)...))
	} else if len(c.PreviousKeys) > 0 {
		return nil, a.doc.Wrap(errNoNonceKey, &c.PreviousKeys)
	}
	replays, err := a.replays(c)
	if err != nil {
		return nil, err
	}
	return dpop.New(a.config.Realm, c.Address[0], tokens, append(opts, replays...)...)
}

// ownReplays is the number of proofs that an instance remembers by itself in
// addition to a store.
const ownReplays = 1 << 18

// replays returns the options with which instances share proofs.
func (a *assembly) replays(c *dpopConfig) ([]dpop.Option, error) {
	if c.Replays.Settings == nil {
		if c.Fallback {
			return nil, a.doc.Wrap(errors.New("this is only for proofs in a store: replays is missing"), &c.Fallback)
		}
		return nil, nil
	}
	store, err := openStore(a, replayStore, &c.Replays, "proofs", Instrument.ReplayStore)
	if err != nil {
		return nil, err
	}
	remote := store
	a.needs(func(ctx context.Context) error {
		_, err := remote.Remember(ctx, random32(), random32(), time.Second)
		return err
	}, &c.Replays)
	if c.Fallback {
		own, err := dpop.NewReplayMemory(ownReplays)
		if err != nil {
			return nil, err
		}
		told := a.storeTold("proofs are remembered")
		if store, err = dpop.NewReplayFallback(store, own, told); err != nil {
			return nil, err
		}
	}
	return []dpop.Option{dpop.WithReplays(store)}, nil
}

var errNoNonceKey = errors.New("nonce_key is missing: these are the keys before it")

// revealed returns the values of keys.
func revealed(secrets []decode.Secret) (keys [][]byte) {
	for _, s := range secrets {
		keys = append(keys, []byte(s.Reveal()))
	}
	return keys
}

// tokens returns the verifier of access tokens, which both schemes share.
func (a *assembly) tokens() (verifier, error) {
	if a.verifier == nil && a.unusable == nil {
		var err error
		a.verifier, err = a.openTokens(a.config.Bearer)
		a.unusable = a.doc.Wrap(err, &a.config.Bearer)
	}
	return a.verifier, a.unusable
}

func (a *assembly) openTokens(c *bearerConfig) (verifier, error) {
	if err := a.checkIssuers(c); err != nil {
		return nil, err
	}
	lists, err := a.revocationsOf(&c.issuerConfig)
	if c.Introspection != nil {
		opaque, refused := a.introspection(c.Introspection, lists)
		a.opaque, err = opaque, decode.Join(err, refused)
	}
	var jwts verifier
	var refused error
	switch {
	case len(c.Issuers) > 0:
		jwts, refused = a.issuers(c)
	case c.single() || c.Introspection == nil:
		jwts, refused = asVerifier(a.issuer(&c.issuerConfig, lists, int(c.MaxTokenSize), &c.Issuer, &a.config.Bearer))
	}
	switch err = decode.Join(err, refused); {
	case err != nil:
		return nil, err
	case jwts == nil:
		return a.opaque, nil
	case a.opaque == nil:
		return jwts, nil
	}
	both, err := jwtauth.ByForm(jwts, a.opaque)
	if err != nil {
		return nil, err
	}
	return both.(verifier), nil // as both are
}

// single reports whether the keys of one issuer name it.
func (c *issuerConfig) single() bool { return c.Issuer != "" || c.Template != "" || c.JWKS != "" }

// checkIssuers refuses keys of one issuer that would be for none. Revocations are for
// introspected tokens, too.
func (a *assembly) checkIssuers(c *bearerConfig) error {
	if len(c.Issuers) > 0 {
		if key := a.doc.First(&c.issuerConfig); key != nil {
			return a.doc.Wrap(errors.New("the keys of one issuer cannot be combined with issuers: put this into each issuer of the list that it is for"), key)
		}
	} else if c.Introspection != nil && !c.single() {
		if key := a.doc.First(&c.issuerConfig, &c.Revocations); key != nil {
			return a.doc.Wrap(errors.New("this is for JSON Web Tokens, and no issuer of them is named: add issuer, or put it below introspection"), key)
		}
	}
	return nil
}

// asVerifier keeps a nil *jwtauth.Verifier from becoming a non-nil verifier.
func asVerifier(v *jwtauth.Verifier, err error) (verifier, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// issuers returns a verifier for several issuers.
func (a *assembly) issuers(c *bearerConfig) (verifier, error) {
	verifiers := make([]*jwtauth.Verifier, len(c.Issuers))
	var failed error
	for i := range c.Issuers {
		one := &c.Issuers[i]
		lists, err := a.revocationsOf(one)
		v, refused := a.issuer(one, lists, int(c.MaxTokenSize), &one.Issuer, one)
		verifiers[i], failed = v, decode.Join(failed, err, refused)
	}
	if failed != nil {
		return nil, failed
	}
	all, err := jwtauth.NewIssuers(verifiers...)
	if err != nil {
		return nil, a.doc.Wrap(err, &c.Issuers)
	}
	if !c.SharedIDs {
		a.warnOfSharedIDs(c.Issuers)
	}
	return all, nil
}

// warnOfSharedIDs warns of issuers whose users cannot be told apart.
func (a *assembly) warnOfSharedIDs(all []issuerConfig) {
	like := map[string][]string{} // issuers by prefix
	for i := range all {
		c := &all[i]
		like[c.IDPrefix] = append(like[c.IDPrefix], cmp.Or(c.Issuer, c.Template))
	}
	for _, prefix := range slices.Sorted(maps.Keys(like)) {
		if issuers := like[prefix]; len(issuers) > 1 {
			a.log.Warn("issuers with one id_prefix, or none: a user of one who has the sub of another's user is that user to the policy; "+
				"give each an id_prefix of its own, or set shared_ids if they name the same people", "issuers", issuers, "id_prefix", prefix)
		}
	}
}

// issuer returns the verifier for one issuer, which consults lists of revocations.
// Errors are reported at the first of fields that the file contains.
func (a *assembly) issuer(c *issuerConfig, lists allLists, maxSize int, fields ...any) (*jwtauth.Verifier, error) {
	switch {
	case c.Issuer == "" && c.Template == "":
		return nil, a.doc.Wrap(errors.New("issuer is missing: what the claim iss of tokens must be, exactly"), fields...)
	case c.Issuer != "" && c.Template != "":
		return nil, a.doc.Wrap(errors.New("issuer_template beside issuer: choose one"), &c.Template)
	case c.Template != "" && c.JWKS == "":
		return nil, a.doc.Wrap(errors.New("jwks is missing: no metadata names the keys of many issuers"), &c.Template)
	}
	if err := a.audience(c.Audience, c.AnyAudience, &c.AnyAudience, fields...); err != nil {
		return nil, err
	}
	keys, err := a.keys(c)
	if err != nil {
		return nil, a.doc.Wrap(err, append([]any{&c.JWKS}, fields...)...)
	}
	opts := issuerOptions(c, maxSize)
	if len(lists) > 0 {
		opts = append(opts, jwtauth.WithRevocation(lists))
	}
	v, err := jwtauth.New(keys, opts...)
	if err != nil {
		return nil, a.doc.Wrap(err, fields...)
	}
	a.measure(func(i Instrument) error { return i.AddCache(cmp.Or(c.Issuer, c.Template), v.CacheStats) })
	return v, nil
}

// audience checks that a file either names an audience or accepts any.
func (a *assembly) audience(named []string, all bool, field any, fields ...any) error {
	switch {
	case len(named) == 0 && !all:
		return a.doc.Wrap(errors.New("audience is missing: what the claim aud of tokens must have, commonly the name of this API at the issuer"), fields...)
	case len(named) > 0 && all:
		return a.doc.Wrap(errors.New("any_audience beside audience: choose one"), field)
	}
	return nil
}

// introspection returns a verifier that asks an issuer, and consults lists of
// revocations.
func (a *assembly) introspection(c *introspectionConfig, lists allLists) (verifier, error) {
	if err := a.audience(c.Audience, c.AnyAud, &c.AnyAud, c); err != nil {
		return nil, err
	}
	measured, err := a.measuredIntrospection()
	if err != nil {
		return nil, a.doc.Wrap(err, c)
	}
	opts := append(introspectionOptions(c), measured...)
	if len(lists) > 0 {
		opts = append(opts, introspect.WithRevocation(lists))
	}
	v, err := introspect.New(c.Endpoint, introspect.Secret(c.Client, c.Secret.Reveal()), opts...)
	if err != nil {
		return nil, a.doc.Wrap(err, c)
	}
	a.closes(func() error { v.Close(); return nil })
	a.measure(func(i Instrument) error { return i.AddCache("introspection", v.CacheStats) })
	a.needsIntrospection(v, &c.Endpoint)
	return v, nil
}

// keys returns the key source: a file, a URL, or what the issuer's metadata names.
func (a *assembly) keys(c *issuerConfig) (jwtauth.KeySource, error) {
	var set options[jwtauth.KeySetOption]
	set.text(c.RSA, jwtauth.WithRSAAlgorithm)
	if c.JWKS != "" && !c.JWKS.Remote() {
		if c.PlainHTTP {
			return nil, a.doc.Wrap(errors.New("this is only for keys that are fetched, and jwks is a file"), &c.PlainHTTP)
		}
		file := jwtauth.NewKeyFile(set...)
		return file, a.load(string(c.JWKS), file)
	}
	opts, err := a.remoteOptions(c)
	if err != nil {
		return nil, err
	}
	opts = append(opts, jwtauth.WithKeySetOptions(set...))
	if c.PlainHTTP {
		opts = append(opts, jwtauth.WithPlainHTTP())
	}
	var keys *jwtauth.RemoteKeys
	if c.JWKS != "" {
		keys, err = jwtauth.Fetch(string(c.JWKS), opts...)
	} else {
		keys, err = jwtauth.Discover(c.Issuer, opts...)
	}
	if err != nil {
		return nil, err
	}
	a.closes(func() error { keys.Close(); return nil })
	a.needs(keys.Ready, &c.JWKS, &c.Issuer)
	return keys, nil
}

// refreshed returns a function that logs failed refreshes of keys.
func (a *assembly) refreshed(issuer string) func(jwtauth.Refresh) {
	log, failing := a.log.With("issuer", issuer), false
	return func(r jwtauth.Refresh) {
		switch {
		case r.Err != nil && r.Keys == 0:
			log.Error("keys not fetched, and there are none from before: tokens of this issuer get 503", "error", r.Err)
		case r.Err != nil:
			log.Error("keys not fetched, those from before stay in use for 24h at most", "error", r.Err, "keys", r.Keys)
		case failing:
			log.Info("keys fetched again", "keys", r.Keys)
		}
		failing = r.Err != nil
		for _, err := range r.Skipped {
			log.Warn("key passed over", "error", err)
		}
	}
}
