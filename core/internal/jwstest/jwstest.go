// Package jwstest creates signatures for tests, by RFC 7518 §3 and RFC 8037 §3.1. It shares
// no code with the verification.
package jwstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for the algorithms on 256 bits
	_ "crypto/sha512" // for those on 384 and 512
)

// Sign signs text by the named algorithm. The key is a []byte, an *rsa.PrivateKey, an
// *ecdsa.PrivateKey or an ed25519.PrivateKey, depending on the algorithm.
func Sign(alg string, key any, text string) ([]byte, error) {
	if alg == "EdDSA" || alg == "Ed25519" {
		return ed25519.Sign(key.(ed25519.PrivateKey), []byte(text)), nil
	}
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	if alg[:2] == "HS" {
		mac := hmac.New(hash.New, key.([]byte))
		mac.Write([]byte(text))
		return mac.Sum(nil), nil
	}
	h := hash.New()
	h.Write([]byte(text))
	digest := h.Sum(nil)
	switch alg[:2] {
	case "RS":
		return rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), hash, digest)
	case "PS":
		return rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	own := key.(*ecdsa.PrivateKey)
	r, s, err := ecdsa.Sign(rand.Reader, own, digest)
	if err != nil {
		return nil, err
	}
	size := (own.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
}
