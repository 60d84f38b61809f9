package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/examples/shared/issuer"
)

// authServer is an authorization server for the example: whoever asks is erin, or
// whom login_hint names, and gets each scope. It never runs in earnest.
type authServer struct {
	issuer string
	keys   *jwtauth.KeySet
	signer *issuer.Issuer

	mu    sync.Mutex
	codes map[string]url.Values // what each code was asked for with
}

func newAuthServer(name string) (*authServer, error) {
	signer, err := issuer.New(name, "")
	if err != nil {
		return nil, err
	}
	set, err := signer.KeySet()
	if err != nil {
		return nil, err
	}
	keys, err := jwtauth.KeySetFromJWKS("the example's issuer", set)
	if err != nil {
		return nil, err
	}
	return &authServer{issuer: name, keys: keys, signer: signer, codes: map[string]url.Values{}}, nil
}

func (s *authServer) mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/oauth-authorization-server/issuer", s.metadata)
	mux.HandleFunc("GET /issuer/authorize", s.authorize)
	mux.HandleFunc("POST /issuer/token", s.token)
}

// metadata is that of RFC 8414 §2.
func (s *authServer) metadata(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": s.issuer, "authorization_endpoint": s.issuer + "/authorize", "token_endpoint": s.issuer + "/token",
		"response_types_supported": []string{"code"}, "grant_types_supported": []string{"authorization_code"},
		"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"none"},
		"authorization_response_iss_parameter_supported": true,
	})
}

// authorize says yes, and sends the browser back to a loopback address alone.
func (s *authServer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Hostname() != "127.0.0.1" || q.Get("code_challenge_method") != "S256" || q.Get("resource") == "" {
		http.Error(w, "the request lacks something", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	s.mu.Lock()
	s.codes[code] = q
	s.mu.Unlock()
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {s.issuer}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// token gives a token for the resource that was asked for, and no other.
func (s *authServer) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	asked := s.codes[r.PostFormValue("code")]
	delete(s.codes, r.PostFormValue("code"))
	s.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if asked == nil || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("resource") != r.PostFormValue("resource") {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	user := asked.Get("login_hint")
	if user == "" {
		user = "erin"
	}
	scope := strings.TrimSpace(asked.Get("scope"))
	token, err := s.signer.For(asked.Get("resource")).Token(user, 5*time.Minute, map[string]any{"scope": scope})
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": scope})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}
