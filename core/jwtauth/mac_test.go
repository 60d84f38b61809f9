package jwtauth_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// MAC states are pooled: what one token leaves in one must not affect the next, nor a
// concurrent one.
func TestSecretsServeManyTokensAtOnce(t *testing.T) {
	for _, alg := range []string{"HS256", "HS384", "HS512"} {
		t.Run(alg, func(t *testing.T) {
			v := newVerifier(t, hmacSet(t, "", alg), jwtauth.WithCacheSize(0))
			var all sync.WaitGroup
			for g := range 4 {
				all.Go(func() {
					for n := range 50 {
						claims := with(fmt.Sprintf(`"jti":"%d-%d"`, g, n), `"x":"`+strings.Repeat("x", n*n)+`"`)
						good := sign(t, alg, secret, headerOf(alg, ""), claims)
						dot := strings.LastIndexByte(good, '.')
						wantReason(t, v, good, "")
						wantReason(t, v, signParts(t, alg, []byte("not the secret"), good[:dot]), core.ReasonBadSignature)
						wantReason(t, v, good[:dot+1], core.ReasonBadSignature)
						wantReason(t, v, good[:dot+1]+part("short"), core.ReasonBadSignature)
					}
				})
			}
			all.Wait()
		})
	}
}

// The header of the last good token is cached; another token must not get it.
func TestHeadersAreTheTokensOwn(t *testing.T) {
	v := newVerifier(t, set(t, verificationKey(t, "a", "HS256"), verificationKey(t, "b", "HS384")),
		jwtauth.WithCacheSize(0), jwtauth.WithAlgorithms("HS256", "HS384"))
	for range 2 {
		for _, kid := range []string{"a", "b", "c"} {
			for _, alg := range []string{"HS256", "HS384", "HS512", "none"} {
				header := headerOf(alg, kid)
				good := kid == "a" && alg == "HS256" || kid == "b" && alg == "HS384"
				signed := part(header) + "." + part(goodClaims)
				for _, token := range []string{signParts(t, "HS256", secret, signed), signParts(t, "HS384", secret, signed)} {
					_, err := v.VerifyToken(t.Context(), token)
					fits := len(token)-len(signed) == map[string]int{"HS256": 44, "HS384": 65}[alg]
					if (err == nil) != (good && fits) {
						t.Errorf("header %s, signature of %d: %v", header, len(token)-len(signed)-1, err)
					}
				}
			}
		}
	}
}
