package jwtauth

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/jws"
	"github.com/sallyport-go/sallyport/core/internal/once"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
	"github.com/sallyport-go/sallyport/core/option"
)

// maxSetSize is the maximum size of a JWK set in bytes.
const maxSetSize = 1 << 20

// KeySetOption configures how a JWK set is read.
type KeySetOption func(*setReader) error

// setReader reads JWK sets.
type setReader struct {
	rsaAlgorithm string
	set          once.Options
}

// WithRSAAlgorithm binds RSA keys that name no algorithm to alg, one of RS256 to
// RS512 and PS256 to PS512. Without it such a key is an error: a key is never valid
// for more than one algorithm.
func WithRSAAlgorithm(alg string) KeySetOption {
	return func(r *setReader) error {
		return r.set.Once("WithRSAAlgorithm", option.SetUnless(&r.rsaAlgorithm, alg, !isRSA(jws.Lookup(alg)), "algorithm %q is not one of RSA", alg))
	}
}

// OpenJWKS reads the file at path and parses it with [KeySetFromJWKS].
func OpenJWKS(path string, opts ...KeySetOption) (*KeySet, error) {
	if isURL(path) {
		return nil, fmt.Errorf("jwtauth: %.256q is a URL, not a file: use Fetch for the address of a set, or Discover for an issuer", quiet.Text(path))
	}
	data, err := bounded.File(path, maxSetSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, new(KeyFile).Absent(path)
	}
	if err != nil {
		return nil, fmt.Errorf("jwtauth: %w", err)
	}
	return KeySetFromJWKS(path, data, opts...)
}

// KeySetFromJWKS parses a JWK set (RFC 7517 §5) of at most 1 MiB. name, usually
// that of the file, is used in errors, which count keys from 1.
//
// Every key must be usable, or the set is refused: a key skipped silently would
// fail at request time. Its use and key_ops must allow verifying signatures, its
// kty and crv must be known, it must be strong enough for [HMACKey] or [PublicKey],
// and it must be bound to one algorithm: EC and OKP keys by their curve, others by
// alg. Duplicate members and the private part of a key pair are errors. Unknown
// members are ignored, and so are x5c, x5t and x5u.
func KeySetFromJWKS(name string, data []byte, opts ...KeySetOption) (*KeySet, error) {
	var r setReader
	if err := option.Apply(&r, opts); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	keys, err := r.parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	set, err := NewKeySet(keys...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return set, nil
}

func (r *setReader) parse(data []byte) ([]*Key, error) {
	elements, err := elementsOf(data, maxSetSize)
	if err != nil {
		return nil, err
	}
	keys := make([]*Key, len(elements))
	for i, e := range elements {
		members, ok := e.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("key %d is not an object", i+1)
		}
		if keys[i], err = r.key(members); err != nil {
			return nil, fmt.Errorf("key %d (kid %q): %w", i+1, keyID(members), err)
		}
	}
	return keys, nil
}

// elementsOf returns the elements of a JWK set of at most maxSize bytes.
func elementsOf(data []byte, maxSize int) ([]any, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("larger than %d bytes", maxSize)
	}
	switch {
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return nil, errors.New("this is PEM, not a JWK set: turn it into one with \"sallyport keys jwks\", or read a public key with KeySetFromPEM")
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")):
		return nil, errors.New("this is a page, not a JWK set: the address of the set is the jwks_uri in the issuer's metadata, which Discover finds, as does a configuration without jwks")
	}
	set, err := strictjson.Decode(string(data))
	if err != nil {
		return nil, fmt.Errorf("not a JWK set: %w", err)
	}
	if _, metadata := set["jwks_uri"]; metadata {
		return nil, errors.New("this is the metadata of an issuer, not a JWK set: use Discover with its issuer (leave out jwks in a configuration), or Fetch with its jwks_uri (jwks)")
	}
	if _, single := set["kty"]; single {
		return nil, errors.New(`this is a single key: put it into a set, {"keys": [ … ]}`)
	}
	list, ok := set["keys"].([]any)
	if !ok {
		return nil, errors.New(`not a JWK set: member "keys" is missing or not an array`)
	}
	return list, nil
}

// keyID returns the kid for a message, or "" if there is none that can be shown.
func keyID(members jwk) string {
	kid, _ := members["kid"].(string)
	if len(kid) > maxKeyID {
		return ""
	}
	return kid
}

// isURL reports whether what should be a path is an address.
func isURL(path string) bool {
	return strings.HasPrefix(path, "https://") || strings.HasPrefix(path, "http://")
}
