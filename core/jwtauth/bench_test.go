package jwtauth_test

import (
	"context"
	"testing"
)

const benchClaims = `{"iss":"https://issuer.example","aud":"reports","sub":"alice","exp":1800000060,"iat":1799999000,"scope":"reports:read","roles":["editor","viewer"]}`

func BenchmarkVerifyToken(b *testing.B) {
	for _, alg := range []string{"HS256", "ES256", "RS256", "EdDSA"} {
		b.Run(alg, func(b *testing.B) {
			v := newVerifier(b, set(b, verificationKey(b, "k1", alg)))
			token := sign(b, alg, signers()[alg], headerOf(alg, "k1"), benchClaims)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.VerifyToken(context.Background(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a token costs that has no good signature.
func BenchmarkRefuseToken(b *testing.B) {
	v := newVerifier(b, set(b, verificationKey(b, "k1", "HS256")))
	for name, token := range map[string]string{
		"malformed":     "not.a.token",
		"bad signature": sign(b, "HS256", []byte("another secret, just as long as ours"), headerOf("HS256", "k1"), benchClaims),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.VerifyToken(context.Background(), token); err == nil {
					b.Fatal("passed")
				}
			}
		})
	}
}
