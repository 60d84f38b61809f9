package tokens_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/tokens"
)

func Example() {
	app, err := newApp()
	if err != nil {
		log.Fatal(err)
	}
	send := func(method, path, token, body string) (answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(strings.TrimSpace(fmt.Sprint(method, " ", path, " ", w.Code, " ", w.Header().Get("WWW-Authenticate"))))
		_ = json.Unmarshal(w.Body.Bytes(), &answer) // none in a refusal
		return answer
	}
	send("POST", "/login", "", `{"user": "erin", "password": "wrong"}`)
	first := send("POST", "/login", "", `{"user": "erin", "password": "erin-pass"}`)
	send("GET", "/reports", first.Access, "")
	second := send("POST", "/refresh", "", `{"refresh_token": "`+first.Refresh+`"}`)
	send("GET", "/reports", second.Access, "")
	send("POST", "/logout", "", `{"refresh_token": "`+second.Refresh+`"}`)
	send("POST", "/refresh", "", `{"refresh_token": "`+second.Refresh+`"}`)
	// Output:
	// POST /login 401 Bearer realm="reports"
	// POST /login 200
	// GET /reports 200
	// POST /refresh 200
	// GET /reports 200
	// POST /logout 204
	// POST /refresh 401 Bearer realm="reports"
}

func newApp() (http.Handler, error) {
	key, err := jwtsign.GenerateKey() // in a service: jwtsign.OpenPEM("signing.pem")
	if err != nil {
		return nil, err
	}
	signer, err := jwtsign.New(key, jwtsign.WithIssuer("https://api.example"), jwtsign.WithAudience("reports"))
	if err != nil {
		return nil, err
	}
	users := basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if user != "erin" || password != "erin-pass" { // in a service: htpasswd.OpenFile
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	})
	quiet := core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {}))
	signIn, err := tokens.New(signer, tokens.WithRealm("reports"), tokens.WithAnswers(quiet))
	if err != nil {
		return nil, err
	}
	verifier, err := jwtauth.New(signer, jwtauth.WithIssuer("https://api.example"), jwtauth.WithAudience("reports"), jwtauth.WithAccessTokenProfile())
	if err != nil {
		return nil, err
	}
	scheme, err := bearer.New("reports", verifier)
	if err != nil {
		return nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, quiet)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", httpauth.Serve(signIn.LoginEndpoint(users)))
	mux.Handle("POST /refresh", httpauth.Serve(signIn.RefreshEndpoint()))
	mux.Handle("POST /logout", httpauth.Serve(signIn.LogoutEndpoint()))
	mux.Handle("GET /reports", httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "reports") // the client has disconnected
	})))
	return mux, nil
}
