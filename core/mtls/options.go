package mtls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// Option configures an [Authenticator].
type Option func(*Authenticator) error

// WithRoots sets the authorities whose certificates are accepted, whatever the TLS
// server or the proxy accepts: each request's chain is verified against them, for
// client authentication. pool must not be modified afterwards.
func WithRoots(pool *x509.CertPool) Option {
	return func(a *Authenticator) error {
		if a.roots != nil {
			return errors.New("roots are given twice")
		}
		return option.SetUnless(&a.roots, pool, pool == nil || pool.Equal(x509.NewCertPool()), "roots are empty: no certificate would be accepted")
	}
}

// WithRoles sets a function that returns the roles of a certificate's holder; none
// by default. Its errors are treated as those of an [IdentityFunc]. It must be safe
// for concurrent use.
func WithRoles(f func(*x509.Certificate) ([]string, error)) Option {
	return func(a *Authenticator) error { return option.SetOnce(&a.roles, f, "roles function") }
}

// WithRevocation asks f on each request whether a certificate is still valid. nil
// means that it is, [ErrRevoked] results in 401, and any other error, which means
// that the check failed, in 503. f must be safe for concurrent use, and fast.
func WithRevocation(f func(context.Context, *x509.Certificate) error) Option {
	return func(a *Authenticator) error { return option.SetOnce(&a.revocation, f, "revocation function") }
}

// WithClientCertHeader reads the certificate from the Client-Cert and
// Client-Cert-Chain headers of RFC 9440 if the peer is a proxy in t. From such a
// peer nothing else is read, not even the certificate of its own connection; from
// any other peer the headers are ignored. It requires [WithRoots] or
// [WithProxyVerification].
func WithClientCertHeader(t *proxy.Trust) Option {
	return fromHeaders(t, readClientCert, headerCert, headerChain)
}

// WithNginxHeaders reads the certificate from two headers with the given names if
// the peer is a proxy in t: one with nginx's $ssl_client_escaped_cert (PEM,
// percent-encoded) and one with its $ssl_client_verify, which must be SUCCESS. From
// such a peer nothing else is read, not even the certificate of its own connection;
// from any other peer the headers are ignored. nginx replaces what a client sends
// in them only if its configuration sets both with proxy_set_header.
func WithNginxHeaders(t *proxy.Trust, certificate, verify string) Option {
	read := func(r core.Request) (*forwarded, error) { return readNginx(r, certificate, verify) }
	return func(a *Authenticator) error {
		if err := fromHeaders(t, read, certificate, verify)(a); err != nil {
			return err
		}
		a.verified = true
		return nil
	}
}

// WithProxyVerification says that the proxy forwards only certificates that it has
// verified, so that [WithRoots] is not needed.
func WithProxyVerification() Option {
	return func(a *Authenticator) error { return option.On(&a.verified) }
}

// WithClock sets the clock, for tests; time.Now by default.
func WithClock(now func() time.Time) Option {
	return func(a *Authenticator) error { return option.Set(&a.now, now, "clock is nil") }
}

func fromHeaders(t *proxy.Trust, read func(core.Request) (*forwarded, error), names ...string) Option {
	return func(a *Authenticator) error {
		if t == nil {
			return errors.New("trusted proxies are nil: a header from anyone proves nothing")
		}
		if a.forwarded != nil {
			return errors.New("two forms of headers: a proxy sets one, and passes the other on from clients")
		}
		for i, name := range names {
			if _, err := challenge.New(name); err != nil { // scheme and field names are both tokens
				return fmt.Errorf("header %d: %q is not a header field name", i+1, name)
			}
			if i > 0 && strings.EqualFold(name, names[0]) {
				return fmt.Errorf("header %q is named for two values", name)
			}
		}
		a.proxies, a.forwarded, a.headers = t, read, names
		return nil
	}
}
