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

// One responder for programs, the command line and people.
func ExampleNew() {
	answers, err := respond.New(
		respond.WithSignInRedirect("/login"),
		respond.WithContact("the office", "mailto:office@example.com"),
		respond.WithTexts(respond.English(), respond.German()))
	if err != nil {
		panic(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{&auth{err: core.ErrNoCredentials}}, core.WithResponder(answers))
	if err != nil {
		panic(err)
	}
	app := httpauth.Authenticate(guard)(http.NotFoundHandler())
	for _, header := range []http.Header{
		{"Accept": {"*/*"}},
		{"Accept": {"text/plain"}},
		{"Accept": {"text/html,*/*;q=0.8"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}},
		{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"cors"}, "Accept-Language": {"de-AT, en;q=0.5"}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/reports?year=2026", nil)
		r.Header = header
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		h := w.Header()
		fmt.Println(w.Code, h.Get("Location")+h.Get("Content-Type"), h.Get("Content-Language") == "de")
	}
	// Output:
	// 401 application/problem+json false
	// 401 text/plain; charset=utf-8 false
	// 303 /login?return_to=%2Freports%3Fyear%3D2026 false
	// 401 text/html; charset=utf-8 true
}

// A sign-in page sends people back to where they came from, and nowhere else.
func ExampleReturnTo() {
	for _, s := range []string{"/reports?year=2026", "https://evil.example/", "//evil.example", `/\evil.example`, ""} {
		fmt.Println(respond.ReturnTo(s))
	}
	// Output:
	// /reports?year=2026
	// /
	// /
	// /
	// /
}
