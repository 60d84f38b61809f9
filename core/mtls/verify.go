package mtls

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
)

// verify builds a chain from leaf to one of the roots (RFC 5280 §6).
//
// A certificate has expired, and is not merely one that anybody has made with a date in
// the past, only if the chain is good at a time at which all of it was valid.
func (a *Authenticator) verify(leaf *x509.Certificate, intermediates []*x509.Certificate, now time.Time) (*x509.Certificate, error) {
	pool := x509.NewCertPool()
	for _, c := range intermediates {
		pool.AddCert(c)
	}
	check := func(at time.Time) error {
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots: a.roots, Intermediates: pool, CurrentTime: at,
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		return err
	}
	err := check(now)
	if err == nil {
		return leaf, nil
	}
	at, overlap := commonTime(append([]*x509.Certificate{leaf}, intermediates...), now)
	if overlap && !at.Equal(now) {
		untimely, reason := err, core.ReasonExpired
		if at.After(now) {
			reason = core.ReasonNotYetValid
		}
		if err = check(at); err == nil {
			return nil, refused(reason, fmt.Errorf("mtls: %w", untimely))
		}
	}
	if invalid, ok := errtype.As[x509.CertificateInvalidError](err); ok {
		switch {
		case invalid.Reason == x509.Expired && overlap: // one of the roots, since all others are valid then
			return nil, refused(core.ReasonExpired, fmt.Errorf("mtls: %w", err))
		case invalid.Reason == x509.IncompatibleUsage:
			return nil, refused(core.ReasonBadClaim, fmt.Errorf("mtls: %w", err))
		}
	}
	return nil, refused(core.ReasonUnknownKey, fmt.Errorf("mtls: %w", err))
}

// commonTime returns the time nearest to now at which all certificates are valid; ok is
// false if there is none.
func commonTime(certificates []*x509.Certificate, now time.Time) (at time.Time, ok bool) {
	from, to := certificates[0].NotBefore, certificates[0].NotAfter
	for _, c := range certificates[1:] {
		if c.NotBefore.After(from) {
			from = c.NotBefore
		}
		if c.NotAfter.Before(to) {
			to = c.NotAfter
		}
	}
	switch {
	case now.Before(from):
		now = from
	case now.After(to):
		now = to
	}
	return now, !from.After(to)
}

// validChain returns why none of the chains is valid at now. They were valid when
// the connection was made, which may be long ago.
func validChain(chains [][]*x509.Certificate, now time.Time) error {
	var first error
	for _, chain := range chains {
		err := error(nil)
		for _, c := range chain {
			if err = withinValidity(c, now); err != nil {
				break
			}
		}
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// withinValidity: both ends are inclusive (RFC 5280 §4.1.2.5).
func withinValidity(c *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(c.NotBefore):
		return refused(core.ReasonNotYetValid, fmt.Errorf("mtls: certificate %x is valid from %v", c.SerialNumber, c.NotBefore))
	case now.After(c.NotAfter):
		return refused(core.ReasonExpired, fmt.Errorf("mtls: certificate %x was valid until %v", c.SerialNumber, c.NotAfter))
	}
	return nil
}

// forClients: a certificate that says what it is for must say clients (RFC 5280
// §4.2.1.12).
func forClients(c *x509.Certificate) error {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return nil
	}
	return refused(core.ReasonBadClaim, fmt.Errorf("mtls: certificate %x is not for client authentication (extended key usage)", c.SerialNumber))
}

func claims(c *x509.Certificate) map[string]any {
	sum := sha256.Sum256(c.Raw)
	return map[string]any{
		ClaimSerial: fmt.Sprintf("%x", c.SerialNumber),
		ClaimIssuer: c.Issuer.String(),
		ClaimSHA256: hex.EncodeToString(sum[:]),
	}
}
