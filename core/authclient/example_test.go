package authclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authclient"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

// secondToken accepts only one token, so that the first is refused.
type secondToken struct{}

func (secondToken) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	if token != "token-2" {
		return nil, &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken}
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
}

// exampleService is a service behind real gates.
func exampleService() (*httptest.Server, error) {
	scheme, err := bearer.New("reports", secondToken{})
	if err != nil {
		return nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		return nil, err
	}
	welcome := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "welcome, %s", httpauth.Principal(r).ID())
	})
	mux := http.NewServeMux()
	mux.Handle("/me", httpauth.Authenticate(guard)(welcome))
	mux.Handle("/admin", httpauth.Require(guard, rule.Role("admin"))(welcome))
	return httptest.NewServer(mux), nil
}

func ExampleNew() {
	service, err := exampleService()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer service.Close()

	fetched := 0
	tokens, err := authclient.Bearer(func(context.Context) (string, time.Time, error) {
		fetched++
		return fmt.Sprintf("token-%d", fetched), time.Now().Add(time.Hour), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	transport, err := authclient.New(nil, tokens, []string{service.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: transport, Timeout: time.Minute}

	for _, path := range []string{"/me", "/admin"} {
		resp, err := client.Get(service.URL + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		err = authclient.Check(resp)
		var forbidden *authclient.ForbiddenError
		switch {
		case errors.As(err, &forbidden):
			fmt.Println("stop:", forbidden.Problem.Code)
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println(resp.StatusCode, "after", fetched, "tokens")
			_ = resp.Body.Close()
		}
	}
	// Output:
	// 200 after 2 tokens
	// stop: forbidden
}

func ExampleCheck() {
	w := httptest.NewRecorder()
	w.Header().Set("WWW-Authenticate", `Bearer realm="bank", error="insufficient_user_authentication", acr_values="mfa", max_age="300"`)
	w.WriteHeader(http.StatusUnauthorized)

	var step *authclient.StepUpError
	if errors.As(authclient.Check(w.Result()), &step) {
		fmt.Println("sign in with", step.ACRValues, "within the last", step.MaxAge)
	}
	// Output: sign in with [mfa] within the last 5m0s
}

func ExampleParseProblem() {
	p := authclient.ParseProblem("application/problem+json", []byte(`{"title":"Forbidden","status":403,"error":"plan_too_small","plans":["pro"]}`))
	fmt.Println(p.Code, string(p.Members["plans"]))
	// Output: plan_too_small ["pro"]
}
