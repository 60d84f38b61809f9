package basic_test

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// A verifier with a single user. Real ones keep password hashes.
func ExampleNew() {
	verify := func(_ context.Context, user, password string) (*core.Principal, error) {
		right := subtle.ConstantTimeCompare([]byte(password), []byte("open sesame")) == 1
		switch {
		case user != "Aladdin":
			return nil, basic.ErrUnknownUser
		case !right:
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}
	scheme, err := basic.New("the cave", basic.VerifierFunc(verify))
	if err != nil {
		fmt.Println(err)
		return
	}
	quiet := core.LogObserver(slog.New(slog.DiscardHandler))
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(quiet))
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /treasure", httpauth.Authenticate(guard)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "welcome, %s", httpauth.Principal(r).ID())
		})))

	for _, password := range []string{"", "open barley", "open sesame"} {
		r := httptest.NewRequest(http.MethodGet, "/treasure", nil)
		if password != "" {
			r.SetBasicAuth("Aladdin", password)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			fmt.Println(w.Code, w.Body)
		} else {
			fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
		}
	}
	// Output:
	// 401 Basic realm="the cave", charset="UTF-8"
	// 401 Basic realm="the cave", charset="UTF-8"
	// 200 welcome, Aladdin
}

// A page with twenty images costs one password hash.
func ExampleNewCache() {
	hashes := 0
	expensive := func(_ context.Context, user, password string) (*core.Principal, error) {
		hashes++
		if user != "Aladdin" {
			return nil, basic.ErrUnknownUser
		}
		if subtle.ConstantTimeCompare([]byte(password), []byte("open sesame")) != 1 {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}
	users, err := basic.NewCache(basic.VerifierFunc(expensive), basic.WithCacheTTL(time.Minute))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 20 {
		if _, err := users.VerifyPassword(context.Background(), "Aladdin", "open sesame"); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("hashes:", hashes)

	// The cache goes where the verifier went.
	_, err = basic.New("the cave", users, basic.WithTLSRequired())
	fmt.Println(err)
	// Output:
	// hashes: 1
	// <nil>
}
