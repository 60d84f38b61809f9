package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
)

// ErrSignature means that a signature does not match the text and the key.
var ErrSignature = errors.New("signature is invalid")

// Key verifies signatures by one algorithm. It is immutable and safe for
// concurrent use. The zero Key has no algorithm and verifies nothing.
type Key struct {
	alg      *Algorithm
	material any // a *rsa.PublicKey, an *ecdsa.PublicKey, an ed25519.PublicKey or a *macs
}

// NewKey makes a key from an *rsa.PublicKey, an *ecdsa.PublicKey or an
// ed25519.PublicKey for a matching algorithm. The caller has to check the key's
// strength. It is not copied.
func NewKey(alg *Algorithm, public crypto.PublicKey) (Key, error) {
	fits := false
	switch public := public.(type) {
	case *rsa.PublicKey:
		fits = alg.family == RSA || alg.family == PSS
	case *ecdsa.PublicKey:
		fits = alg.family == ECDSA && alg.curve == public.Curve
	case ed25519.PublicKey:
		fits = alg.family == EdDSA && len(public) == ed25519.PublicKeySize
	}
	if !fits {
		return Key{}, fmt.Errorf("a key of type %T does not fit %s", public, alg)
	}
	return Key{alg, public}, nil
}

// NewSecret makes a key from a secret, which is copied, for an HMAC algorithm.
func NewSecret(alg *Algorithm, secret []byte) (Key, error) {
	if alg.family != HMAC {
		return Key{}, fmt.Errorf("%s does not take a secret", alg)
	}
	return Key{alg, newMACs(alg.hash, secret)}, nil
}

// Algorithm returns the only algorithm of the key, or nil for the zero Key.
func (k *Key) Algorithm() *Algorithm { return k.alg }

// Public returns the public key, or nil for a secret.
func (k *Key) Public() crypto.PublicKey {
	if k.Secret() {
		return nil
	}
	return k.material
}

// Secret reports whether the key is a shared secret.
func (k *Key) Secret() bool { return k.alg != nil && k.alg.family == HMAC }

// Verify returns nil if signature is a valid signature of text by this key and its
// algorithm. Each key has a fixed signature length.
func (k *Key) Verify(text string, signature []byte) error {
	fits := false
	switch key := k.material.(type) {
	case *macs:
		fits = key.verify(text, signature)
	case *rsa.PublicKey:
		fits = k.alg.verifyRSA(key, text, signature)
	case *ecdsa.PublicKey:
		if size := 2 * fieldSize(key); len(signature) != size {
			return fmt.Errorf("signature of %d bytes, %s has %d: r and s, not DER (RFC 7518 §3.4)", len(signature), k.alg, size)
		}
		fits = k.alg.verifyECDSA(key, text, signature)
	case ed25519.PublicKey:
		var room [1024]byte // as in appendDigest
		fits = ed25519.Verify(key, append(room[:0], text...), signature)
	}
	if !fits {
		return ErrSignature
	}
	return nil
}

var pssOptions = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash} // RFC 7518 §3.5

func (a *Algorithm) verifyRSA(key *rsa.PublicKey, text string, signature []byte) bool {
	var room [64]byte
	digest := a.appendDigest(room[:0], text)
	if a.family == PSS {
		return rsa.VerifyPSS(key, a.hash, digest, signature, pssOptions) == nil
	}
	return rsa.VerifyPKCS1v15(key, a.hash, digest, signature) == nil
}

// verifyECDSA expects r and s concatenated, each as long as the curve's field (RFC 7518
// §3.4).
func (a *Algorithm) verifyECDSA(key *ecdsa.PublicKey, text string, signature []byte) bool {
	var room [64]byte
	digest := a.appendDigest(room[:0], text)
	half := len(signature) / 2
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	return ecdsa.Verify(key, digest, r, s)
}

// fieldSize returns the length of a coordinate in bytes.
func fieldSize(key *ecdsa.PublicKey) int { return (key.Curve.Params().BitSize + 7) / 8 }
