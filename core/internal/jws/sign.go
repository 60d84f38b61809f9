package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// Sign signs text with a key whose public part [NewKey] accepts for a. The key
// may be one that never leaves its hardware.
func (a *Algorithm) Sign(key crypto.Signer, text string) ([]byte, error) {
	switch a.family {
	case EdDSA:
		return key.Sign(rand.Reader, []byte(text), crypto.Hash(0))
	case PSS:
		options := *pssOptions
		options.Hash = a.hash
		return key.Sign(rand.Reader, a.digest(text), &options)
	case RSA:
		return key.Sign(rand.Reader, a.digest(text), a.hash)
	case ECDSA:
		der, err := key.Sign(rand.Reader, a.digest(text), a.hash)
		if err != nil {
			return nil, err
		}
		return a.fixedLength(der, key)
	}
	return nil, fmt.Errorf("%s is not for signing with a private key", a)
}

func (a *Algorithm) digest(text string) []byte { return a.appendDigest(nil, text) }

// fixedLength converts an ECDSA signature from DER to r and s, each as long as the field
// (RFC 7518 §3.4).
func (a *Algorithm) fixedLength(der []byte, key crypto.Signer) ([]byte, error) {
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a key of type %T does not fit %s", key.Public(), a)
	}
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &pair)
	size := fieldSize(public)
	if err != nil || len(rest) > 0 || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 || max(pair.R.BitLen(), pair.S.BitLen()) > 8*size {
		return nil, errors.New("the signer returned something other than an ECDSA signature in DER")
	}
	signature := make([]byte, 2*size)
	pair.R.FillBytes(signature[:size])
	pair.S.FillBytes(signature[size:])
	return signature, nil
}
