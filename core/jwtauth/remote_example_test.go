package jwtauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
)

func ExampleFetch() {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, keyFile)
	}))
	defer issuer.Close()

	keys, err := jwtauth.Fetch(issuer.URL + "/jwks.json")
	if err != nil {
		panic(err)
	}
	defer keys.Close()
	if err := keys.Ready(context.Background()); err != nil {
		panic(err)
	}
	found, err := keys.Keys(context.Background(), "2026-11")
	fmt.Println(len(found), found[0].Algorithm(), err)
	// Output:
	// 1 EdDSA <nil>
}

func ExampleNewIssuers() {
	verifier := func(issuer, audience string) *jwtauth.Verifier {
		keys, err := jwtauth.KeySetFromJWKS("keys.json", []byte(keyFile))
		if err != nil {
			panic(err)
		}
		v, err := jwtauth.New(keys, jwtauth.WithIssuer(issuer), jwtauth.WithAudience(audience))
		if err != nil {
			panic(err)
		}
		return v
	}
	tokens, err := jwtauth.NewIssuers(
		verifier("https://staff.example", "reports"),
		verifier("https://partners.example", "reports-for-partners"))
	if err != nil {
		panic(err)
	}
	_, err = tokens.VerifyToken(context.Background(), "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.AAAA")
	var bad *core.CredentialError
	fmt.Println(errors.As(err, &bad), bad.Reason)
	fmt.Println(bad.Err)
	// Output:
	// true wrong_issuer
	// jwtauth: iss is "https://evil.example", which is not one of ours
}

func ExampleWithRevocation() {
	keys, err := jwtauth.KeySetFromJWKS("keys.json", []byte(keyFile))
	if err != nil {
		panic(err)
	}
	list, err := revoke.New()
	if err != nil {
		panic(err)
	}
	_, err = jwtauth.New(keys, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports"),
		jwtauth.WithAccessTokenProfile(), jwtauth.WithRevocation(list))
	fmt.Println(err)
	// Output:
	// <nil>
}
