package bearer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// tokenTable knows its tokens by heart, as a service with opaque tokens would
// look them up in its store.
type tokenTable map[string]string

func (t tokenTable) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	id, ok := t[token]
	if !ok {
		return nil, &core.CredentialError{Reason: core.ReasonUnknownPrincipal, Description: "The access token is not known"}
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: id})
}

func ExampleNew() {
	scheme, err := bearer.New("api", tokenTable{"s3cr3t": "alice"})
	if err != nil {
		panic(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		panic(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello ", httpauth.Principal(r).ID())
	})
	server := httpauth.Authenticate(guard)(hello)

	for _, field := range []string{"", "Bearer wrong", "Bearer s3cr3t"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if field != "" {
			r.Header.Set("Authorization", field)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			fmt.Println(w.Code, w.Body)
		} else {
			fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
		}
	}
	// Output:
	// 401 Bearer realm="api"
	// 401 Bearer realm="api", error="invalid_token", error_description="The access token is not known"
	// 200 hello alice
}
