// Package dpop implements the DPoP scheme (RFC 9449): an access token that is bound
// to a key, with a proof in the DPoP field of each request that the sender has that
// key. A stolen token is then useless, and so is a stolen request.
//
// A [TokenVerifier] decides what a token means, such as the verifiers of packages
// jwtauth and introspect. The proof is checked here, strictly by RFC 9449 §4.3: one
// field, parsed strictly; signed by the key the token is bound to; for this method,
// this address and this token; made just now; never seen before.
//
// The address in a proof is compared with the address that clients use, which comes
// from configuration. The Host field comes from the client and is ignored.
//
// A proof works for a single run of gate one. The gates of a guard, and of its
// variants that accept DPoP, run gate one once per request; another guard made with
// NewGuard runs it again and finds the proof used.
//
// Scripts in a browser can read the challenge and the nonce of another origin only
// if the application exposes them: put WWW-Authenticate and DPoP-Nonce into
// Access-Control-Expose-Headers.
package dpop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/localcaller"
	"github.com/sallyport-go/sallyport/core/internal/once"
	"github.com/sallyport-go/sallyport/core/internal/tokenscheme"
	"github.com/sallyport-go/sallyport/core/option"
)

const schemeName = "DPoP"

// The reasons that only this scheme gives.
const (
	// ReasonMissingProof means that a token came without a proof, or with several.
	ReasonMissingProof core.Reason = "missing_proof"
	// ReasonWrongKey means that a valid proof was made with a key other than the
	// token's: the token is in the wrong hands.
	ReasonWrongKey core.Reason = "wrong_key"
)

// TokenVerifier verifies access tokens that are bound to a key.
// Implementations must be safe for concurrent use.
type TokenVerifier interface {
	// VerifyBoundToken returns the principal that token proves together with
	// a proof by the key whose SHA-256 thumbprint (RFC 7638) is jkt, in
	// base64url. A token that is bound to no key is refused.
	//
	// The token matches the token68 grammar of RFC 9449 §7.1, is not empty and not
	// longer than [WithMaxTokenSize] allows. Errors are as from VerifyToken in
	// package bearer.
	VerifyBoundToken(ctx context.Context, token string) (p *core.Principal, jkt string, err error)
}

// Authenticator is the DPoP scheme. It is safe for concurrent use.
type Authenticator struct {
	verifier   TokenVerifier
	bases      []base
	algorithms []string
	age        time.Duration
	leeway     time.Duration
	maxSize    int
	now        func() time.Time
	replays    ReplayStore
	nonces     *nonces // nil if none are required
	metadata   []challenge.Param
	challenges *tokenscheme.Challenges
	set        once.Options
}

var _ core.Authenticator = (*Authenticator)(nil)

// New returns an authenticator whose challenges name realm, which must be printable
// ASCII and not empty.
//
// address is where clients reach the root of the service, such as
// "https://api.example" or, behind a proxy that strips a prefix,
// "https://api.example/v1". Plain http is accepted only for a loopback host.
//
// Proofs are valid for 60 s, with 30 s of leeway for clocks, and are remembered in
// the memory of this process for that long; see [WithReplays] for a service of
// several processes.
func New(realm, address string, v TokenVerifier, opts ...Option) (*Authenticator, error) {
	if realm == "" {
		return nil, errors.New("dpop: realm is empty: give the protected area a name, such as \"api\"")
	}
	if isnil.Value(v) {
		return nil, errors.New("dpop: token verifier is nil")
	}
	root, err := parseBase(address)
	if err != nil {
		return nil, fmt.Errorf("dpop: %w", err)
	}
	a := &Authenticator{
		verifier:   v,
		bases:      []base{root},
		algorithms: []string{"ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256"},
		age:        time.Minute,
		leeway:     30 * time.Second,
		maxSize:    tokenscheme.DefaultMaxTokenSize,
		now:        time.Now,
	}
	if err := option.Apply(a, opts); err != nil {
		return nil, fmt.Errorf("dpop: %w", err)
	}
	if err := a.finish(realm); err != nil {
		return nil, fmt.Errorf("dpop: %w", err)
	}
	return a, nil
}

// finish sets up what depends on options.
func (a *Authenticator) finish(realm string) error {
	var err error
	if a.replays == nil {
		if a.replays, err = NewReplayMemory(defaultReplays); err != nil {
			return err
		}
	}
	last := append([]challenge.Param{a.algs()}, a.metadata...)
	a.challenges, err = tokenscheme.NewChallenges(schemeName, realm, last, core.CodeInvalidProof, core.CodeUseNonce)
	return err
}

// Scheme implements [core.Authenticator]: DPoP, read from Authorization and DPoP.
// Since no two proofs are the same, no stored response matches a later request, so
// a nonce never comes from a cache (RFC 9449 §8.2). An unverified token names no
// account.
func (a *Authenticator) Scheme() core.Scheme {
	s := core.Scheme{
		Name:    schemeName,
		Sender:  core.SentByClient,
		Vary:    []string{"Authorization", fieldName},
		Attempt: func(r core.Request) (string, bool) { return "", tokenscheme.Sent(r, schemeName) },
	}
	if a.nonces != nil {
		s.Inform = a.inform
	}
	return s
}

// Authenticate implements [core.Authenticator].
//
// Another scheme is [core.ErrNoCredentials]. A token that proves nobody, is bound
// to no key or to a key other than the proof's is a [core.CredentialError] with
// code invalid_token; an invalid proof has the code [core.CodeInvalidProof], and a
// proof without a valid nonce [core.CodeUseNonce]. The proof is remembered last, so
// only holders of a valid token and its key use space in the replay store.
func (a *Authenticator) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	token, err := tokenscheme.Token(r, schemeName, a.maxSize)
	if err != nil {
		return nil, err
	}
	field, n := r.Header(fieldName)
	if n != 1 || field == "" {
		return nil, refuseProof(ReasonMissingProof, "The request needs exactly one DPoP proof", fmt.Errorf("%d DPoP fields, the first of %d bytes", n, len(field)))
	}
	p, jkt, err := a.verifier.VerifyBoundToken(ctx, token)
	if err != nil {
		local, again, refused := localcaller.Retry(ctx, r, err) // for a development key
		if err = refused; again {
			p, jkt, err = a.verifier.VerifyBoundToken(local, token)
		}
	}
	if err != nil {
		return nil, tokenscheme.Verdict(err)
	}
	if p == nil {
		return nil, &core.InternalError{Err: errors.New("dpop: verifier returned neither principal nor error")}
	}
	if jkt == "" {
		return nil, &core.CredentialError{
			Reason: core.ReasonBadClaim, Code: core.CodeInvalidToken,
			Description: "The access token is not bound to a key", Err: errors.New("dpop: the verifier names no key"),
		}
	}
	if err := a.checkProof(ctx, r, field, token, jkt); err != nil {
		return nil, err
	}
	return p, nil
}

// Challenges implements [core.Authenticator]. A challenge has realm and algs, the
// algorithms that proofs may have (RFC 9449 §7.1), and between them the error, as
// in package bearer and with the codes of this scheme.
func (a *Authenticator) Challenges(_ core.Request, err error) []challenge.Challenge {
	return a.challenges.For(err)
}
