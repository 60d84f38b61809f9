package jwtauth

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"

	"github.com/sallyport-go/sallyport/core/internal/jws"
)

// The sizes of RSA keys in bits. The lower one is RFC 7518 §3.3's; the upper
// one bounds the work of one verification.
const (
	minRSABits = 2048
	maxRSABits = 16384
)

// checkRSA returns a copy of a key that is strong enough.
func checkRSA(key *rsa.PublicKey) (*rsa.PublicKey, error) {
	if key == nil || key.N == nil {
		return nil, errors.New("RSA key is empty")
	}
	switch bits := key.N.BitLen(); {
	case bits < minRSABits:
		return nil, fmt.Errorf("RSA key of %d bits is too weak: must have at least %d (RFC 7518 §3.3)", bits, minRSABits)
	case bits > maxRSABits:
		return nil, fmt.Errorf("RSA key of %d bits is too large: must have at most %d", bits, maxRSABits)
	case key.N.Sign() < 0 || key.N.Bit(0) == 0:
		return nil, errors.New("RSA modulus is negative or even: no RSA key has that")
	case key.E < 3 || key.E%2 == 0 || key.E > 1<<31-1:
		return nil, fmt.Errorf("RSA exponent %d: must be odd, from 3 to 2^31-1, usually 65537", key.E)
	case isROCA(key.N):
		return nil, errors.New("RSA key made by a faulty library, which can be factored (CVE-2017-15361): have the issuer make another one")
	}
	return &rsa.PublicKey{N: new(big.Int).Set(key.N), E: key.E}, nil
}

// checkECDSA returns a copy of a key whose point lies on its curve, and the
// algorithm of the curve (RFC 7518 §3.4).
func checkECDSA(key *ecdsa.PublicKey) (*ecdsa.PublicKey, *jws.Algorithm, error) {
	if key == nil || key.Curve == nil || key.X == nil || key.Y == nil {
		return nil, nil, errors.New("ECDSA key is empty")
	}
	alg := jws.OfCurve(key.Curve)
	if alg == nil {
		return nil, nil, fmt.Errorf("curve %s is not supported: P-256, P-384 and P-521 are", key.Params().Name)
	}
	point, err := key.Bytes()
	if err == nil {
		key, err = ecdsa.ParseUncompressedPublicKey(key.Curve, point)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("ECDSA key: %w", err)
	}
	return key, alg, nil
}

// isPublicKey reports whether a secret is really a public key or a key of another
// kind: PEM, DER or a point of a NIST curve.
func isPublicKey(secret []byte) bool {
	if block, _ := pem.Decode(secret); block != nil {
		return true
	}
	if _, err := x509.ParsePKIXPublicKey(secret); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PublicKey(secret); err == nil {
		return true
	}
	if _, err := x509.ParseCertificate(secret); err == nil {
		return true
	}
	for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()} {
		if _, err := curve.NewPublicKey(secret); err == nil {
			return true
		}
	}
	return false
}
