package jwtsign

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/jws"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/option"
)

// DefaultAlgorithm is the algorithm of keys generated without [WithAlgorithm].
const DefaultAlgorithm = "ES256"

// rsaBits is the size of RSA keys that are made here.
const rsaBits = 3072

// Key is a private key for one algorithm. Its ID is the thumbprint of its public
// part (RFC 7638), so that two keys never share one. It is immutable and as safe
// for concurrent use as its [crypto.Signer].
type Key struct {
	alg     *jws.Algorithm
	private crypto.Signer
	public  *jwtauth.Key
}

// KeyOption configures a [Key].
type KeyOption func(*keyConfig) error

type keyConfig struct {
	alg         string // "" for what the key itself leaves open
	development bool
}

// WithAlgorithm names the algorithm: ES256, ES384, ES512, EdDSA, RS256 to RS512 or
// PS256 to PS512. It is required for an RSA key that does not name its algorithm;
// the curve of other keys determines it.
func WithAlgorithm(alg string) KeyOption {
	return func(c *keyConfig) error {
		a := jws.Lookup(alg)
		if a == nil || a.Family() == jws.HMAC {
			return fmt.Errorf("algorithm %.64q is not one with a private key: use ES256, ES384, ES512, EdDSA, RS256 to RS512 or PS256 to PS512", alg)
		}
		c.alg = a.String()
		return nil
	}
}

// WithDevelopment marks the key as a development key, whose tokens are accepted
// only from callers on the same machine (see
// [jwtauth.WithDevelopmentKeysAnywhere]). Its PEM and its JWK carry the mark.
func WithDevelopment() KeyOption {
	return func(c *keyConfig) error { return option.On(&c.development) }
}

func newKeyConfig(opts []KeyOption) (keyConfig, error) {
	var c keyConfig
	if err := option.Apply(&c, opts); err != nil {
		return c, fmt.Errorf("jwtsign: %w", err)
	}
	return c, nil
}

// GenerateKey generates a new key, for [DefaultAlgorithm] unless [WithAlgorithm] is
// given. An RSA key has 3072 bits.
func GenerateKey(opts ...KeyOption) (*Key, error) {
	c, err := newKeyConfig(opts)
	if err != nil {
		return nil, err
	}
	c.alg = cmp.Or(c.alg, DefaultAlgorithm)
	private, err := generate(c.alg)
	if err != nil {
		return nil, fmt.Errorf("jwtsign: %w", err)
	}
	return c.key(private)
}

func generate(alg string) (crypto.Signer, error) {
	switch alg {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return rsa.GenerateKey(rand.Reader, rsaBits)
}

// NewKey makes a key from a signer with an RSA key, an ECDSA key on P-256, P-384 or
// P-521, or an Ed25519 key, such as the private keys of the standard library or one
// in hardware. The public part must meet the requirements of [jwtauth.PublicKey].
func NewKey(private crypto.Signer, opts ...KeyOption) (*Key, error) {
	c, err := newKeyConfig(opts)
	if err != nil {
		return nil, err
	}
	return c.key(private)
}

// key makes the key as configured.
func (c *keyConfig) key(private crypto.Signer) (*Key, error) {
	if isnil.Value(private) {
		return nil, errors.New("jwtsign: the private key is nil")
	}
	public := private.Public()
	if _, rsa := public.(*rsa.PublicKey); rsa && c.alg == "" {
		return nil, errors.New("jwtsign: an RSA key does not name its algorithm: set it with WithAlgorithm, usually RS256 or PS256")
	}
	made, err := jwtauth.PublicKey("", c.alg, public)
	if err != nil {
		return nil, fmt.Errorf("jwtsign: %w", err)
	}
	made, err = jwtauth.PublicKey(made.Thumbprint(), c.alg, public)
	if err != nil {
		return nil, fmt.Errorf("jwtsign: %w", err)
	}
	if c.development {
		made = made.ForDevelopment()
	}
	return &Key{alg: jws.Lookup(made.Algorithm()), private: private, public: made}, nil
}

// ID returns the kid of the key: the SHA-256 thumbprint of its public part in
// base64url (RFC 7638).
func (k *Key) ID() string { return k.public.ID() }

// Algorithm returns the only algorithm of the key.
func (k *Key) Algorithm() string { return k.alg.String() }

// Development reports whether the key is a development key ([WithDevelopment]).
func (k *Key) Development() bool { return k.public.Development() }

// Public returns the public key.
func (k *Key) Public() *jwtauth.Key { return k.public }
