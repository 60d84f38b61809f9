package jwttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for the algorithms on 256 bits
	_ "crypto/sha512" // for those on 384 and 512
	"fmt"
	"slices"
	"strings"
	"testing"
)

// noon is what the service's clock shows, in seconds since 1970.
const noon = 1_800_000_000

// What the service expects of a token.
const (
	issuer   = "https://issuer.example/realm"
	audience = "reports"
	subject  = "alice"
)

// claims is a good claims set. A member given takes the place of the good one
// of its name; one given without a value (`"exp"`) is left out.
func claims(members ...string) string {
	all := []string{
		`"iss":"` + issuer + `"`, `"aud":"` + audience + `"`, `"sub":"` + subject + `"`, fmt.Sprintf(`"exp":%d`, noon+60),
	}
	for _, m := range members {
		name, _, given := strings.Cut(m, ":")
		all = slices.DeleteFunc(all, func(have string) bool { return strings.HasPrefix(have, name+":") })
		if given {
			all = append(all, m)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

// header is a header for alg that names the issuer's key for it, with further
// members.
func header(alg string, members ...string) string {
	own := fmt.Sprintf(`"alg":%q,"typ":"JWT","kid":%q`, alg, kid(alg))
	return "{" + strings.Join(append([]string{own}, members...), ",") + "}"
}

// token is a token by the issuer's key for alg, header and claims spelt as
// given.
func (k *keys) token(t testing.TB, alg, header, claims string) string {
	t.Helper()
	return signed(t, alg, k.signing[alg], unsigned(header, claims))
}

// good is a good token by the issuer's key for alg.
func (k *keys) good(t testing.TB, alg string, members ...string) string {
	t.Helper()
	return k.token(t, alg, header(alg), claims(members...))
}

// unsigned is what of a token is signed (RFC 7515 §5.1).
func unsigned(header, claims string) string {
	return base64url([]byte(header)) + "." + base64url([]byte(claims))
}

func signed(t testing.TB, alg string, key any, text string) string {
	t.Helper()
	s, err := signature(alg, key, text)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64url(s)
}

// signature signs text as RFC 7518 §3 and RFC 8037 §3.1 say.
func signature(alg string, key any, text string) ([]byte, error) {
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
