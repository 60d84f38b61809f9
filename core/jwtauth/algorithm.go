package jwtauth

import (
	"crypto/rsa"

	"github.com/golang-jwt/jwt/v5"
)

// canonical is the name under which an algorithm is compared: EdDSA with the one
// curve there is here has a name of its own, too (RFC 9864 §2.2).
func canonical(alg string) string {
	if alg == "Ed25519" {
		return "EdDSA"
	}
	return alg
}

// method is golang-jwt's implementation of an algorithm, nil for one that is
// not supported, of which "none" is one in every spelling.
func method(alg string) jwt.SigningMethod {
	switch canonical(alg) {
	case "HS256":
		return jwt.SigningMethodHS256
	case "HS384":
		return jwt.SigningMethodHS384
	case "HS512":
		return jwt.SigningMethodHS512
	case "RS256":
		return jwt.SigningMethodRS256
	case "RS384":
		return jwt.SigningMethodRS384
	case "RS512":
		return jwt.SigningMethodRS512
	case "PS256":
		return strictPSS(jwt.SigningMethodPS256)
	case "PS384":
		return strictPSS(jwt.SigningMethodPS384)
	case "PS512":
		return strictPSS(jwt.SigningMethodPS512)
	case "ES256":
		return jwt.SigningMethodES256
	case "ES384":
		return jwt.SigningMethodES384
	case "ES512":
		return jwt.SigningMethodES512
	case "EdDSA":
		return jwt.SigningMethodEdDSA
	}
	return nil
}

// strictPSS is m with salts of the hash's length only (RFC 7518 §3.5); the
// library takes any length.
func strictPSS(m *jwt.SigningMethodRSAPSS) jwt.SigningMethod {
	return &jwt.SigningMethodRSAPSS{
		SigningMethodRSA: m.SigningMethodRSA,
		Options:          m.Options,
		VerifyOptions:    &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash},
	}
}
