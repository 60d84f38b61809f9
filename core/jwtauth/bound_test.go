package jwtauth_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

const jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" // RFC 9449 §6.1

// boundClaims are good claims with a cnf.
func boundClaims(cnf string) string {
	return goodClaims[:len(goodClaims)-1] + `,"cnf":` + cnf + `}`
}

func TestBoundTokenNamesItsKey(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	token := hs256(t, boundClaims(`{"jkt":"`+jkt+`","extension":1}`))
	p, thumbprint, err := v.VerifyBoundToken(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != "alice" || p.Scheme() != "DPoP" || thumbprint != jkt {
		t.Errorf("%s by %s bound to %s", p.ID(), p.Scheme(), thumbprint)
	}
	wantReason(t, v, token, core.ReasonBadClaim) // B18: not a Bearer token
}

func TestTokenNotBoundToOneKeyIsRefused(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	for _, tc := range []struct{ name, claims string }{
		{"no cnf", goodClaims},
		{"null", boundClaims(`null`)},
		{"string", boundClaims(`"` + jkt + `"`)},
		{"empty", boundClaims(`{}`)},
		{"jkt null", boundClaims(`{"jkt":null}`)},
		{"jkt number", boundClaims(`{"jkt":1}`)},
		{"jkt empty", boundClaims(`{"jkt":""}`)},
		{"jkt array", boundClaims(`{"jkt":["` + jkt + `"]}`)},
		{"JKT", boundClaims(`{"JKT":"` + jkt + `"}`)},
		{"padded", boundClaims(`{"jkt":"` + jkt + `="}`)},
		{"a byte short", boundClaims(`{"jkt":"` + jkt[:42] + `"}`)},
		{"stray bits", boundClaims(`{"jkt":"` + jkt[:42] + `J"}`)},
		{"standard base64", boundClaims(`{"jkt":"0ZcOCORZNYy+DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`)},
		{"a certificate too", boundClaims(`{"jkt":"` + jkt + `","x5t#S256":"` + jkt + `"}`)},
		{"a whole key too", boundClaims(`{"jkt":"` + jkt + `","jwk":{"kty":"EC"}}`)},
		{"expired", `{"iss":"https://issuer.example","aud":"reports","sub":"alice","exp":1,"cnf":{"jkt":"` + jkt + `"}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, thumbprint, err := v.VerifyBoundToken(context.Background(), hs256(t, tc.claims))
			var bad *core.CredentialError
			if !errors.As(err, &bad) || bad.Code != core.CodeInvalidToken || p != nil || thumbprint != "" {
				t.Errorf("%v, %q, %v", p, thumbprint, err)
			}
		})
	}
	forged := hs256(t, boundClaims(`{"jkt":"`+jkt+`"}`)) + "A"
	if p, _, err := v.VerifyBoundToken(context.Background(), forged); p != nil || err == nil {
		t.Errorf("a forged token gave %v, %v", p, err)
	}
}
