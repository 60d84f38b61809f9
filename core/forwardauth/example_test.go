package forwardauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/proxy"
)

func Example() {
	guard, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(new(authtest.Recorder)))
	if err != nil {
		fmt.Println(err)
		return
	}
	gate, err := guard.Authenticate()
	if err != nil {
		fmt.Println(err)
		return
	}
	proxies, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("10.1.2.0/28")})
	if err != nil {
		fmt.Println(err)
		return
	}
	service, err := forwardauth.New(gate, proxies, forwardauth.Nginx())
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/check", httpauth.Serve(service.Check))
	mux.Handle("/refusal", httpauth.Serve(service.Refusal))

	for _, authorization := range []string{"Name alice auditor,clerk", ""} {
		r := httptest.NewRequest("GET", "/check", nil)
		r.RemoteAddr = "10.1.2.3:41000"
		r.Header.Set("X-Original-Method", "GET")
		r.Header.Set("X-Original-URI", "/reports/7")
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Printf("%d %q %q\n", w.Code, w.Header().Get("X-Auth-User"), w.Header().Get("X-Auth-Roles"))
	}
	// Output:
	// 200 "alice" "auditor,clerk"
	// 401 "" ""
}
