package authtest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

// newApp is the application, which gets its guard as a parameter. It may as well be one on
// Gin, Fiber or Echo.
func newApp(guard *core.Guard) http.Handler {
	return httpauth.Require(guard, rule.Role("editor"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s", httpauth.Principal(r).ID())
	}))
}

// t is the testing.T of a test.
var t = new(exampleT)

// A test of a handler says which principal asks. No credentials are made or verified.
func Example() {
	for _, who := range []core.PrincipalInfo{
		{ID: "erin", Roles: []string{"editor"}},
		{ID: "sam"},
		{}, // nobody
	} {
		app := newApp(authtest.SignedIn(t, who))
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/reports", nil))
		fmt.Printf("%q %d\n", who.ID, w.Code)
	}
	// Output:
	// "erin" 200
	// "sam" 403
	// "" 401
}

// exampleT stands in for a testing.T, which an example does not have.
type exampleT struct{ testing.T }
