package jwtsign_test

import (
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

func Example() {
	key, err := jwtsign.GenerateKey() // in a service: jwtsign.OpenPEM("signing.pem")
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("reports"))
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := signer.Sign(jwtsign.Token{Subject: "erin", Roles: []string{"editor"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens, err := jwtauth.New(signer, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports"), jwtauth.WithAccessTokenProfile())
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := tokens.VerifyToken(context.Background(), token)
	fmt.Println(p.ID(), p.HasRole("editor"), err)
	// Output: erin true <nil>
}
