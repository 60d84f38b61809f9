package jwtauth_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
)

const benchClaims = `{"iss":"https://issuer.example","aud":"reports","sub":"alice","exp":1800000060,"iat":1799999000,"scope":"reports:read","roles":["editor","viewer"]}`

func BenchmarkVerifyToken(b *testing.B) {
	for _, alg := range []string{"HS256", "ES256", "RS256", "EdDSA"} {
		b.Run(alg, func(b *testing.B) {
			v := newVerifier(b, set(b, verificationKey(b, "k1", alg)), jwtauth.WithCacheSize(0))
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

// BenchmarkAuthenticate measures the Bearer scheme with new tokens and with a known one,
// by the real clock.
func BenchmarkAuthenticate(b *testing.B) {
	for _, alg := range []string{"HS256", "RS256", "ES256"} {
		keys := set(b, verificationKey(b, "k1", alg))
		fields := make([]string, 256) // more than the smallest cache holds
		for i := range fields {
			claims := fmt.Sprintf(`{"iss":"https://issuer.example","aud":"reports","sub":"alice","exp":%d,"iat":%d,"jti":"%d","scope":"reports:read","roles":["editor","viewer"]}`,
				time.Now().Add(12*time.Hour).Unix(), time.Now().Unix(), i)
			fields[i] = "Bearer " + sign(b, alg, signers()[alg], headerOf(alg, "k1"), claims)
		}
		for _, bc := range []struct {
			name   string
			cache  int
			fields []string
		}{
			{"first", 1, fields},
			{"cached", 4096, fields[:1]},
		} {
			b.Run(bc.name+"/"+alg, func(b *testing.B) {
				v, err := jwtauth.New(keys, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports"), jwtauth.WithCacheSize(bc.cache))
				if err != nil {
					b.Fatal(err)
				}
				a, err := bearer.New("reports", v)
				if err != nil {
					b.Fatal(err)
				}
				r := &authorization{}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					r.value = bc.fields[i%len(bc.fields)]
					if _, err := a.Authenticate(context.Background(), r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// authorization is a request with an Authorization field and nothing else.
type authorization struct {
	core.Request
	value string
}

func (a *authorization) Header(string) (string, int) { return a.value, 1 }

// BenchmarkRefuseToken measures a token with a bad signature.
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

// BenchmarkVerifyTokenAgain measures a cached token: with the keys in a set, at an
// address, with revocation, and beside another issuer.
func BenchmarkVerifyTokenAgain(b *testing.B) {
	fixed := set(b, verificationKey(b, "k1", "ES256"))
	revoked, err := revoke.New()
	if err != nil {
		b.Fatal(err)
	}
	p := new(published)
	p.serves(setOf(edKey("k1")))
	remote, err := jwtauth.Fetch(keysURL, jwtauth.WithTransport(p))
	if err != nil {
		b.Fatal(err)
	}
	defer remote.Close()
	if err := remote.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	es256 := sign(b, "ES256", signers()["ES256"], headerOf("ES256", "k1"), benchClaims)
	eddsa := sign(b, "EdDSA", edPrivate("k1"), headerOf("EdDSA", "k1"), benchClaims)
	other, err := jwtauth.New(fixed, jwtauth.WithIssuer(otherIssuer), jwtauth.WithAudience("reports"))
	if err != nil {
		b.Fatal(err)
	}
	both, err := jwtauth.NewIssuers(other, newVerifier(b, fixed))
	if err != nil {
		b.Fatal(err)
	}
	for _, bc := range []struct {
		name, token string
		v           bearer.TokenVerifier
	}{
		{"key set", es256, newVerifier(b, fixed)},
		{"remote keys", eddsa, newVerifier(b, remote)},
		{"revocation", es256, newVerifier(b, fixed, jwtauth.WithRevocation(revoked))},
		{"two issuers", es256, both},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bc.v.VerifyToken(context.Background(), bc.token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
