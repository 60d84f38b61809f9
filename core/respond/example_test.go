package respond_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/respond"
)

func ExampleNegotiate() {
	guard, err := core.NewGuard([]core.Authenticator{&auth{err: core.ErrNoCredentials}},
		core.WithResponder(respond.Negotiate(respond.Problem(), respond.JSON(), respond.Text())))
	if err != nil {
		panic(err)
	}
	app := httpauth.Authenticate(guard)(http.NotFoundHandler())
	for _, accept := range []string{"*/*", "application/json", "text/plain", "image/png"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(accept, "→", w.Code, w.Header().Get("Content-Type"))
		fmt.Print(w.Body)
	}
	// Output:
	// */* → 401 application/problem+json
	// {"title":"Unauthorized","status":401,"detail":"Sign in to use this resource.","error":"authentication_required"}
	// application/json → 401 application/json
	// {"error":"authentication_required","message":"Sign in to use this resource."}
	// text/plain → 401 text/plain; charset=utf-8
	// Sign in to use this resource.
	// image/png → 401 application/problem+json
	// {"title":"Unauthorized","status":401,"detail":"Sign in to use this resource.","error":"authentication_required"}
}
