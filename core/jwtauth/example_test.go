package jwtauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// keyFile is an issuer's published key set.
const keyFile = `{"keys": [{
	"kty": "OKP", "crv": "Ed25519", "kid": "2026-11",
	"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
}]}`

func ExampleNew() {
	keys, err := jwtauth.KeySetFromJWKS("keys.json", []byte(keyFile))
	if err != nil {
		panic(err)
	}
	verifier, err := jwtauth.New(keys,
		jwtauth.WithIssuer("https://issuer.example"),
		jwtauth.WithAudience("reports"))
	if err != nil {
		panic(err)
	}
	scheme, err := bearer.New("reports", verifier)
	if err != nil {
		panic(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) {
		fmt.Println("reason:", e.Reason)
	})))
	if err != nil {
		panic(err)
	}
	server := httpauth.Authenticate(guard)(http.NotFoundHandler())

	r := httptest.NewRequest(http.MethodGet, "/reports", nil)
	r.Header.Set("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	fmt.Println(w.Code)
	fmt.Println(w.Header().Get("WWW-Authenticate"))
	// Output:
	// reason: bad_algorithm
	// 401
	// Bearer realm="reports", error="invalid_token", error_description="The access token was signed with an algorithm that is not accepted"
}

func ExampleVerifier_VerifyToken() {
	key, err := jwtauth.HMACKey("", "HS256", []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	keys, err := jwtauth.NewKeySet(key)
	if err != nil {
		panic(err)
	}
	now := time.Unix(1800000000, 0)
	verifier, err := jwtauth.New(keys,
		jwtauth.WithIssuer("https://issuer.example"),
		jwtauth.WithAudience("reports"),
		jwtauth.WithRoles("realm_access.roles"),
		jwtauth.WithClock(func() time.Time { return now }))
	if err != nil {
		panic(err)
	}

	const token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoicmVwb3J0cyIsInN1YiI6ImFsaWNlIiwiZXhwIjoxODAwMDAwMDYwLCJyZWFsbV9hY2Nlc3MiOnsicm9sZXMiOlsiZWRpdG9yIl19fQ.N-OcnfxErfm9PkV08tRcshL-Bh2bOihRnavo1bNoNos"
	p, err := verifier.VerifyToken(context.Background(), token)
	if err != nil {
		panic(err)
	}
	fmt.Println(p.ID(), slices.Collect(p.Roles()))

	now = now.Add(time.Hour)
	_, err = verifier.VerifyToken(context.Background(), token)
	var bad *core.CredentialError
	fmt.Println(errors.As(err, &bad), bad.Reason, "/", bad.Description)
	// Output:
	// alice [editor]
	// true expired / The access token expired
}

func ExampleKeySetFromJWKS() {
	_, err := jwtauth.KeySetFromJWKS("keys.json", []byte(`{"keys": [
		{"kty": "oct", "kid": "old", "alg": "HS256", "k": "c2VjcmV0"}
	]}`))
	fmt.Println(err)
	// Output:
	// keys.json: key 1 (kid "old"): secret of 6 bytes is too short for HS256: must have at least 32 random bytes (RFC 7518 §3.2)
}
