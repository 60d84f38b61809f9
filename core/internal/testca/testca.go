// Package testca issues certificates for tests.
package testca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/must"
)

// CA is a certificate authority. It is safe for concurrent use.
type CA struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	serial      atomic.Int64
}

// New returns a self-signed authority with the given name.
func New(t testing.TB, name string) *CA {
	t.Helper()
	return newCA(t, nil, name)
}

// Intermediate returns an authority with a certificate issued by ca.
func (ca *CA) Intermediate(t testing.TB, name string) *CA {
	t.Helper()
	return newCA(t, ca, name)
}

func newCA(t testing.TB, parent *CA, name string) *CA {
	t.Helper()
	ca := &CA{key: newKey(t)}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte(name),
	}
	if parent == nil {
		parent = &CA{Certificate: template, key: ca.key}
	}
	ca.Certificate = parent.sign(t, template, ca.key)
	return ca
}

// Pool returns a pool with only this authority.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Certificate)
	return pool
}

// Client issues a client certificate. By default it is valid for an hour around now and for
// client authentication; edit, if not nil, modifies the template.
func (ca *CA) Client(t testing.TB, edit func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	return ca.issue(t, x509.ExtKeyUsageClientAuth, edit)
}

// Server issues a certificate for a server at 127.0.0.1.
func (ca *CA) Server(t testing.TB) tls.Certificate {
	t.Helper()
	return ca.issue(t, x509.ExtKeyUsageServerAuth, func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	})
}

func (ca *CA) issue(t testing.TB, usage x509.ExtKeyUsage, edit func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		ExtKeyUsage: []x509.ExtKeyUsage{usage}, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if edit != nil {
		edit(template)
	}
	leaf := ca.sign(t, template, key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// sign completes the template and signs it.
func (ca *CA) sign(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(0xA000 + ca.serial.Add(1))
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	der := must.Have(x509.CreateCertificate(rand.Reader, template, ca.Certificate, &key.PublicKey, ca.key))(t)
	return must.Have(x509.ParseCertificate(der))(t)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	return must.Have(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
}
