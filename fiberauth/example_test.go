package fiberauth_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/fiberauth"
)

// tokens has its tokens in memory; a service with opaque tokens would look them up in its
// store. Package jwtauth verifies JSON Web Tokens.
type tokens map[string]core.PrincipalInfo

func (t tokens) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	info, ok := t[token]
	if !ok {
		return nil, &core.CredentialError{Reason: core.ReasonUnknownPrincipal, Description: "The access token is not known"}
	}
	return core.NewPrincipal(info)
}

// Without credentials the answer is 401 with a challenge, and without the role it
// is 403. The handler runs for neither.
func Example() {
	// Without an observer of its own a guard logs each verdict.
	quiet := core.LogObserver(slog.New(slog.DiscardHandler))
	scheme, err := bearer.New("reports", tokens{
		"t1": {ID: "erin", Roles: []string{"editor"}},
		"t2": {ID: "sam"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(quiet))
	if err != nil {
		fmt.Println(err)
		return
	}
	app := fiber.New()
	app.Get("/reports", fiberauth.Require(guard, rule.Role("editor")), func(c *fiber.Ctx) error {
		return c.SendString(fiberauth.Principal(c).ID() + " may read")
	})

	for _, token := range []string{"", "t1", "t2"} {
		r := httptest.NewRequest(http.MethodGet, "/reports", nil)
		who := "nobody"
		if token != "" {
			who = token
			r.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := app.Test(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			fmt.Println(err)
			return
		}
		if resp.StatusCode == http.StatusOK {
			fmt.Printf("%s: %d %s\n", who, resp.StatusCode, body)
		} else {
			fmt.Println(who+":", resp.StatusCode, resp.Header.Values("WWW-Authenticate"))
		}
	}
	// Output:
	// nobody: 401 [Bearer realm="reports"]
	// t1: 200 erin may read
	// t2: 403 []
}
