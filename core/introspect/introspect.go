// Package introspect verifies access tokens by asking the authorization server
// that issued them (RFC 7662), for the Bearer scheme of package bearer. It is
// for opaque tokens, which mean nothing to anyone else, and for tokens whose
// revocation must count at once.
//
// An answer is kept for a short time, so that a token in use costs one request
// in 30 s. When the server cannot be asked, tokens with no kept answer are 503:
// an outage logs nobody out and lets nobody in.
package introspect

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/cache"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/internal/flight"
	"github.com/sallyport-go/sallyport/core/internal/tally"
	"github.com/sallyport-go/sallyport/core/option"
)

// ReasonInactive is the reason for a token that the server does not call
// active. RFC 7662 §2.2 keeps to itself whether it is unknown, expired or
// revoked.
const ReasonInactive core.Reason = "inactive"

// ReasonWrongType is the reason for an active token that is not an access token, such
// as a refresh token.
const ReasonWrongType = core.ReasonWrongType

// defaultConcurrency is how many calls may be under way; see [WithConcurrency].
const defaultConcurrency = 64

// callsPerSlot is how many calls may be waiting or under way for each that may
// be under way.
const callsPerSlot = 9

// inactiveTTL bounds how long a refusal is kept; see [WithCacheTTL].
const inactiveTTL = 5 * time.Second

// Verifier asks one introspection endpoint. It implements
// [bearer.TokenVerifier] and is safe for concurrent use.
type Verifier struct {
	endpoint  string
	client    Client
	plainHTTP bool
	transport http.RoundTripper
	http      *http.Client

	terms   claims.Terms
	mapping claims.Mapping

	timeout     time.Duration
	concurrency int
	ttl         time.Duration
	size        int

	secret [32]byte // keys the hashes of tokens
	good   *cache.Cache[verdict]
	bad    *cache.Cache[verdict]
	calls  flight.Group[verdict]
	slots  chan struct{}
	hits   tally.Counter
	misses tally.Counter
	outage outage
}

var _ bearer.TokenVerifier = (*Verifier)(nil)

// verdict is what an answer came to: a principal, or why there is none. It is
// kept in caches and never changed.
type verdict struct {
	principal *core.Principal
	jkt       string // the thumbprint of the key the token is bound to; "" for none
	refusal   error
	// notBefore and expires bound when the principal counts; zero for open.
	notBefore, expires time.Time
}

// New makes a verifier that asks endpoint, proving itself as client.
//
// endpoint is an absolute https URL; plain http is taken for loopback hosts,
// and for others with [WithPlainHTTP]. [WithIssuer] and [WithAudience] are required
// unless they are switched off on purpose with [WithoutIssuer] and
// [WithoutAudience].
//
// A token that a client obtained for itself makes a principal that is named
// "client:" and the client; see [WithClientPrefix]. An option that sets one value is
// an error when it is given twice. [WithAudience], [WithRoles] and [WithRolesFromKeys]
// add to what was given before.
func New(endpoint string, client Client, opts ...Option) (*Verifier, error) {
	v := &Verifier{
		endpoint:    endpoint,
		client:      client,
		terms:       claims.NewTerms(),
		mapping:     claims.Mapping{SubjectOptional: true},
		timeout:     3 * time.Second,
		concurrency: defaultConcurrency,
		ttl:         30 * time.Second,
		size:        10_000,
		calls:       flight.Group[verdict]{Name: "introspect"},
	}
	if err := option.Apply(v, opts); err != nil {
		return nil, fmt.Errorf("introspect: %w", err)
	}
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("introspect: %w", err)
	}
	if _, err := rand.Read(v.secret[:]); err != nil {
		return nil, fmt.Errorf("introspect: %w", err)
	}
	v.good = cache.New[verdict](v.size)
	v.bad = cache.New[verdict](v.size / 4)
	v.slots = make(chan struct{}, v.concurrency)
	v.http = newHTTPClient(v.transport, v.concurrency)
	return v, nil
}

func (v *Verifier) check() error {
	if err := v.terms.Check(false); err != nil {
		return err
	}
	switch {
	case v.client.err != nil:
		return v.client.err
	case v.client.authorization == nil:
		return errors.New("no client credentials: give Secret or Token (RFC 7662 §2.1)")
	}
	return checkEndpoint(v.endpoint, v.plainHTTP)
}

// VerifyToken returns the principal that token proves.
//
// A token that is not active, not for this service, bound to a key (cnf) or no
// access token is a [core.CredentialError] with code invalid_token. Servers that
// look at all their tokens call ID and refresh tokens active, too: such a one is
// told by its typ, token_use, token_type, tokenName or type, by at_hash, c_hash
// or s_hash, and by a nonce in what is not called an access token. A server that cannot be
// asked, is too slow, refuses this service or answers what RFC 7662 does not
// know is a [core.UnavailableError], which carries the server's Retry-After. One that
// more than three times in a row was not reached, was too slow, or answered 429, 502, 503
// or 504, is asked once in a while, at least every second, and not for each request; the
// others are told so at once. Any other answer may be about one token, and stops none.
//
// Requests for the same token share one call, which goes on when ctx ends.
func (v *Verifier) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	found, err := v.verdict(ctx, token)
	switch {
	case err != nil:
		return nil, err
	case found.jkt != "":
		// Whoever has stolen such a token could send it like this
		// (RFC 9449 §7.2, RFC 8705 §3).
		return nil, refuse(core.ReasonBadClaim, "the token is bound to a key (cnf), of which a Bearer token gives no proof")
	}
	return found.principal, nil
}

// VerifyBoundToken returns the principal that token proves together with a
// proof of possession of the key that the token is bound to: jkt is the
// SHA-256 thumbprint of that key in base64url (RFC 9449 §6.2, RFC 7638). The
// token alone proves nothing, so the caller has to check the proof.
//
// A token that is bound to no key, or to something besides the key, such as a
// certificate, is refused. All else is as in [Verifier.VerifyToken].
func (v *Verifier) VerifyBoundToken(ctx context.Context, token string) (p *core.Principal, jkt string, err error) {
	found, err := v.verdict(ctx, token)
	switch {
	case err != nil:
		return nil, "", err
	case found.jkt == "":
		return nil, "", refuse(core.ReasonBadClaim, "the token is not bound to a key: it has no cnf")
	}
	return found.principal, found.jkt, nil
}

// verdict is what a kept or fresh answer comes to at this time.
func (v *Verifier) verdict(ctx context.Context, token string) (verdict, error) {
	now := v.terms.Now()
	key := v.hash(token)
	kept, ok := v.good.Get(key, now)
	if !ok {
		kept, ok = v.bad.Get(key, now)
	}
	if ok {
		v.hits.Add()
		return v.at(kept, now)
	}
	v.misses.Add()
	fresh, err := v.calls.Go(ctx, key, v.concurrency*callsPerSlot, func() (verdict, error) {
		return v.learn(context.WithoutCancel(ctx), key, token)
	})
	if err != nil {
		return verdict{}, err
	}
	return v.at(fresh, v.terms.Now())
}

// CacheStats are for metrics, of answers that let a token pass and of those that
// did not. A miss is a token that the server was asked about, or would have been.
func (v *Verifier) CacheStats() core.CacheStats {
	return core.CacheStats{Hits: v.hits.Load(), Misses: v.misses.Load(), Entries: v.good.Len() + v.bad.Len()}
}

// learn asks the server and keeps its answer. What is kept counts from before
// the server was asked.
func (v *Verifier) learn(ctx context.Context, key cache.Key, token string) (verdict, error) {
	asked := v.terms.Now()
	r, err := v.query(ctx, token)
	if err != nil {
		return verdict{}, err
	}
	found, err := v.evaluate(r)
	if err != nil {
		return verdict{}, unavailable(fmt.Errorf("answer: %w", err))
	}
	if found.refusal != nil {
		v.bad.Put(key, found, asked.Add(min(v.ttl, inactiveTTL)), v.terms.Now())
		return found, nil
	}
	end := asked.Add(v.ttl)
	if !found.expires.IsZero() && found.expires.Before(end) {
		end = found.expires
	}
	v.good.Put(key, found, end, v.terms.Now())
	return found, nil
}

// at is the verdict for a request at now, whether its answer is fresh or kept:
// times are looked at for each request.
func (v *Verifier) at(found verdict, now time.Time) (verdict, error) {
	switch {
	case found.refusal != nil:
		return verdict{}, found.refusal
	case !found.expires.IsZero() && !now.Before(found.expires.Add(v.terms.Leeway)):
		return verdict{}, refuse(core.ReasonExpired, "expired at %v", found.expires)
	case found.notBefore.After(now.Add(v.terms.Leeway)):
		return verdict{}, refuse(core.ReasonNotYetValid, "nbf is %v", found.notBefore)
	}
	return found, nil
}

// hash is the key of token in caches. The secret in front keeps it from being
// computed elsewhere.
func (v *Verifier) hash(token string) cache.Key {
	var short [256]byte
	text := append(short[:0], v.secret[:]...)
	return sha256.Sum256(append(text, token...))
}
