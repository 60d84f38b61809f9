//go:build unix

// Package outages_test has the stores of a service fail in every way that can be thought
// of while it answers requests: whatever they do, an answer is the one without a failure or
// 503 with Retry-After, it comes in time, and nothing is left behind.
package outages_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/tokens"
)

// stores are what a service keeps in a server; those that are nil it does without.
type stores struct {
	sessions session.ContextStore
	log      revoke.Log
	attempts attempts.Store
	replays  dpop.ReplayStore
	counts   digest.CountStore
	close    func()
}

// shared is what all instances of a service are configured with.
type shared struct {
	signer *jwtsign.Signer
	secret []byte
	key    *ecdsa.PrivateKey // of a client with tokens that are bound
}

func newShared(t *testing.T) shared {
	t.Helper()
	key, err := jwtsign.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("api"))
	if err != nil {
		t.Fatal(err)
	}
	return shared{signer, []byte(rand.Text() + rand.Text()), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

// app is an instance of a service.
type app struct {
	t        *testing.T
	sessions *session.Manager
	tokens   *tokens.Manager
	mux      *http.ServeMux
	key      *ecdsa.PrivateKey
}

// must is v of a constructor that has not failed.
func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

const (
	address = "https://api.example"
	opaque  = "an.opaque.token"
)

// users know alice, who is right.
var users = basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
	if user != "alice" {
		return nil, basic.ErrUnknownUser
	}
	if password != "right" {
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
})

// bound says that each token is alice's and bound to a key.
type bound struct{ thumbprint string }

func (b bound) VerifyBoundToken(context.Context, string) (*core.Principal, string, error) {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	return p, b.thumbprint, err
}

// newApp makes an instance, which waits for its store for patience.
func newApp(t *testing.T, of shared, s stores, patience time.Duration) *app {
	t.Helper()
	quiet := core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler)))
	a := &app{t: t, mux: http.NewServeMux(), key: of.key}
	guarded := func(path string, scheme core.Authenticator, opts ...core.Option) {
		guard := must(core.NewGuard([]core.Authenticator{scheme}, append(opts, quiet)...))
		a.mux.Handle("GET "+path, httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		})))
	}
	a.sessions = must(session.New(session.WithStore(s.sessions), session.WithStoreTimeout(patience), session.WithAnswers(quiet)))
	guarded("/session", a.sessions)
	a.mux.Handle("POST /session/login", httpauth.Serve(a.sessions.LoginEndpoint(users)))
	a.mux.Handle("POST /session/logout", httpauth.Serve(a.sessions.LogoutEndpoint()))
	a.mux.HandleFunc("POST /session/rotate", func(w http.ResponseWriter, r *http.Request) {
		fields, err := a.sessions.Rotate(r.Context(), httpauth.Request(r), nil)
		if err != nil {
			httpauth.Serve(a.sessions.Refuse(err)).ServeHTTP(w, r)
			return
		}
		httpauth.AddFields(w.Header(), fields...)
		w.WriteHeader(http.StatusNoContent)
	})

	follower := must(revoke.Follow(t.Context(), s.log, revoke.WithPollInterval(100*time.Millisecond), revoke.WithTimeout(patience),
		revoke.WithStartTimeout(time.Minute)))
	t.Cleanup(func() { _ = follower.Close() })
	a.tokens = must(tokens.New(of.signer, tokens.WithStore(s.sessions), tokens.WithStoreTimeout(patience), tokens.WithAnswers(quiet), tokens.WithRevocation(follower)))
	a.mux.Handle("POST /tokens/login", httpauth.Serve(a.tokens.LoginEndpoint(users)))
	a.mux.Handle("POST /tokens/refresh", httpauth.Serve(a.tokens.RefreshEndpoint()))
	a.mux.Handle("POST /tokens/logout", httpauth.Serve(a.tokens.LogoutEndpoint()))
	verifier := must(jwtauth.New(of.signer, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("api"),
		jwtauth.WithAccessTokenProfile(), jwtauth.WithRevocation(a.tokens.Revocation())))
	guarded("/token", must(bearer.New("api", verifier)))

	if s.attempts != nil {
		limiter := must(attempts.New(attempts.WithStore(s.attempts, of.secret), attempts.WithTimeout(min(patience, 5*time.Second)), attempts.WithUnsharedAttempts(0),
			attempts.WithAddressBudget(1, 24*time.Hour, 3), attempts.WithMaxWait(24*time.Hour)))
		guarded("/basic", must(basic.New("api", users)), core.WithAttemptLimiter(limiter))
	}
	if s.counts != nil {
		file := must(digest.NewFile("api"))
		if err := file.Load("users", []byte("alice:api:"+must(digest.HashA1(digest.SHA256, "alice", "api", "right"))+"\n")); err != nil {
			t.Fatal(err)
		}
		guarded("/digest", must(digest.New("api", file, digest.WithNonceKey(of.secret), digest.WithCounts(s.counts))))
		guarded("/digest-alone", must(digest.New("api", file, digest.WithNonceKey(of.secret), digest.WithCounts(s.counts), digest.WithCountFallback(nil))))
	}
	if s.replays != nil {
		guarded("/dpop", must(dpop.New("api", address, bound{a.thumbprint()}, dpop.WithReplays(s.replays))))
		own := must(dpop.NewReplayMemory(1 << 16))
		guarded("/dpop-alone", must(dpop.New("api", address, bound{a.thumbprint()}, dpop.WithReplays(must(dpop.NewReplayFallback(s.replays, own, nil))))))
	}
	return a
}

// send sends a request with header fields in pairs, of an address of its own.
func (a *app) send(ctx context.Context, method, path, form string, header ...string) *http.Response {
	r := httptest.NewRequestWithContext(ctx, method, address+path, strings.NewReader(form))
	r.RemoteAddr = "192.0.2.1:80"
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Remote" {
			r.RemoteAddr = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, r)
	return w.Result()
}

const credentials = "user=alice&password=right"

// signIn is the cookie of a new session.
func (a *app) signIn() string {
	resp := a.send(context.Background(), http.MethodPost, "/session/login", credentials)
	for _, c := range resp.Cookies() {
		return c.Name + "=" + c.Value
	}
	panic(fmt.Sprint("no session: ", resp.Status))
}

// pair is what a login gives.
type pair struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func (a *app) pair(path, form string) (p pair) {
	resp := a.send(context.Background(), http.MethodPost, path, form)
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&p) != nil {
		panic(fmt.Sprint("no tokens: ", resp.Status))
	}
	return p
}

func refreshForm(p pair) string { return url.Values{"refresh_token": {p.Refresh}}.Encode() }

func (a *app) thumbprint() string {
	point := must(a.key.PublicKey.Bytes())
	return hash(fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, encode(point[1:33]), encode(point[33:])))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return encode(sum[:])
}

// proof is a new proof for a path (RFC 9449 §4.2).
func (a *app) proof(path string) string {
	point := must(a.key.PublicKey.Bytes())
	text := encode(fmt.Appendf(nil, `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":%q,"y":%q}}`, encode(point[1:33]), encode(point[33:]))) + "." +
		encode(fmt.Appendf(nil, `{"jti":%q,"htm":"GET","htu":%q,"iat":%d,"ath":%q}`, rand.Text(), address+path, time.Now().Unix(), hash(opaque)))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, a.key, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// answer is a new answer to a challenge of a path (RFC 7616 §3.4).
func (a *app) answer(path string) string {
	offers := must(challenge.Parse(a.send(context.Background(), http.MethodGet, path, "").Header.Get("WWW-Authenticate")))
	nonce, _ := offers[0].Param("nonce")
	token, _ := offers[0].Param("opaque")
	in := digest.Input{Method: "GET", URI: path, Nonce: nonce, Count: "00000001", ClientNonce: "0a4f113b"}
	return fmt.Sprintf(`Digest username="alice", realm="api", algorithm=SHA-256, qop=auth, nc=%s, cnonce="%s", nonce="%s", opaque="%s", uri="%s", response="%s"`,
		in.Count, in.ClientNonce, nonce, token, path, digest.SHA256.Response(must(digest.HashA1(digest.SHA256, "alice", "api", "right")), in))
}
