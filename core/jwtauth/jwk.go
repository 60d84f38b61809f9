package jwtauth

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/internal/keymark"
)

// jwk holds the members of a JSON Web Key (RFC 7517 §4).
type jwk = map[string]any

// key makes a key from its members, including those that are private to this
// project.
func (r *setReader) key(m jwk) (*Key, error) {
	k, err := r.standard(m)
	if err != nil {
		return nil, err
	}
	if v, ok := m[keymark.Development]; ok {
		if k.development, ok = v.(bool); !ok {
			return nil, errors.New(keymark.Development + " is neither true nor false")
		}
	}
	if k.issuer, err = optional(m, "issuer"); err != nil {
		return nil, err
	}
	until, _, err := claims.Date(m, keymark.Until)
	if err != nil {
		return nil, err
	}
	return k.EndingAt(until), nil
}

// standard makes a key from the members that RFC 7517 and RFC 7518 define.
func (r *setReader) standard(m jwk) (*Key, error) {
	if err := checkUse(m); err != nil {
		return nil, err
	}
	kid, err := optional(m, "kid")
	if err != nil {
		return nil, err
	}
	alg, err := optional(m, "alg")
	if err != nil {
		return nil, err
	}
	kty, err := required(m, "kty")
	if err != nil {
		return nil, err
	}
	if kty == "oct" {
		return octKey(m, kid, alg)
	}
	for _, name := range [...]string{"d", "p", "q", "dp", "dq", "qi", "oth"} {
		if _, ok := m[name]; ok {
			return nil, errors.New("this is a private key; publish only the public part")
		}
	}
	switch kty {
	case "RSA":
		alg = cmp.Or(alg, r.rsaAlgorithm)
		return rsaJWK(m, kid, alg)
	case "EC":
		return ecJWK(m, kid, alg)
	case "OKP":
		return okpJWK(m, kid, alg)
	}
	return nil, fmt.Errorf("kty %.64q is not supported: RSA, EC, OKP and oct are", kty)
}

// checkUse refuses keys whose use (RFC 7517 §4.2) or key_ops (§4.3) excludes
// verifying signatures.
func checkUse(m jwk) error {
	use, err := optional(m, "use")
	if err != nil {
		return err
	}
	if use != "" && use != "sig" {
		return fmt.Errorf("use is %.64q: only keys for signatures (sig) belong here", use)
	}
	v, ok := m["key_ops"]
	if !ok {
		return nil
	}
	ops, ok := v.([]any)
	if !ok {
		return errors.New("key_ops is not an array")
	}
	for i, op := range ops {
		if op != "verify" && op != "sign" {
			return fmt.Errorf("key_ops element %d is neither verify nor sign: the key is not for signatures alone", i+1)
		}
		if slices.Contains(ops[:i], op) {
			return fmt.Errorf("key_ops has %v twice", op)
		}
	}
	if !slices.Contains(ops, any("verify")) {
		return errors.New("key_ops does not have verify")
	}
	return nil
}

func octKey(m jwk, kid, alg string) (*Key, error) {
	if alg == "" {
		return nil, errors.New("alg is missing: a secret needs HS256, HS384 or HS512")
	}
	secret, err := octets(m, "k")
	if err != nil {
		return nil, err
	}
	return HMACKey(kid, alg, secret)
}

func rsaJWK(m jwk, kid, alg string) (*Key, error) {
	n, err := octets(m, "n")
	if err != nil {
		return nil, err
	}
	e, err := octets(m, "e")
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, errors.New("e is too large: must be at most 2^31-1")
	}
	return PublicKey(kid, alg, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())})
}

// ecJWK requires both coordinates in full length (RFC 7518 §6.2.1.2).
func ecJWK(m jwk, kid, alg string) (*Key, error) {
	crv, err := required(m, "crv")
	if err != nil {
		return nil, err
	}
	var curve elliptic.Curve
	switch crv {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, fmt.Errorf("crv %.64q is not supported: P-256, P-384 and P-521 are", crv)
	}
	size := (curve.Params().BitSize + 7) / 8
	point := []byte{4} // uncompressed
	for _, name := range [...]string{"x", "y"} {
		b, err := octets(m, name)
		if err != nil {
			return nil, err
		}
		if len(b) != size {
			return nil, fmt.Errorf("%s has %d bytes: %s has %d", name, len(b), crv, size)
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, fmt.Errorf("x and y are not a point of %s: %w", crv, err)
	}
	return PublicKey(kid, alg, key)
}

// okpJWK parses the signing keys of RFC 8037.
func okpJWK(m jwk, kid, alg string) (*Key, error) {
	crv, err := required(m, "crv")
	if err != nil {
		return nil, err
	}
	if crv != "Ed25519" {
		return nil, fmt.Errorf("crv %.64q is not supported: Ed25519 is", crv)
	}
	x, err := octets(m, "x")
	if err != nil {
		return nil, err
	}
	return PublicKey(kid, alg, ed25519.PublicKey(x))
}

// optional returns a string member, or "" if it is missing. An empty string is
// refused as meaningless.
func optional(m jwk, name string) (string, error) {
	v, ok := m[name]
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return "", fmt.Errorf("%s is empty or not a string", name)
	}
	return s, nil
}

func required(m jwk, name string) (string, error) {
	s, err := optional(m, name)
	if err == nil && s == "" {
		err = fmt.Errorf("%s is missing", name)
	}
	return s, err
}

// octets decodes a member in base64url without padding.
func octets(m jwk, name string) ([]byte, error) {
	s, err := required(m, name)
	if err != nil {
		return nil, err
	}
	b, err := decodePart(s)
	if err != nil {
		return nil, fmt.Errorf("%s is not base64url without padding: %w", name, err)
	}
	return b, nil
}
