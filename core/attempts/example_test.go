package attempts_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

func Example() {
	passwords := basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if user != "erin" || password != "open sesame" {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	})
	limiter, err := attempts.New(attempts.WithAddressBudget(10, time.Minute, 2))
	if err != nil {
		fmt.Println(err)
		return
	}
	scheme, err := basic.New("reports", passwords)
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAttemptLimiter(limiter),
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		fmt.Println(err)
		return
	}
	reports := httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	for _, password := range []string{"open sesame", "guess", "guess again", "open sesame"} {
		r := httptest.NewRequest("GET", "/reports", nil)
		r.SetBasicAuth("erin", password)
		w := httptest.NewRecorder()
		reports.ServeHTTP(w, r)
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Retry-After"))
	}
	// Output:
	// 204 ""
	// 401 ""
	// 401 ""
	// 429 "6"
}
