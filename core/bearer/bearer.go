// Package bearer implements the Bearer scheme of RFC 6750: an access token in the
// Authorization header. A [TokenVerifier] decides what a token means.
//
// Only the Authorization header is read, and the cookie that [WithCookie] names. A
// token sent as in RFC 6750 §2.2 (form field) or §2.3 (query parameter) is ignored.
package bearer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/localcaller"
	"github.com/sallyport-go/sallyport/core/internal/tokenscheme"
	"github.com/sallyport-go/sallyport/core/option"
)

const schemeName = "Bearer"

// TokenVerifier turns an access token into the principal it was issued for.
// Implementations must be safe for concurrent use.
type TokenVerifier interface {
	// VerifyToken returns the principal that token proves. The token matches the
	// b64token grammar of RFC 6750 §2.1, is not empty and not longer than
	// [WithMaxTokenSize] allows; nothing else is known about it.
	//
	// For a token that proves nobody it returns a [core.CredentialError], which
	// says why and is answered with 401 and invalid_token whatever its Code. Any
	// other error means that it could not be decided, and results in 503, except a
	// [core.InternalError], which results in 500. An error with the reason
	// development_key may be followed by a second call for the same token. If there
	// is an error, the principal is ignored. The error must not be
	// [core.ErrNoCredentials], since there were some: that is a fault and results
	// in 500.
	VerifyToken(ctx context.Context, token string) (*core.Principal, error)
}

// keepsNothing is a [TokenVerifier] to which a token may be lent: it neither keeps
// any part of the text nor passes it on, and itself refuses what is not a b64token.
type keepsNothing interface {
	// KeepsNothing returns the verifier itself, since a type that embeds it may
	// keep the text.
	KeepsNothing() (of any)
}

// Authenticator is the Bearer scheme. It implements [core.Authenticator] and
// is safe for concurrent use.
type Authenticator struct {
	verifier   TokenVerifier
	lends      bool // strings to the verifier uncopied, since it keeps none
	maxSize    int
	cookie     string            // read besides Authorization; "" for none
	last       []challenge.Param // of every challenge
	scopes     []string          // for a first token; nil for unspecified
	challenges *tokenscheme.Challenges
}

var _ core.Authenticator = (*Authenticator)(nil)

// Option configures an [Authenticator].
type Option func(*Authenticator) error

// WithMaxTokenSize sets the maximum length of a token in bytes; 16 KiB by default,
// at least 1. A longer one is refused with 401 and never reaches the verifier.
func WithMaxTokenSize(n int) Option {
	return func(a *Authenticator) error {
		return option.SetUnless(&a.maxSize, n, n < 1, "max token size %d: must be at least 1 byte", n)
	}
}

// WithResourceMetadata names the metadata of the protected resource in every
// challenge, as resource_metadata (RFC 9728 §5.1), so that clients can find out
// where to get a token. address is the absolute https URL of the document, which
// package metadata serves.
func WithResourceMetadata(address string) Option {
	return func(a *Authenticator) error {
		if len(a.last) > 0 {
			return errors.New("resource metadata is given twice")
		}
		param, err := tokenscheme.ResourceMetadata(address)
		a.last = []challenge.Param{param}
		return err
	}
}

// WithScopes names scopes in the challenges of a 401, as scope (RFC 6750 §3): those
// that a client should request when it gets its first token, or replaces an invalid
// one. An insufficient_scope challenge always names the scopes that its request
// needs.
func WithScopes(scopes ...string) Option {
	return func(a *Authenticator) error {
		if a.scopes != nil {
			return errors.New("scopes are given twice")
		}
		if len(scopes) == 0 {
			return errors.New("scopes must not be empty: name at least one")
		}
		a.scopes = slices.Clone(scopes)
		return nil
	}
}

// New returns an authenticator whose challenges name realm, which must be printable
// ASCII and not empty (RFC 6750 §3 requires a parameter in every challenge, and
// realm always fits).
func New(realm string, v TokenVerifier, opts ...Option) (*Authenticator, error) {
	if realm == "" {
		return nil, errors.New("bearer: realm is empty: give the protected area a name, such as \"api\"")
	}
	if isnil.Value(v) {
		return nil, errors.New("bearer: token verifier is nil")
	}
	a := &Authenticator{
		verifier: v,
		maxSize:  tokenscheme.DefaultMaxTokenSize,
	}
	if err := option.Apply(a, opts); err != nil {
		return nil, fmt.Errorf("bearer: %w", err)
	}
	if k, ok := v.(keepsNothing); ok {
		a.lends = k.KeepsNothing() == any(v)
	}
	var err error
	if a.challenges, err = tokenscheme.NewChallenges(schemeName, realm, a.last); err != nil {
		return nil, fmt.Errorf("bearer: %w", err)
	}
	if a.scopes != nil {
		if err := a.challenges.Want(a.scopes); err != nil {
			return nil, fmt.Errorf("bearer: %w", err)
		}
	}
	return a, nil
}

// Scheme implements [core.Authenticator]: Bearer, read from Authorization and, with
// [WithCookie], from the cookie that browsers send.
func (a *Authenticator) Scheme() core.Scheme {
	s := core.Scheme{
		Name:    schemeName,
		Sender:  core.SentByClient,
		Vary:    []string{"Authorization"},
		Attempt: a.attempt,
	}
	if a.cookie != "" {
		s.Sender, s.Vary = core.SentByBrowser, append(s.Vary, "Cookie")
	}
	return s
}

// Authenticate implements [core.Authenticator]. A Bearer scheme without a token, or
// with something that is not a token, is a [core.CredentialError] with code
// invalid_token and does not reach the verifier; another scheme is
// [core.ErrNoCredentials] (RFC 6750 §3.1).
func (a *Authenticator) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	token, err := a.token(r)
	if err != nil {
		return nil, err
	}
	p, err := a.verifier.VerifyToken(ctx, token)
	if err != nil {
		p, err = a.verifyLocal(ctx, r, token, err)
	}
	if err != nil {
		return nil, tokenscheme.Verdict(err)
	}
	return p, nil
}

// verifyLocal verifies a token signed by a development key again if a program on
// this machine sent it, and returns refused otherwise.
func (a *Authenticator) verifyLocal(ctx context.Context, r core.Request, token string, refused error) (*core.Principal, error) {
	local, again, err := localcaller.Retry(ctx, r, refused)
	if !again {
		return nil, err
	}
	return a.verifier.VerifyToken(local, token)
}

// Challenges implements [core.Authenticator] by RFC 6750 §3: no error code without
// credentials; invalid_token for a [core.CredentialError], with its Description if
// that is printable ASCII without quotes and backslashes; insufficient_scope with
// all scopes needed for a [core.ScopeError]; insufficient_user_authentication with
// acr_values and max_age for a [core.StepUpError] (RFC 9470 §3); and one
// invalid_request for [core.ErrAmbiguousCredentials]. For any other error it
// returns none, since signing in would not help.
func (a *Authenticator) Challenges(_ core.Request, err error) []challenge.Challenge {
	return a.challenges.For(err)
}
