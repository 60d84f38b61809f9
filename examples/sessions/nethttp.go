package sessions

import (
	"net/http"

	"github.com/sallyport-go/sallyport/core/httpauth"
)

// NetHTTP is the site on net/http.
func (s *Site) NetHTTP() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		fields, ok, err := s.SignIn(r.Context(), httpauth.Request(r), r.PostFormValue("user"), r.PostFormValue("password"))
		switch {
		case err != nil:
			httpauth.Serve(s.Sessions.Refuse(err)).ServeHTTP(w, r)
		case !ok:
			http.Error(w, wrong, http.StatusUnprocessableEntity)
		default:
			httpauth.AddFields(w.Header(), fields)
			http.Redirect(w, r, "/me", http.StatusSeeOther)
		}
	})
	mux.Handle("POST /logout", httpauth.Serve(s.Sessions.LogoutEndpoint()))

	signedIn := httpauth.Authenticate(s.Guard)
	mux.Handle("GET /me", signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(httpauth.Principal(r).ID())) // the client has gone
	})))
	mux.Handle("POST /logout/everywhere", signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields, err := s.SignOutEverywhere(r.Context(), httpauth.Request(r), httpauth.Principal(r))
		if err != nil {
			httpauth.Serve(s.Sessions.Refuse(err)).ServeHTTP(w, r)
			return
		}
		httpauth.AddFields(w.Header(), fields)
		w.WriteHeader(http.StatusNoContent)
	})))
	return mux
}
