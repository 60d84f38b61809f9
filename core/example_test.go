package core_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// tokens is gate one: it determines who the client is. Package jwtauth verifies JSON Web
// Tokens.
type tokens map[string]core.PrincipalInfo

func (t tokens) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	info, ok := t[token]
	if !ok {
		return nil, &core.CredentialError{Reason: core.ReasonUnknownPrincipal, Description: "The access token is not known"}
	}
	return core.NewPrincipal(info)
}

// readers is gate two: it decides what a principal may do. Package casbinrules reads policy
// files, and package rule has rules for roles and scopes.
type readers struct{}

func (readers) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	return core.Decision{Allowed: p.HasRole("editor") || a.Action == "GET"}, nil
}

// A guard has both gates. An unknown client gets 401 with a challenge; a known principal
// whom the authorizer refuses gets 403.
func Example() {
	scheme, err := bearer.New("reports", tokens{
		"t1": {ID: "erin", Roles: []string{"editor"}},
		"t2": {ID: "sam"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme},
		core.WithAuthorizer(readers{}),
		core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler))))
	if err != nil {
		fmt.Println(err)
		return
	}
	// The adapters for Gin, Fiber and Echo have the same names.
	app := httpauth.Authorize(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := core.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "%s may", p.ID())
	}))

	for _, try := range []struct{ method, token string }{
		{"GET", ""}, {"GET", "guessed"}, {"GET", "t2"}, {"DELETE", "t2"}, {"DELETE", "t1"},
	} {
		r := httptest.NewRequest(try.method, "/reports/7", nil)
		if try.token != "" {
			r.Header.Set("Authorization", "Bearer "+try.token)
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(try.method, w.Code, w.Header().Values("WWW-Authenticate"))
	}
	// Output:
	// GET 401 [Bearer realm="reports"]
	// GET 401 [Bearer realm="reports", error="invalid_token", error_description="The access token is not known"]
	// GET 200 []
	// DELETE 403 []
	// DELETE 200 []
}
