package openid_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// idp is an OpenID provider in which each test can break one thing. It signs everyone in
// as user.
type idp struct {
	*httptest.Server
	t      *testing.T
	public ed25519.PublicKey  // published
	signer ed25519.PrivateKey // used for signing
	kid    string             // the kid of both

	user     string
	metadata map[string]any // added to its metadata, or replacing it
	claims   map[string]any // of ID tokens; nil removes one
	answer   url.Values     // of the authorization endpoint; "" removes one
	refusal  string         // of the token endpoint
	during   func()         // called by the token endpoint; may be nil

	down    atomic.Bool
	codes   sync.Map // issued codes, to the url.Values of the request
	asked   atomic.Int32
	secrets atomic.Value // the last client ID and secret
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	p := &idp{t: t, user: "alice", kid: "1", metadata: map[string]any{}, claims: map[string]any{}, answer: url.Values{}}
	p.public, p.signer, _ = ed25519.GenerateKey(rand.Reader)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.publish)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (p *idp) publish(w http.ResponseWriter, _ *http.Request) {
	m := map[string]any{
		"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		"end_session_endpoint": p.URL + "/end", "code_challenge_methods_supported": []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	maps.Copy(m, p.metadata)
	reply(w, http.StatusOK, m)
}

func (p *idp) keys(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
		"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": p.kid, "x": b64(p.public),
	}}})
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// authorize signs the user in without asking.
func (p *idp) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := rand.Text()
	p.codes.Store(code, q)
	back := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.URL}}
	for name, values := range p.answer {
		if back[name] = values; values[0] == "" {
			delete(back, name)
		}
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token accepts a code once, from the client that can prove to have requested it.
func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	if p.during != nil {
		p.during()
	}
	id, secret, _ := r.BasicAuth()
	if id == "" {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	p.secrets.Store(id + " " + secret)
	asked, ok := p.codes.LoadAndDelete(r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case p.refusal != "":
		reply(w, http.StatusBadRequest, map[string]any{"error": p.refusal})
	case !ok || asked.(url.Values).Get("code_challenge") != b64(sum[:]) || asked.(url.Values).Get("code_challenge_method") != "S256" ||
		asked.(url.Values).Get("redirect_uri") != r.PostFormValue("redirect_uri"):
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	default:
		reply(w, http.StatusOK, map[string]any{
			"access_token": "access-" + rand.Text(), "token_type": "Bearer", "expires_in": 60,
			"id_token": p.idToken(id, asked.(url.Values).Get("nonce")),
		})
	}
}

func (p *idp) idToken(client, nonce string) string {
	now := time.Now().Unix()
	c := map[string]any{
		"iss": p.URL, "sub": p.user, "aud": client, "nonce": nonce, "iat": now, "exp": now + 60, "auth_time": now,
		"sid": "session of " + p.user, "groups": []string{"editor"}, "email": p.user + "@example.com", "at_hash": "x",
	}
	return p.sign("JWT", c, p.claims)
}

// logoutToken returns a valid one, except for changes.
func (p *idp) logoutToken(changes map[string]any) string {
	now := time.Now().Unix()
	return p.sign("logout+jwt", map[string]any{
		"iss": p.URL, "sub": p.user, "aud": "shop", "iat": now, "exp": now + 60, "jti": rand.Text(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}, changes)
}

// sign makes a token of claims; nil as a change removes a claim, and "header typ" sets
// that of the header.
func (p *idp) sign(typ string, claims, changes map[string]any) string {
	for name, v := range changes {
		switch {
		case name == "header typ":
			typ = v.(string)
		case v == nil:
			delete(claims, name)
		default:
			claims[name] = v
		}
	}
	header, _ := json.Marshal(map[string]any{"alg": "EdDSA", "kid": p.kid, "typ": typ})
	payload, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
	}
	signed := b64(header) + "." + b64(payload)
	return signed + "." + b64(ed25519.Sign(p.signer, []byte(signed)))
}
