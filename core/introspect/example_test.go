package introspect_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/introspect"
)

func ExampleNew() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("token") != "2YotnFZFEjr1zCsicMWpAA" {
			fmt.Fprint(w, `{"active": false}`)
			return
		}
		fmt.Fprint(w, `{"active": true, "iss": "https://issuer.example", "aud": "reports", "sub": "alice", "scope": "read"}`)
	}))
	defer server.Close()

	tokens, err := introspect.New(server.URL, introspect.Secret("reports-api", "s3cr3t"),
		introspect.WithIssuer("https://issuer.example"), introspect.WithAudience("reports"))
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := tokens.VerifyToken(context.Background(), "2YotnFZFEjr1zCsicMWpAA")
	fmt.Println(p.ID(), p.HasScope("read"), err)

	_, err = tokens.VerifyToken(context.Background(), "revoked")
	var bad *core.CredentialError
	fmt.Println(errors.As(err, &bad), err)

	// Usually it is a scheme's verifier.
	_, err = bearer.New("reports", tokens)
	fmt.Println(err)
	// Output:
	// alice true <nil>
	// true inactive: introspect: the endpoint does not call the token active
	// <nil>
}
