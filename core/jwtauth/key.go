package jwtauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/jws"
)

// Key is one verification key, bound to one algorithm. Keys are made by
// [HMACKey], [PublicKey], [PEMKey] and the key sets; they are immutable and
// safe for concurrent use. The zero Key verifies nothing.
type Key struct {
	id          string
	key         jws.Key
	development bool
	until       time.Time // zero for no end
	issuer      string    // what the JWK's issuer says, or ""
}

// ID returns the key's kid, or "".
func (k *Key) ID() string { return k.id }

// Algorithm returns the JWS name of the only algorithm that the key verifies. It is
// EdDSA for a key of the algorithm also named Ed25519 (RFC 9864).
func (k *Key) Algorithm() string {
	if alg := k.key.Algorithm(); alg != nil {
		return alg.String()
	}
	return ""
}

// Development reports whether this is a development key, whose tokens are accepted
// only from callers on the same machine; see [WithDevelopmentKeysAnywhere]. The JWK
// of such a key has the private member sallyport_development with the value true.
func (k *Key) Development() bool { return k.development }

// ForDevelopment returns the key as a development key ([Key.Development]).
func (k *Key) ForDevelopment() *Key {
	marked := *k
	marked.development = true
	return &marked
}

// Until returns the time at which the key stops verifying, as if it were no longer
// in its set; zero for never. Its JWK has it as the private member sallyport_until,
// a NumericDate. A replaced key thus disappears by itself, without another edit of
// the set.
func (k *Key) Until() time.Time { return k.until }

// EndingAt returns the key with another [Key.Until], in whole seconds; the zero
// time means never.
func (k *Key) EndingAt(t time.Time) *Key {
	ending := *k
	ending.until = t
	if !t.IsZero() {
		ending.until = t.UTC().Truncate(time.Second)
	}
	return &ending
}

// over reports whether the key is past its time.
func (k *Key) over(now func() time.Time) bool { return !k.until.IsZero() && !now().Before(k.until) }

// HMACKey makes a key from a shared secret, for HS256, HS384 or HS512. kid may be
// "".
//
// The secret must be at least as long as the algorithm's hash, 32, 48 or 64 bytes
// (RFC 7518 §3.2), and must not be a public key in any encoding, since anyone could
// sign with that. It is copied.
func HMACKey(kid, alg string, secret []byte) (*Key, error) {
	a := jws.Lookup(alg)
	if a == nil || a.Family() != jws.HMAC {
		return nil, fmt.Errorf("algorithm %.64q does not take a secret: use HS256, HS384 or HS512", alg)
	}
	if least := a.HashSize(); len(secret) < least {
		return nil, fmt.Errorf("secret of %d bytes is too short for %s: must have at least %d random bytes (RFC 7518 §3.2)", len(secret), alg, least)
	}
	if isPublicKey(secret) {
		return nil, errors.New("secret is a public or private key: keep it out of HMAC and use PublicKey, PEMKey or a JWK set")
	}
	made, err := jws.NewSecret(a, secret)
	return newKey(kid, made, err)
}

// PublicKey makes a key from an *[rsa.PublicKey], an *[ecdsa.PublicKey] on P-256,
// P-384 or P-521, or an [ed25519.PublicKey]. kid may be "".
//
// alg is required for RSA, one of RS256 to RS512 and PS256 to PS512. For the others
// it may be "", since the curve determines it. An RSA key must have 2048 to 16384
// bits and an odd exponent of at least 3, and must not be one of those that can be
// factored because of how they were generated (CVE-2017-15361). The key is copied.
func PublicKey(kid, alg string, key crypto.PublicKey) (*Key, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return rsaKey(kid, alg, key)
	case *ecdsa.PublicKey:
		return ecdsaKey(kid, alg, key)
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("ed25519 key of %d bytes, not %d", len(key), ed25519.PublicKeySize)
		}
		own := jws.Lookup("EdDSA")
		if err := derived(alg, own, "Ed25519"); err != nil {
			return nil, err
		}
		made, err := jws.NewKey(own, slices.Clone(key))
		return newKey(kid, made, err)
	}
	return nil, fmt.Errorf("key of type %T is not supported: RSA, ECDSA and Ed25519 public keys are", key)
}

func rsaKey(kid, alg string, key *rsa.PublicKey) (*Key, error) {
	a := jws.Lookup(alg)
	if !isRSA(a) {
		return nil, fmt.Errorf("RSA key needs one of the algorithms RS256, RS384, RS512, PS256, PS384 and PS512, but has %.64q: set it with WithRSAAlgorithm (rsa_algorithm), usually RS256", alg)
	}
	checked, err := checkRSA(key)
	if err != nil {
		return nil, err
	}
	made, err := jws.NewKey(a, checked)
	return newKey(kid, made, err)
}

func ecdsaKey(kid, alg string, key *ecdsa.PublicKey) (*Key, error) {
	checked, own, err := checkECDSA(key)
	if err != nil {
		return nil, err
	}
	if err := derived(alg, own, "ECDSA "+checked.Params().Name); err != nil {
		return nil, err
	}
	made, err := jws.NewKey(own, checked)
	return newKey(kid, made, err)
}

func isRSA(a *jws.Algorithm) bool {
	return a != nil && (a.Family() == jws.RSA || a.Family() == jws.PSS)
}

// derived refuses an alg other than the only one of the curve.
func derived(alg string, own *jws.Algorithm, curve string) error {
	if alg != "" && jws.Lookup(alg) != own {
		return fmt.Errorf("algorithm %.64q does not fit: %s key is for %s", alg, curve, own)
	}
	return nil
}

// newKey gives a key of package jws its kid.
func newKey(kid string, key jws.Key, err error) (*Key, error) {
	if err != nil {
		return nil, err
	}
	if len(kid) > maxKeyID {
		return nil, fmt.Errorf("kid of %d bytes, at most %d are accepted", len(kid), maxKeyID)
	}
	return &Key{id: kid, key: key}, nil
}
