// Package jws verifies the signatures of JSON Web Signatures with the standard
// library's cryptography.
package jws

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
)

// Family is the kind of key that an algorithm uses, and how.
type Family int

// The families of RFC 7518 §3 and RFC 8037 §3.1.
const (
	HMAC  Family = iota + 1 // a secret
	RSA                     // RSASSA-PKCS1-v1_5
	PSS                     // RSASSA-PSS, with salts as long as the hash
	ECDSA                   // on the curve of the algorithm
	EdDSA                   // Ed25519 alone
)

// Algorithm is a supported signature algorithm. There is one value of each, so
// that pointers to them can be compared.
type Algorithm struct {
	name   string
	family Family
	hash   crypto.Hash    // 0 for EdDSA
	curve  elliptic.Curve // of ECDSA
}

var algorithms = byName(
	&Algorithm{"HS256", HMAC, crypto.SHA256, nil},
	&Algorithm{"HS384", HMAC, crypto.SHA384, nil},
	&Algorithm{"HS512", HMAC, crypto.SHA512, nil},
	&Algorithm{"RS256", RSA, crypto.SHA256, nil},
	&Algorithm{"RS384", RSA, crypto.SHA384, nil},
	&Algorithm{"RS512", RSA, crypto.SHA512, nil},
	&Algorithm{"PS256", PSS, crypto.SHA256, nil},
	&Algorithm{"PS384", PSS, crypto.SHA384, nil},
	&Algorithm{"PS512", PSS, crypto.SHA512, nil},
	&Algorithm{"ES256", ECDSA, crypto.SHA256, elliptic.P256()},
	&Algorithm{"ES384", ECDSA, crypto.SHA384, elliptic.P384()},
	&Algorithm{"ES512", ECDSA, crypto.SHA512, elliptic.P521()},
	&Algorithm{"EdDSA", EdDSA, 0, nil},
)

func byName(all ...*Algorithm) map[string]*Algorithm {
	m := make(map[string]*Algorithm, len(all)+1)
	for _, a := range all {
		m[a.name] = a
	}
	m["Ed25519"] = m["EdDSA"] // an alias of EdDSA, restricted to this curve (RFC 9864 §2.2)
	return m
}

// Lookup returns the algorithm with a JWS name, or nil if it is not supported, such
// as "none" in any spelling.
func Lookup(name string) *Algorithm { return algorithms[name] }

// OfCurve returns the only algorithm for keys on a curve, or nil.
func OfCurve(curve elliptic.Curve) *Algorithm {
	for _, name := range [...]string{"ES256", "ES384", "ES512"} {
		if a := algorithms[name]; a.curve == curve {
			return a
		}
	}
	return nil
}

// String returns the algorithm's name; EdDSA for both of its names.
func (a *Algorithm) String() string { return a.name }

// Family returns the kind of key that the algorithm uses.
func (a *Algorithm) Family() Family { return a.family }

// HashSize returns the length of the algorithm's hash in bytes; 0 for EdDSA.
func (a *Algorithm) HashSize() int {
	if a.hash == 0 {
		return 0
	}
	return a.hash.Size()
}

// appendDigest appends the hash of text to dst.
func (a *Algorithm) appendDigest(dst []byte, text string) []byte {
	var room [1024]byte // large enough for most tokens, and stays on the stack
	b := append(room[:0], text...)
	switch a.hash {
	case crypto.SHA256:
		sum := sha256.Sum256(b)
		return append(dst, sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(b)
		return append(dst, sum[:]...)
	}
	sum := sha512.Sum512(b)
	return append(dst, sum[:]...)
}
