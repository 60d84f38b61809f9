package authclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/option"
)

const (
	// fetchTimeout is how long fetching a token may take by default.
	fetchTimeout = 30 * time.Second
	// expiryLeeway is how long before its expiry a token is replaced; for a token
	// that lives less than four times that, it is a quarter of its lifetime.
	expiryLeeway = 10 * time.Second
	// maxNonce is the maximum length of a DPoP nonce in bytes.
	maxNonce = 1 << 10

	codeUseNonce = "use_dpop_nonce" // RFC 9449 §9
)

// TokenFunc gets a new access token, for instance from a token endpoint, or from a
// file that something else keeps up to date. A zero expiry means that it is
// unknown.
//
// It is called if there is no token, if the last one is about to expire, and if a
// service has refused one that should be valid. It must therefore not return a
// cached token: a service that has revoked it will refuse it again. With
// golang.org/x/oauth2 use clientcredentials.Config.Token, which fetches on each
// call, and not a caching TokenSource.
//
// There is one call at a time, so single-use refresh tokens need no lock. ctx has
// the values of the context of the first request that needs the token but is not
// canceled with it, since others may wait for the same token; it ends after 30
// seconds, or the time of [WithTimeout], and so must the function.
type TokenFunc func(ctx context.Context) (token string, expires time.Time, err error)

// ProofFunc makes the DPoP proof for a request, which it must not modify (RFC 9449
// §4.2). nonce is the last one from the service, or "".
type ProofFunc func(r *http.Request, token, nonce string) (proof string, err error)

// Tokens is a [Source] of access tokens. It is created by [Bearer] and [DPoP] and
// safe for concurrent use: however many requests need a new token, one call fetches
// it.
type Tokens struct {
	scheme   string
	fields   []string
	fetch    TokenFunc
	prove    ProofFunc
	now      func() time.Time
	timeout  time.Duration
	fetching chan struct{} // held by the only call of fetch

	mu      sync.Mutex
	current token
	flight  *flight
	stamp   Stamp             // of the last token
	nonces  map[string]string // by origin; as many as the transport has
}

// token is an access token, or none if it has no value.
type token struct {
	value string
	stamp Stamp
	until time.Time // when to replace it; zero for never
}

// flight is a fetch of a token under way. token and err are set when done is
// closed.
type flight struct {
	done  chan struct{}
	token token
	err   error
}

// TokenOption configures [Tokens].
type TokenOption func(*Tokens) error

// WithTimeout sets how long a [TokenFunc] may take; 30 seconds by default.
func WithTimeout(d time.Duration) TokenOption {
	return func(t *Tokens) error {
		return option.SetUnless(&t.timeout, d, d <= 0, "timeout %v: it must be positive", d)
	}
}

// WithTokenClock sets the clock by which tokens expire, for tests.
func WithTokenClock(now func() time.Time) TokenOption {
	return func(t *Tokens) error { return option.Set(&t.now, now, "clock is nil") }
}

// Bearer returns a source of tokens for the Bearer scheme (RFC 6750).
//
// After a 401 with a Bearer challenge it gets a new token, if the challenge's error
// is invalid_token or missing. insufficient_scope, step-up (RFC 9470) and any other
// error are left to the caller, who has to sign in differently and then call
// [Tokens.Invalidate].
func Bearer(fetch TokenFunc, opts ...TokenOption) (*Tokens, error) {
	return newTokens("Bearer", []string{"Authorization"}, fetch, opts)
}

// DPoP returns a source of tokens that are bound to a key (RFC 9449), with a proof
// from prove in each request. It keeps the nonces that services issue, and answers
// use_dpop_nonce with a new proof for the same token.
func DPoP(fetch TokenFunc, prove ProofFunc, opts ...TokenOption) (*Tokens, error) {
	if prove == nil {
		return nil, errors.New("authclient: DPoP: no function to make proofs")
	}
	t, err := newTokens("DPoP", []string{"Authorization", "Dpop"}, fetch, opts)
	if err != nil {
		return nil, err
	}
	t.prove, t.nonces = prove, map[string]string{}
	return t, nil
}

func newTokens(scheme string, fields []string, fetch TokenFunc, opts []TokenOption) (*Tokens, error) {
	if fetch == nil {
		return nil, fmt.Errorf("authclient: %s: no function to get tokens", scheme)
	}
	t := &Tokens{scheme: scheme, fields: fields, fetch: fetch, now: time.Now, timeout: fetchTimeout, fetching: make(chan struct{}, 1)}
	if err := option.Apply(t, opts); err != nil {
		return nil, fmt.Errorf("authclient: %s: %w", scheme, err)
	}
	return t, nil
}

// Invalidate forgets the token, for instance because the user has signed in again
// with more scopes or a stronger factor. The next request fetches a new one.
func (t *Tokens) Invalidate() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = token{}
	t.flight = nil // its token was requested before
}

// Format keeps the token out of formatted output.
func (t *Tokens) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, t.scheme+" tokens") }

// Fields implements [Source].
func (t *Tokens) Fields() []string { return t.fields }

// Authorize implements [Source].
func (t *Tokens) Authorize(r *http.Request) (Stamp, error) {
	tok, nonce, err := t.get(r)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", t.scheme+" "+tok.value)
	if t.prove == nil {
		return tok.stamp, nil
	}
	proof, err := t.prove(r, tok.value, nonce)
	if err != nil {
		return 0, fmt.Errorf("proof: %w", err)
	}
	r.Header.Set("Dpop", proof)
	return tok.stamp, nil
}

// get returns the token to use now, and the nonce for the proof.
func (t *Tokens) get(r *http.Request) (tok token, nonce string, err error) {
	t.mu.Lock()
	if t.prove != nil {
		nonce = t.nonces[originOf(r.URL)]
	}
	if t.current.value != "" && (t.current.until.IsZero() || t.now().Before(t.current.until)) {
		tok = t.current
		t.mu.Unlock()
		return tok, nonce, nil
	}
	f := t.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		t.flight = f
		go t.fly(context.WithoutCancel(r.Context()), f)
	}
	t.mu.Unlock()
	select {
	case <-f.done:
		return f.token, nonce, f.err
	case <-r.Context().Done():
		return token{}, "", r.Context().Err()
	}
}

// fly fetches a token for all requests that wait for f. After Invalidate a flight
// still serves those, but no later ones.
func (t *Tokens) fly(ctx context.Context, f *flight) {
	t.fetching <- struct{}{}
	defer func() { <-t.fetching }()
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	value, expires, err := t.call(ctx)
	if err == nil && !challenge.IsToken68(value) {
		err = errors.New("the token function returned something that is not an access token")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(f.done)
	if err != nil {
		f.err = err
	} else {
		t.stamp++
		f.token = token{value: value, stamp: t.stamp, until: t.until(expires)}
	}
	if t.flight == f {
		t.flight, t.current = nil, f.token
	}
}

// call recovers from a panic of the function, which would crash the program: it
// runs on a goroutine where no caller can recover.
func (t *Tokens) call(ctx context.Context) (value string, expires time.Time, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the token function panicked: %v", v)
		}
	}()
	return t.fetch(ctx)
}

// until returns when to replace a token that expires at expires.
func (t *Tokens) until(expires time.Time) time.Time {
	if expires.IsZero() {
		return expires
	}
	return expires.Add(-min(expiryLeeway, expires.Sub(t.now())/4))
}

// Answered implements [Source]. A 401 for a token that was replaced meanwhile does
// not fetch another.
func (t *Tokens) Answered(r *http.Request, a Answer) (again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := t.prove != nil && t.learn(r, a.Header)
	if a.Status != http.StatusUnauthorized || a.Repeated {
		return false
	}
	code, fits := tokenError(a.Challenges, t.scheme)
	switch {
	case !fits:
		return false
	case code == codeUseNonce:
		return fresh
	case code != "" && code != core.CodeInvalidToken:
		return false
	}
	if t.current.stamp == a.Stamp {
		t.current = token{}
	}
	return true
}

// learn keeps the nonce of a response, whatever its status (RFC 9449 §8.2), and
// reports whether there was one.
func (t *Tokens) learn(r *http.Request, h http.Header) bool {
	lines := h["Dpop-Nonce"]
	if len(lines) != 1 || !isNonce(lines[0]) {
		return false
	}
	t.nonces[originOf(r.URL)] = lines[0]
	return true
}

// isNonce reports whether s is 1*NQCHAR (RFC 9449 §8.1).
func isNonce(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != "" && len(s) <= maxNonce
}

// tokenError returns the error that the challenges of a scheme name, or "". Any of
// several challenges may name it.
func tokenError(cs []challenge.Challenge, scheme string) (code string, fits bool) {
	for _, c := range named(cs, scheme) {
		e, _ := c.Param("error")
		code, fits = cmp.Or(code, e), true
	}
	return code, fits
}
