// Package mtls authenticates requests by the client's certificate.
//
// Only a verified certificate counts: verified by the TLS handshake of the
// connection or, behind a proxy that terminates TLS, according to a trusted proxy
// in an explicitly configured header. Nothing that can be forged is trusted: such a
// header from any other peer is ignored.
//
// The server has to request certificates. Use [tls.VerifyClientCertIfGiven] in
// [tls.Config] for services that accept other schemes too, and
// [tls.RequireAndVerifyClientCert] for those that do not. ClientCAs must be set:
// without it every certificate authority that the system trusts may issue client
// certificates; [WithRoots] guards against that.
package mtls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// scheme is not registered with IANA: HTTP has no scheme for certificates, and
// yet a 401 needs a challenge (RFC 9110 §15.5.2).
const scheme = "ClientCertificate"

// Claims of a principal, each a string.
const (
	// ClaimSerial is the serial number in hexadecimal, in lower case.
	ClaimSerial = "certificate_serial"
	// ClaimIssuer is the issuer's distinguished name (RFC 2253).
	ClaimIssuer = "certificate_issuer"
	// ClaimSHA256 is the SHA-256 of the certificate in hexadecimal, in lower
	// case.
	ClaimSHA256 = "certificate_sha256"
)

// ErrRevoked is returned, or wrapped, by the function given to [WithRevocation] for
// a revoked certificate.
var ErrRevoked = errors.New("certificate was revoked")

// Authenticator authenticates client certificates. It implements
// [core.Authenticator], is created by [New] and is safe for concurrent use.
type Authenticator struct {
	identity   func(*x509.Certificate) (string, error)
	roles      func(*x509.Certificate) ([]string, error)
	revocation func(context.Context, *x509.Certificate) error
	roots      *x509.CertPool
	proxies    *proxy.Trust
	forwarded  func(core.Request) (*forwarded, error) // nil if no header is read
	headers    []string
	verified   bool // the proxy has verified what it forwards
	now        func() time.Time
	challenges []challenge.Challenge
}

var _ core.Authenticator = (*Authenticator)(nil)

// New returns an authenticator whose principals have the ID that identity finds in
// their certificate. The realm must be printable ASCII and not empty.
func New(realm string, identity Identity, opts ...Option) (*Authenticator, error) {
	if realm == "" {
		return nil, errors.New("mtls: empty realm: give the protected area a name, such as \"api\"")
	}
	if identity.err != nil {
		return nil, fmt.Errorf("mtls: %w", identity.err)
	}
	if identity.find == nil {
		return nil, errors.New("mtls: no identity: choose what in a certificate names its holder, such as mtls.DNSName")
	}
	c, err := challenge.New(scheme, challenge.Param{Name: "realm", Value: realm})
	if err != nil {
		return nil, fmt.Errorf("mtls: %w", err)
	}
	a := &Authenticator{identity: identity.find, now: time.Now, challenges: []challenge.Challenge{c}}
	if err := option.Apply(a, opts); err != nil {
		return nil, fmt.Errorf("mtls: %w", err)
	}
	if a.forwarded != nil && a.roots == nil && !a.verified {
		return nil, errors.New("mtls: the certificates in the header are not verified: use WithRoots (ca), or WithProxyVerification (proxy_verifies) if the proxy verifies them")
	}
	return a, nil
}

// Scheme implements [core.Authenticator]: ClientCertificate. Browsers present a
// certificate whichever page caused the request. Vary lists the headers that
// certificates are read from, if any (RFC 9440 §2.4).
func (a *Authenticator) Scheme() core.Scheme {
	return core.Scheme{
		Name:    scheme,
		Sender:  core.SentByBrowser,
		Vary:    a.headers,
		Attempt: core.Unguessable,
	}
}

// Challenges implements [core.Authenticator]. A challenge only says that a
// certificate is required.
func (a *Authenticator) Challenges(_ core.Request, err error) []challenge.Challenge {
	if errors.Is(err, core.ErrNoCredentials) || errtype.In[*core.CredentialError](err) {
		return a.challenges
	}
	return nil
}

// Authenticate implements [core.Authenticator].
//
// No certificate is [core.ErrNoCredentials]; a header on two lines is
// [core.ErrAmbiguousCredentials]. A certificate that proves nobody is a
// [core.CredentialError] with [core.ReasonUnknownKey] if it, or its chain, was not
// verified, [core.ReasonExpired] or [core.ReasonNotYetValid] at the time of this
// request, however old the connection is, [core.ReasonBadClaim] if it is not meant
// for clients, [core.ReasonRevoked], [core.ReasonUnknownPrincipal] if it names
// nobody, or more than one, and [core.ReasonMalformed] if a proxy's header cannot
// be parsed.
func (a *Authenticator) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	now := a.now()
	cert, err := a.certificate(r, now)
	if err != nil {
		return nil, err
	}
	if err := forClients(cert); err != nil {
		return nil, err
	}
	if a.revocation != nil {
		if err := a.revocation(ctx, cert); err != nil {
			return nil, revocationError(err)
		}
	}
	return a.principal(cert)
}

// certificate returns the client's certificate, verified and currently valid.
func (a *Authenticator) certificate(r core.Request, now time.Time) (*x509.Certificate, error) {
	if a.forwarded != nil && a.proxies.PeerTrusted(r) {
		// The connection's own certificate, if there is one, is the proxy's, never
		// the client's.
		f, err := a.forwarded(r)
		if err != nil {
			return nil, err
		}
		if a.roots != nil {
			return a.verify(f.certificate, f.intermediates, now)
		}
		return f.certificate, withinValidity(f.certificate, now)
	}
	state := r.TLS()
	if state == nil || len(state.PeerCertificates) == 0 {
		return nil, core.ErrNoCredentials
	}
	if len(state.VerifiedChains) == 0 {
		return nil, refused(core.ReasonUnknownKey, errors.New("mtls: the certificate was not verified: ClientAuth of the server must verify what it asks for"))
	}
	leaf := state.PeerCertificates[0]
	if a.roots != nil {
		return a.verify(leaf, state.PeerCertificates[1:], now)
	}
	return leaf, validChain(state.VerifiedChains, now)
}

// principal returns the principal that cert names.
func (a *Authenticator) principal(cert *x509.Certificate) (*core.Principal, error) {
	id, err := a.identity(cert)
	if err != nil {
		return nil, hookError("identity", err)
	}
	if err := checkID(id); err != nil {
		return nil, refused(core.ReasonUnknownPrincipal, err)
	}
	info := core.PrincipalInfo{ID: id, Scheme: scheme, Expires: cert.NotAfter, Claims: claims(cert)}
	if a.roles != nil {
		if info.Roles, err = a.roles(cert); err != nil {
			return nil, hookError("roles", err)
		}
	}
	p, err := core.NewPrincipal(info)
	if err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("mtls: %w", err)}
	}
	return p, nil
}

// hookError maps an error of the application's function. [core.ErrNoCredentials]
// would turn a client that sent a certificate into a guest, so it is not wrapped.
func hookError(what string, err error) error {
	if errors.Is(err, core.ErrNoCredentials) || errors.Is(err, core.ErrAmbiguousCredentials) {
		return &core.InternalError{Err: fmt.Errorf("mtls: %s function returned an error that is reserved for authenticators: %v", what, err)}
	}
	return err
}

// revocationError maps an error of the revocation function: only an unambiguous
// [ErrRevoked] is the client's fault, and an outage takes precedence.
func revocationError(err error) error {
	if errors.Is(err, ErrRevoked) && !errtype.In[*core.UnavailableError](err) {
		return refused(core.ReasonRevoked, err)
	}
	return hookError("revocation", err)
}

func refused(reason core.Reason, err error) error {
	return &core.CredentialError{Reason: reason, Code: core.CodeInvalidCredentials, Err: err}
}
