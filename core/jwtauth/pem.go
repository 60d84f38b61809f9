package jwtauth

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/keymark"
)

// PEMKey makes a key from a PEM block, PUBLIC KEY or RSA PUBLIC KEY, which must be
// the only one in data. kid and alg are as for [PublicKey].
//
// Lines Algorithm and Use before the block, as written by [Key.MarshalPEM], give
// the algorithm if alg is "" and mark a development key.
//
// A private key is refused, since a verifier has no use for one. So is a
// certificate, since nothing here would check its dates and issuer.
func PEMKey(kid, alg string, data []byte) (*Key, error) {
	lines, data := keymark.InPEM(data)
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM block: one that begins with -----BEGIN PUBLIC KEY----- is needed")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("text after the first PEM block: put each key in a file of its own")
	}
	var key any
	var err error
	switch {
	case block.Type == "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("this is a private key; publish only the public part (openssl pkey -pubout)")
	case block.Type == "CERTIFICATE":
		return nil, errors.New("this is a certificate; take the public key out of it (openssl x509 -pubkey -noout)")
	default:
		return nil, fmt.Errorf("PEM block %q is not supported: PUBLIC KEY and RSA PUBLIC KEY are", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("PEM block %q: %w", block.Type, err)
	}
	made, err := PublicKey(kid, cmp.Or(alg, lines[keymark.Algorithm]), key)
	if err != nil {
		return nil, err
	}
	made.development = lines[keymark.Use] == keymark.ForDevelopment
	return made, nil
}

// KeySetFromPEM returns a set of the one key that [PEMKey] returns. name, usually
// that of the file, is used in errors.
//
// Give the key its kid if the issuer's tokens carry one: a token with a kid is
// verified by the key of that kid only.
func KeySetFromPEM(name, kid, alg string, data []byte) (*KeySet, error) {
	key, err := PEMKey(kid, alg, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return NewKeySet(key)
}
