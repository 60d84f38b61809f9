package session_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/session"
)

func Example() {
	quiet := core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {}))
	sessions, err := session.New(session.WithRealm("shop"), session.WithSignInPage("/login"), session.WithAnswers(quiet))
	if err != nil {
		log.Fatal(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{sessions}, quiet)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		// Assume that the password was checked here.
		alice, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice", Roles: []string{"customer"}})
		if err != nil {
			http.Error(w, "cannot sign in", http.StatusInternalServerError)
			return
		}
		fields, err := sessions.Login(r.Context(), httpauth.Request(r), alice)
		if err != nil {
			httpauth.Serve(sessions.Refuse(err)).ServeHTTP(w, r)
			return
		}
		httpauth.AddFields(w.Header(), fields...)
		http.Redirect(w, r, "/orders", http.StatusSeeOther)
	})
	mux.Handle("POST /logout", httpauth.Serve(sessions.LogoutEndpoint()))
	mux.Handle("GET /orders", httpauth.Authenticate(guard)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("orders of", httpauth.Principal(r).ID())
	})))

	cookie := ""
	for _, step := range []string{"GET /orders", "POST /login", "GET /orders", "POST /logout", "GET /orders"} {
		var method, path string
		if _, err := fmt.Sscan(step, &method, &path); err != nil {
			log.Fatal(err)
		}
		r := httptest.NewRequest(method, path, nil)
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(step, w.Code)
		for _, challenge := range w.Header().Values("WWW-Authenticate") {
			fmt.Println("  ", challenge)
		}
		if set := w.Header().Get("Set-Cookie"); set != "" {
			fmt.Println("  ", regexp.MustCompile(`[\w-]{43}`).ReplaceAllString(set, "…"))
			if method == http.MethodPost && path == "/login" {
				cookie = regexp.MustCompile(`^[^;]*`).FindString(set)
			}
		}
	}
	// Output:
	// GET /orders 401
	//    Session realm="shop", login="/login"
	// POST /login 303
	//    __Host-session=…; Path=/; HttpOnly; Secure; SameSite=Lax
	// orders of alice
	// GET /orders 200
	// POST /logout 204
	//    __Host-session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax
	// GET /orders 401
	//    Session realm="shop", login="/login"
	//    __Host-session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax
}
