package dpop_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

// FuzzProof sends arbitrary DPoP fields with a good token: only one valid proof passes,
// once, and the rest is 401 with one of the scheme's codes.
func FuzzProof(f *testing.F) {
	b := newBench(f, dpop.WithReplays(&store{fresh: true}))
	inform := newBench(f, dpop.WithNonces(time.Minute, nonceKey)).Scheme().Inform
	good := b.key.Sign(f, b.proof())
	for _, s := range []string{good, good + ".", "", "..", "a.b.c", good[:40], good + "," + good, " " + good} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		p, err := b.Authenticate(t.Context(), request("/reports", field))
		var bad *core.CredentialError
		switch {
		case err == nil && field != good:
			t.Errorf("%q passed for %v", field, p)
		case err != nil && (p != nil || !errors.As(err, &bad) || bad.Code != core.CodeInvalidProof && bad.Code != core.CodeInvalidToken):
			t.Errorf("%q: %v, %v", field, p, err)
		}
		inform(request("/reports", field), p, err)
	})
}

// FuzzClaims signs arbitrary claims: whatever passes describes the request.
func FuzzClaims(f *testing.F) {
	b := newBench(f, dpop.WithReplays(&store{fresh: true}))
	header := `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"` + b.key.JWK()["x"].(string) + `","y":"` + b.key.JWK()["y"].(string) + `"}}`
	f.Add(`{"jti":"1","htm":"GET","htu":"https://api.example/reports","iat":1800000000,"ath":"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}`)
	f.Add(`{"jti":"1","htm":"GET","htu":"https://api.example/reports","iat":1e308,"ath":null}`)
	f.Add(`{}`)
	f.Add(`[]`)
	f.Add(`{"iat":{},"jti":[],"htm":{"GET":1}}`)
	f.Fuzz(func(t *testing.T, claims string) {
		p, err := b.Authenticate(t.Context(), request("/reports", b.key.SignText(t, header, claims)))
		var bad *core.CredentialError
		if err != nil && (p != nil || !errors.As(err, &bad)) {
			t.Errorf("%q: %v, %v", claims, p, err)
		}
	})
}
