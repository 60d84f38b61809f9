// Package basic authenticates requests with the Basic scheme of RFC 7617.
//
// It reads user and password from the Authorization field and asks a
// [Verifier]; where passwords are kept is the verifier's business. What cannot
// be read is 401 with the challenge, never 400 or 500.
package basic

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/option"
)

const scheme = "Basic"

// MaxBytes is the longest Authorization field that is decoded; a longer one is
// 401. Both names and passwords of a kilobyte fit in easily.
const MaxBytes = 8 << 10

// ReasonPlainHTTP is the reason of a refusal by [WithTLSRequired].
const ReasonPlainHTTP core.Reason = "plain_http"

// Authenticator is the [core.Authenticator] of the Basic scheme. It is made by
// [New] and safe for concurrent use.
type Authenticator struct {
	verifier   Verifier
	requireTLS bool
	challenges []challenge.Challenge
	encoding   *base64.Encoding
}

var _ core.Authenticator = (*Authenticator)(nil)

// Option configures an [Authenticator].
type Option func(*Authenticator) error

// New makes an authenticator for a realm, which browsers show when they ask
// for the password (RFC 9110 §11.5), with the given verifier.
//
// The realm must be printable ASCII and not empty: there is no way to send
// another one that all clients read alike (RFC 7617 §3). The challenge is
// always Basic realm="…", charset="UTF-8" (RFC 7617 §2.1).
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

// WithTLSRequired refuses credentials on a connection without TLS with 401, without
// looking at them: on plain HTTP anyone on the way has read them (RFC 7617
// §4). A right password gets the same answer as a wrong one.
//
// What counts is the connection to the service itself. Behind a proxy that
// ends TLS every request is refused, unless the proxy speaks TLS to the
// service too: a header such as X-Forwarded-Proto is no proof, since any
// client can send it.
func WithTLSRequired() Option {
	return func(a *Authenticator) error {
		a.requireTLS = true
		return nil
	}
}

// Scheme implements [core.Authenticator]. A browser that was once given a
// password sends it with every request to the same place, whoever causes it.
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
// Another scheme, or none, is [core.ErrNoCredentials]; two Authorization lines
// are [core.ErrAmbiguousCredentials]. Basic credentials that cannot be read
// are a [core.CredentialError] with [core.ReasonMalformed]: bad base64 or
// padding, no colon, an empty user or password, control characters, invalid
// UTF-8, more than [MaxBytes]. What the verifier returns is mapped as
// [Verifier] says.
func (a *Authenticator) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	user, password, err := a.credentials(r)
	if err != nil {
		return nil, err
	}
	return verify(ctx, a.verifier, user, password)
}

// verify is what v says, as a guard understands it.
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

// attempt finds the user that Basic credentials name, in the spelling the
// verifier's [Speller] gives it, and "" for credentials that Authenticate
// refuses without asking the verifier.
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

// credentials takes user and password out of a request. Its errors are those of
// Authenticate, short of the verifier's.
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
		return "", "", malformed("something other than a space after the scheme")
	}
	if len(field) > MaxBytes {
		return "", "", malformed("Authorization field longer than 8 KiB")
	}
	return a.decode(token)
}

// Challenges implements [core.Authenticator]: the challenge where the answer
// is 401, and nothing where it is another. Basic has no error parameters.
func (a *Authenticator) Challenges(_ core.Request, err error) []challenge.Challenge {
	if err == core.ErrNoCredentials || isUnauthenticated(err) { // the frequent case, without allocating
		return a.challenges
	}
	return nil
}

func isUnauthenticated(err error) bool {
	var bad *core.CredentialError
	return !errors.Is(err, core.ErrAmbiguousCredentials) &&
		(errors.Is(err, core.ErrNoCredentials) || errors.As(err, &bad))
}
