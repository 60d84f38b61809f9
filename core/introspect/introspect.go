// Package introspect verifies access tokens by asking the authorization server that
// issued them (RFC 7662), for the Bearer scheme of package bearer. It is for opaque
// tokens, which only their issuer can read, and for tokens whose revocation must
// take effect at once.
//
// Answers are cached for a short time, so that a token in use costs one request
// every 30 s. While the server is unavailable, tokens without a cached answer get
// 503: an outage logs nobody out and lets nobody in.
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
	"github.com/sallyport-go/sallyport/core/revoke"
)

// ReasonInactive is the reason for a token that the server does not call active.
// The server does not say whether it is unknown, expired or revoked (RFC 7662
// §2.2).
const ReasonInactive core.Reason = "inactive"

// defaultConcurrency is the number of calls that may be under way; see
// [WithConcurrency].
const defaultConcurrency = 64

// callsPerSlot is how many calls may be waiting or under way for each slot.
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

	terms       claims.Terms
	mapping     claims.Mapping
	revocations revoke.Checker // nil if there are none

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

// verdict is the result of an answer: a principal, or why there is none. It is
// cached and immutable.
type verdict struct {
	principal *core.Principal
	jkt       string // the thumbprint of the key the token is bound to; "" for none
	identity  revoke.Token
	refusal   error
	// notBefore and expires bound when the principal is valid; zero for unbounded.
	notBefore, expires time.Time
}

// New returns a verifier that asks endpoint, authenticating as client.
//
// endpoint is an absolute https URL; plain http is accepted for loopback hosts, and
// for others with [WithPlainHTTP]. [WithIssuer] and [WithAudience] are required
// unless explicitly switched off with [WithoutIssuer] and [WithoutAudience].
//
// The principal of a token that a client obtained for itself has the ID "client:"
// followed by the client; see [WithClientPrefix]. It is an error to give an option
// for a single value twice. [WithAudience], [WithRoles] and [WithRolesFromKeys] add
// to earlier ones.
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

// Close closes the idle connections to the endpoint, which would otherwise stay open for
// 90 s. The verifier keeps working.
func (v *Verifier) Close() { v.http.CloseIdleConnections() }

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
// For a token that is not active, not for this service, bound to a key (cnf) or not
// an access token, the error is a [core.CredentialError] with code invalid_token.
// Servers that look at all their tokens call ID and refresh tokens active, too:
// these are recognized by their typ, token_use, token_type, tokenName or type, by
// at_hash, c_hash or s_hash, and by a nonce in a token that is not called an access
// token. If the server cannot be reached, is too slow, refuses this service or
// returns an answer that RFC 7662 does not define, the error is a
// [core.UnavailableError] with the server's Retry-After. After more than three
// consecutive failures to reach the server, timeouts, or answers 429, 502, 503 or
// 504, it is asked only once in a while, at least every second, and other requests
// fail at once. Any other answer may be about one token only, and does not stop
// further calls.
//
// Requests for the same token share one call, which continues if ctx ends.
func (v *Verifier) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	found, err := v.verdict(ctx, token)
	switch {
	case err != nil:
		return nil, err
	case found.jkt != "":
		// A thief could send such a token like this (RFC 9449 §7.2, RFC 8705 §3).
		return nil, refuse(core.ReasonBadClaim, "the token is bound to a key (cnf), of which a Bearer token gives no proof")
	}
	return found.principal, nil
}

// VerifyBoundToken returns the principal that token proves together with a
// proof of possession of the key that the token is bound to: jkt is the
// SHA-256 thumbprint of that key in base64url (RFC 9449 §6.2, RFC 7638). The
// token alone proves nothing, so the caller has to check the proof.
//
// A token that is bound to no key, or also to something else, such as a
// certificate, is refused. Otherwise it is like [Verifier.VerifyToken].
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

// verdict returns the result of a cached or fresh answer at this time.
func (v *Verifier) verdict(ctx context.Context, token string) (verdict, error) {
	now := v.terms.Now()
	key := v.hash(token)
	kept, ok := v.good.Get(key, now)
	if !ok {
		kept, ok = v.bad.Get(key, now)
	}
	if ok {
		v.hits.Add()
		return v.at(ctx, kept, now)
	}
	v.misses.Add()
	fresh, err := v.calls.Go(ctx, key, v.concurrency*callsPerSlot, func() (verdict, error) {
		return v.learn(context.WithoutCancel(ctx), key, token)
	})
	if err != nil {
		return verdict{}, err
	}
	return v.at(ctx, fresh, v.terms.Now())
}

// CacheStats returns counts for metrics, of answers that let a token pass and of
// those that did not. A miss is a token that the server was asked about, or would
// have been.
func (v *Verifier) CacheStats() core.CacheStats {
	return core.CacheStats{Hits: v.hits.Load(), Misses: v.misses.Load(), Entries: v.good.Len() + v.bad.Len()}
}

// learn asks the server and caches its answer. The lifetime of the entry counts
// from before the server was asked.
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

// at returns the verdict for a request at now, whether its answer is fresh or
// cached: times and revocations are checked for each request.
func (v *Verifier) at(ctx context.Context, found verdict, now time.Time) (verdict, error) {
	switch {
	case found.refusal != nil:
		return verdict{}, found.refusal
	case !found.expires.IsZero() && !now.Before(found.expires.Add(v.terms.Leeway)):
		return verdict{}, refuse(core.ReasonExpired, "expired at %v", found.expires)
	case found.notBefore.After(now.Add(v.terms.Leeway)):
		return verdict{}, refuse(core.ReasonNotYetValid, "nbf is %v", found.notBefore)
	}
	return found, v.checkRevoked(ctx, found)
}

// hash returns the cache key of token. The secret in front keeps it from being
// computed elsewhere.
func (v *Verifier) hash(token string) cache.Key {
	var short [256]byte
	text := append(short[:0], v.secret[:]...)
	return sha256.Sum256(append(text, token...))
}
