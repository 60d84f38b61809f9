package jwtauth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/keymark"
)

var errSecret = errors.New("a secret is never published: only the public part of a key pair is")

// MarshalJSON implements json.Marshaler. It returns the key as a JWK (RFC 7517 §4),
// with kty and its parameters, use, alg and, if the key has them, kid, issuer
// ([WithIssuerTemplate]) and the private members sallyport_development and
// sallyport_until. [KeySetFromJWKS] parses it into the same key. A secret is an
// error.
func (k *Key) MarshalJSON() ([]byte, error) {
	members := k.members()
	if members == nil {
		return nil, errSecret
	}
	members = append(members, `"use":"sig"`, fmt.Sprintf(`"alg":%q`, k.Algorithm()))
	for _, m := range [...]struct{ name, value string }{{"kid", k.id}, {"issuer", k.issuer}} {
		if m.value == "" {
			continue
		}
		text, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		members = append(members, fmt.Sprintf("%q:%s", m.name, text))
	}
	if k.development {
		members = append(members, `"`+keymark.Development+`":true`)
	}
	if !k.until.IsZero() {
		members = append(members, fmt.Sprintf(`%q:%d`, keymark.Until, k.until.Unix()))
	}
	return []byte("{" + strings.Join(members, ",") + "}"), nil
}

// MarshalJSON implements json.Marshaler. It returns the set as a JWK set (RFC 7517
// §5) with the keys in order. A set of secrets is an error.
func (s *KeySet) MarshalJSON() ([]byte, error) {
	keys := make([]string, len(s.all))
	for i, k := range s.all {
		text, err := k.MarshalJSON()
		if err != nil {
			return nil, err
		}
		keys[i] = string(text)
	}
	return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`), nil
}

// All returns the keys of the set in order.
func (s *KeySet) All() []*Key { return slices.Clone(s.all) }

// MarshalPEM returns the key as a PEM block PUBLIC KEY that [PEMKey] can parse.
// Lines before the block, which other parsers skip, name its algorithm and say
// whether it is a development key. A secret is an error.
func (k *Key) MarshalPEM() ([]byte, error) {
	if k.key.Public() == nil {
		return nil, errSecret
	}
	der, err := x509.MarshalPKIXPublicKey(k.key.Public())
	if err != nil {
		return nil, err
	}
	return append(keymark.BeforePEM(k.Algorithm(), k.development), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...), nil
}

// Thumbprint returns the SHA-256 thumbprint of a public key in base64url (RFC 7638
// §3), by which a token's cnf.jkt names the key that it is bound to (RFC 9449
// §6.1). It returns "" for a secret, whose thumbprint must not be shown.
func (k *Key) Thumbprint() string {
	members := k.members()
	if members == nil {
		return ""
	}
	sum := sha256.Sum256([]byte("{" + strings.Join(members, ",") + "}"))
	return encode(sum[:])
}

// members returns the required members of the JWK sorted by name, as used for a
// thumbprint (RFC 7638 §3.2, RFC 8037 §2); nil for a secret.
func (k *Key) members() []string {
	member := func(name, value string) string { return fmt.Sprintf("%q:%q", name, value) }
	switch key := k.key.Public().(type) {
	case *rsa.PublicKey:
		return []string{member("e", encode(big.NewInt(int64(key.E)).Bytes())), member("kty", "RSA"), member("n", encode(key.N.Bytes()))}
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			return nil
		}
		half := len(point) / 2
		return []string{member("crv", key.Params().Name), member("kty", "EC"), member("x", encode(point[1:1+half])), member("y", encode(point[1+half:]))}
	case ed25519.PublicKey:
		return []string{member("crv", "Ed25519"), member("kty", "OKP"), member("x", encode(key))}
	}
	return nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
