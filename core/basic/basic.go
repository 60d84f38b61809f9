// Package basic implements the Basic scheme of RFC 7617.
//
// It reads user and password from the Authorization field and asks a [Verifier],
// which knows where passwords are kept. Malformed credentials are refused with 401
// and the challenge, never with 400 or 500.
package basic

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/option"
)

const scheme = "Basic"

// MaxBytes is the maximum length of an Authorization field; a longer one is refused
// with 401. A name and a password of a kilobyte each fit easily.
const MaxBytes = 8 << 10

// ReasonPlainHTTP is the reason for a refusal by [WithTLSRequired].
const ReasonPlainHTTP core.Reason = "plain_http"

// Authenticator is the Basic scheme. It implements [core.Authenticator], is created
// by [New] and is safe for concurrent use.
type Authenticator struct {
	verifier   Verifier
	requireTLS bool
	challenges []challenge.Challenge
	encoding   *base64.Encoding
}

var _ core.Authenticator = (*Authenticator)(nil)

// Option configures an [Authenticator].
type Option func(*Authenticator) error

// New returns an authenticator that asks the given verifier. The realm is what
// browsers show when they ask for the password (RFC 9110 §11.5).
//
// The realm must be printable ASCII and not empty, because clients do not agree on
// how to read any other (RFC 7617 §3). The challenge is always Basic realm="…",
// charset="UTF-8" (RFC 7617 §2.1).
func New(realm string, v Verifier, opts ...Option) (*Authenticator, error) {
	if realm == "" {
		return nil, errors.New("basic: empty realm: give it the name that users know the service by")
	}
	if err := CheckVerifier(v); err != nil {
		return nil, fmt.Errorf("basic: %w", err)
	}
	c, err := challenge.New(scheme,
		challenge.Param{Name: "realm", Value: realm},
		challenge.Param{Name: "charset", Value: "UTF-8"})
	if err != nil {
		return nil, fmt.Errorf("basic: %w", err)
	}
	a := &Authenticator{
		verifier:   v,
		challenges: []challenge.Challenge{c},
		encoding:   base64.StdEncoding.Strict(),
	}
	if err := option.Apply(a, opts); err != nil {
		return nil, fmt.Errorf("basic: %w", err)
	}
	return a, nil
}

// WithTLSRequired refuses credentials on a connection without TLS with 401,
// unchecked: on plain HTTP anyone on the path may have read them (RFC 7617 §4). A
// right password gets the same response as a wrong one.
//
// Only the connection to the service itself counts. Behind a proxy that terminates
// TLS every request is refused, unless the proxy speaks TLS to the service too: a
// header such as X-Forwarded-Proto proves nothing, since any client can send it.
func WithTLSRequired() Option {
	return func(a *Authenticator) error { return option.On(&a.requireTLS) }
}

// Scheme implements [core.Authenticator]. A browser that was once given a password
// sends it with every request to the same place, whichever page causes it.
func (a *Authenticator) Scheme() core.Scheme {
	return core.Scheme{
		Name:    scheme,
		Sender:  core.SentByBrowser,
		Vary:    []string{"Authorization"},
		Attempt: a.attempt,
	}
}

// Authenticate implements [core.Authenticator].
//
// Another scheme, or none, is [core.ErrNoCredentials]; two Authorization lines are
// [core.ErrAmbiguousCredentials]. Malformed Basic credentials are a
// [core.CredentialError] with [core.ReasonMalformed]: bad base64 or padding, no
// colon, an empty user or password, control characters, invalid UTF-8, more than
// [MaxBytes]. The verifier's errors are mapped as [Verifier] says.
func (a *Authenticator) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	user, password, err := a.credentials(r)
	if err != nil {
		return nil, err
	}
	return verify(ctx, a.verifier, user, password)
}

// verify calls v and maps its result to what a guard expects.
func verify(ctx context.Context, v Verifier, user, password string) (*core.Principal, error) {
	p, err := v.VerifyPassword(ctx, user, password)
	if err != nil {
		return nil, verifierError(err)
	}
	if p == nil {
		return nil, &core.InternalError{Err: errors.New("basic: the verifier returned neither principal nor error")}
	}
	return p, nil
}

// attempt returns the user that Basic credentials name, in the spelling of the
// verifier's [Speller], and "" for credentials that Authenticate refuses without
// asking the verifier.
func (a *Authenticator) attempt(r core.Request) (account string, ok bool) {
	user, _, err := a.credentials(r)
	switch {
	case err == nil:
		return spelling(a.verifier, user), true
	case errors.Is(err, core.ErrNoCredentials) || errors.Is(err, core.ErrAmbiguousCredentials):
		return "", false
	}
	return "", true
}

// credentials extracts user and password from a request. Its errors are those of
// Authenticate, except the verifier's.
func (a *Authenticator) credentials(r core.Request) (user, password string, err error) {
	field, n := r.Header("Authorization")
	if n == 0 {
		return "", "", core.ErrNoCredentials
	}
	if n > 1 {
		return "", "", fmt.Errorf("basic: %w: %d Authorization lines", core.ErrAmbiguousCredentials, n)
	}
	name, token, ok := challenge.Split(field)
	if !strings.EqualFold(name, scheme) {
		return "", "", core.ErrNoCredentials
	}
	if a.requireTLS && r.TLS() == nil {
		return "", "", refused(ReasonPlainHTTP, errors.New("basic: credentials on a connection without TLS"))
	}
	if !ok {
		return "", "", malformed("the scheme must be followed by a space")
	}
	if len(field) > MaxBytes {
		return "", "", malformed("Authorization field longer than 8 KiB")
	}
	return a.decode(token)
}

// Challenges implements [core.Authenticator]. It returns the challenge if the
// response is 401, and none otherwise. Basic has no error parameters.
func (a *Authenticator) Challenges(_ core.Request, err error) []challenge.Challenge {
	if err == core.ErrNoCredentials || isUnauthenticated(err) { // the frequent case, without allocating
		return a.challenges
	}
	return nil
}

func isUnauthenticated(err error) bool {
	return !errors.Is(err, core.ErrAmbiguousCredentials) &&
		(errors.Is(err, core.ErrNoCredentials) || errtype.In[*core.CredentialError](err))
}
