package jwtauth

import (
	"crypto/rsa"
	"slices"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/jws"
)

// maxProofRSABits bounds the work that a key of the client's choice causes.
const maxProofRSABits = 4096

// Proof is the content of a proof of possession. Its sender made it, so it does not
// say who the sender is.
type Proof struct {
	// Thumbprint names the key that signed (see [Key.Thumbprint]).
	Thumbprint string
	// Claims are the signed claims as decoded, all of them unchecked. Names are
	// compared exactly; a number is a float64, or a json.Number where float64 would
	// turn one integer into another.
	Claims map[string]any
}

// VerifyProof verifies a JWS in compact form with the public key in its own header
// (jwk, RFC 7515 §4.1.3), such as a DPoP proof (RFC 9449 §4.2). It is parsed as
// strictly as a token. Anyone can make one: it proves nothing beyond "I have this
// key, and I signed this".
//
// The header's typ must be exactly typ and its alg one of algs, all of them
// names of asymmetric algorithms; EdDSA and Ed25519 (RFC 9864) are one. The key must be usable as [KeySetFromJWKS]
// says, public only, fit for alg, and of at most 4096 bits if it is RSA. The
// caller bounds the length.
//
// A refused proof is a [core.CredentialError] without Code and Description, which
// the calling scheme adds.
func VerifyProof(jws, typ string, algs []string) (*Proof, error) {
	p, err := verifyProof(jws, typ, algs)
	if bad, ok := errtype.As[*core.CredentialError](err); ok {
		return nil, &core.CredentialError{Reason: bad.Reason, Err: bad.Err}
	}
	return p, err
}

func verifyProof(text, typ string, algs []string) (*Proof, error) {
	parts, err := split(text)
	if err != nil {
		return nil, err
	}
	m, err := decodeHeader(parts.header)
	if err != nil {
		return nil, err
	}
	h, err := headerOf(m)
	if err != nil {
		return nil, err
	}
	if m["typ"] != typ {
		return nil, refuse(core.ReasonMalformed, "header: typ is not %s", typ)
	}
	if !slices.ContainsFunc(algs, func(alg string) bool { return jws.Lookup(alg) == h.alg }) {
		return nil, refuse(core.ReasonBadAlgorithm, "header: algorithm %s is not one of %q", h.alg, algs)
	}
	key, err := proofKey(m, h.alg)
	if err != nil {
		return nil, err
	}
	signature, err := decodePart(parts.signature)
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "signature: %w", err)
	}
	if err := key.key.Verify(parts.signed, signature); err != nil {
		return nil, refuse(core.ReasonBadSignature, "%w", err)
	}
	c, err := decodeObject(parts.payload)
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "claims: %w", err)
	}
	return &Proof{Thumbprint: key.Thumbprint(), Claims: c}, nil
}

// proofKey returns the key in a header, bound to alg.
func proofKey(header map[string]any, alg *jws.Algorithm) (*Key, error) {
	members, ok := header["jwk"].(map[string]any)
	if !ok {
		return nil, refuse(core.ReasonMalformed, "header: jwk is missing or not an object")
	}
	if _, secret := members["k"]; secret || members["kty"] == "oct" {
		return nil, refuse(core.ReasonMalformed, "header: jwk holds a secret")
	}
	var r setReader
	if isRSA(alg) {
		r.rsaAlgorithm = alg.String()
	}
	key, err := r.key(members)
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "header: jwk: %w", err)
	}
	if key.key.Algorithm() != alg {
		return nil, refuse(core.ReasonBadAlgorithm, "header: algorithm %s does not fit jwk, which is for %s", alg, key.key.Algorithm())
	}
	if own, ok := key.key.Public().(*rsa.PublicKey); ok && own.N.BitLen() > maxProofRSABits {
		return nil, refuse(core.ReasonMalformed, "header: jwk: RSA key of %d bits, at most %d are accepted", own.N.BitLen(), maxProofRSABits)
	}
	return key, nil
}
