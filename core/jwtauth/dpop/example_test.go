package dpop_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

// A service that accepts tokens bound to a key by DPoP, and all others by Bearer.
func ExampleNew() {
	keys, err := jwtauth.KeySetFromJWKS("keys.json", []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	if err != nil {
		panic(err)
	}
	verifier, err := jwtauth.New(keys, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports"))
	if err != nil {
		panic(err)
	}
	bound, err := dpop.New("reports", "https://api.example", verifier, dpop.WithAlgorithms("ES256", "EdDSA"))
	if err != nil {
		panic(err)
	}
	plain, err := bearer.New("reports", verifier)
	if err != nil {
		panic(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{bound, plain},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		panic(err)
	}
	server := httpauth.Authenticate(guard)(http.NotFoundHandler())

	for _, field := range []string{"", "DPoP eyJhbGciOiJFZERTQSJ9.e30.AA"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if field != "" {
			r.Header.Set("Authorization", field) // without a proof
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		fmt.Println(w.Code)
		for _, line := range w.Header().Values("WWW-Authenticate") {
			fmt.Println(line)
		}
	}
	// Output:
	// 401
	// DPoP realm="reports", algs="ES256 EdDSA"
	// Bearer realm="reports"
	// 401
	// DPoP realm="reports", error="invalid_dpop_proof", error_description="The request needs exactly one DPoP proof", algs="ES256 EdDSA"
	// Bearer realm="reports"
}
