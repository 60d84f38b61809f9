package setup

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// effectFiles are the files that a configuration may name.
var effectFiles = sync.OnceValue(func() map[string]string {
	jwks := `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"` + encode(issuerKey.Public().(ed25519.PublicKey)) + `"}]}`
	keys := func(id string, hash apikey.Hash) string {
		return string(must(apikey.Append("api.keys", nil, apikey.Info{ID: id, Hash: hash, Owner: "victor"})))
	}
	_, id, hash := apikey.Generate()
	files := map[string]string{
		"jwks.json":      jwks,
		"dev.json":       strings.Replace(jwks, `"kid"`, `"sallyport_development":true,"kid"`, 1),
		"others.json":    `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k2","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"rsa.json":       `{"keys":[{"kty":"RSA","e":"AQAB","n":"` + encode(bytes.Repeat([]byte{0xc5}, 256)) + `"}]}`,
		"erin.txt":       "sub erin\n",
		"api.keys":       keys(apiKeyID, apiKeyHash),
		"others.keys":    keys(id, hash),
		"others.csv":     "p, victor, /reports, GET, allow\n",
		"anonymous.csv":  "p, anonymous, /reports, GET, allow\n",
		"prefix.csv":     "p, role:editor, /reports, GET, allow\n",
		"linked.csv":     "p, editor, /reports, GET\ng, e?in, editor\n",
		"wild.csv":       "p, editor, t, /reports, GET\ng, erin, editor, *\n",
		"patterns.csv":   "p, erin, /:any, GET, 18, sales\n",
		"empty.csv":      "g, erin, editor\n",
		"own.css":        "body { color: rebeccapurple }\n",
		"names.key":      strings.Repeat("n", 32),
		"old.key":        strings.Repeat("o", 32),
		"decisions.key":  strings.Repeat("d", 32),
		"alice.htpasswd": "", "alice.htdigest": "",
	}
	for _, e := range must(os.ReadDir("testdata/files")) {
		files[e.Name()] = string(must(os.ReadFile(filepath.Join("testdata/files", e.Name()))))
	}
	for name, of := range map[string]string{"alice.htpasswd": "users.htpasswd", "alice.htdigest": "users.htdigest"} {
		for line := range strings.Lines(files[of]) {
			if strings.HasPrefix(line, "alice:") {
				files[name] += line
			}
		}
	}
	return files
})

// echoes is an issuer that answers with what the token says, as sub, unless that
// says one, with where and by whom it was asked, and as username with how often.
func echoes(t *testing.T) string {
	t.Helper()
	var asked atomic.Int64
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, secret, _ := r.BasicAuth()
		answer := map[string]any{"active": true, "username": fmt.Sprint(asked.Add(1)), "sub": strings.Join([]string{"erin", r.URL.Path, client, secret}, " ")}
		said, err := base64.RawURLEncoding.DecodeString(r.PostFormValue("token"))
		if err == nil {
			_ = json.Unmarshal(said, &answer) // is the test's own
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // the client has gone
	}))
	t.Cleanup(issuer.Close)
	return issuer.URL
}

func opaqueToken(members map[string]any) []string {
	if members == nil {
		members = map[string]any{}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // members are the test's own
	}
	return bearerOf(encode(text))
}

// askedAbout is what becomes of a request with an opaque token.
func askedAbout(members map[string]any) look {
	return func(_ *testing.T, s *Setup, _ string) string {
		return answerTo(s, requestOf("GET", "/reports", opaqueToken(members)...))
	}
}

// expired are the claims of a token that has ended a minute ago.
func expired() map[string]any { return map[string]any{"exp": time.Now().Add(-time.Minute).Unix()} }

func askingExpired(t *testing.T, s *Setup, dir string) string {
	return askingWith("erin", expired())(t, s, dir)
}

func askedAboutExpired(t *testing.T, s *Setup, dir string) string {
	return askedAbout(expired())(t, s, dir)
}

// askedAgain is what becomes of a request with the first of several tokens, whose ID
// says how often the issuer was asked when it answered.
func askedAgain(_ *testing.T, s *Setup, _ string) (seen string) {
	for i := range 33 {
		seen = answerTo(s, requestOf("GET", "/reports", opaqueToken(map[string]any{"n": i % 32})...))
	}
	return seen
}

func cookieWithToken(t *testing.T, s *Setup, _ string) string {
	return answerTo(s, requestOf("GET", "/reports", "Cookie", "__Host-a="+token(t, "erin", nil)))
}

func headByErin(t *testing.T, s *Setup, _ string) string {
	return answerTo(s, requestOf("HEAD", "/reports", bearerOf(token(t, "erin", nil))...))
}

// propfind asks gate one alone: a policy judges methods by itself.
func propfind(t *testing.T, s *Setup, _ string) string {
	w := httptest.NewRecorder()
	httpauth.Authenticate(s.Guard())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, requestOf("PROPFIND", "/reports", bearerOf(token(t, "erin", nil))...))
	return fmt.Sprint(w.Code)
}

func forbiddenPage(t *testing.T, s *Setup, _ string) string {
	return answerTo(s, requestOf("GET", "/reports", append(bearerOf(token(t, "mallory", nil)), pageFields...)...))
}

func fromSocket(t *testing.T, s *Setup, _ string) string {
	r := requestOf("GET", "/reports", append(bearerOf(token(t, "erin", nil)), "X-Forwarded-For", "203.0.113.7")...)
	r.RemoteAddr = "@"
	return answerTo(s, r)
}

func askingBound(t *testing.T, s *Setup, _ string) string {
	return answerTo(s, requestOf("GET", "/reports", bound(t, nil)...))
}

// askingBoundWithOldNonce asks with a nonce that was given out ten minutes ago.
func askingBoundWithOldNonce(t *testing.T, s *Setup, _ string) string {
	ago := func() time.Time { return time.Now().Add(-10 * time.Minute) }
	before := must(dpop.New("reports", "https://api.example", boundToErin{}, dpop.WithNonces(time.Hour, []byte(strings.Repeat("n", 32))), dpop.WithClock(ago)))
	guard := must(core.NewGuard([]core.Authenticator{before}, core.WithObserver(core.ObserverFunc(noteEvent))))
	w := httptest.NewRecorder()
	httpauth.Authenticate(guard)(http.NotFoundHandler()).ServeHTTP(w, requestOf("GET", "/reports", bound(t, map[string]any{"iat": ago().Unix()})...))
	nonce := w.Header().Get("DPoP-Nonce")
	if nonce == "" {
		t.Fatalf("no nonce: %d %v", w.Code, w.Header())
	}
	r := requestOf("GET", "/reports", bound(t, map[string]any{"nonce": nonce})...)
	return strings.ReplaceAll(answerTo(s, r), nonce, "")
}

// digestNonces gives out nonces of names.key as they were given out that long ago.
func digestNonces(ago time.Duration) (next func() (nonce, opaque string)) {
	asks := must(digest.New("reports", must(digest.OpenFile("testdata/files/users.htdigest", "reports")),
		digest.WithNonceKey([]byte(strings.Repeat("n", 32))), digest.WithNonceLifetime(time.Hour),
		digest.WithClock(func() time.Time { return time.Now().Add(-ago) })))
	guard := must(core.NewGuard([]core.Authenticator{asks}, core.WithObserver(core.ObserverFunc(noteEvent))))
	return func() (nonce, opaque string) {
		w := httptest.NewRecorder()
		httpauth.Authenticate(guard)(http.NotFoundHandler()).ServeHTTP(w, requestOf("GET", "/reports"))
		said := w.Header().Get("WWW-Authenticate")
		return nonceField.FindStringSubmatch(said)[1], opaqueField.FindStringSubmatch(said)[1]
	}
}

// digestAnswers is what becomes of answers of erin's to nonces that were given out
// that long ago: a count of 1 is of another nonce each time, a greater one of the
// first.
func digestAnswers(ago time.Duration, counts ...int) look {
	return func(_ *testing.T, s *Setup, _ string) string {
		next := digestNonces(ago)
		first, opaque := next()
		var seen []string
		for i, count := range counts {
			nonce := first
			if i > 0 && count == 1 {
				nonce, _ = next()
			}
			seen = append(seen, answerTo(s, requestOf("GET", "/reports", digestAnswer("erin", nonce, opaque, count)...)))
		}
		return strings.Join(seen, "\n")
	}
}

// digestAnswer is one with the password of erin.
func digestAnswer(user, nonce, opaque string, count int) []string {
	n := fmt.Sprintf("%08x", count)
	answer := digest.SHA256.Response("b86890c60a91e06fda20ba27d6f8d2108a46b06f87343303db3982e4ebee1ec1",
		digest.Input{Method: "GET", URI: "/reports", Nonce: nonce, Count: n, ClientNonce: "c"})
	return []string{"Authorization", fmt.Sprintf(`Digest username="%s", realm="reports", nonce="%s", uri="/reports", algorithm=SHA-256, qop=auth, nc=%s, cnonce="c", opaque="%s", response="%s"`,
		user, nonce, n, opaque, answer)}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // of what the test makes itself
	}
	return v
}

// boundToErin takes each token for one of erin's that is bound to proofKey.
type boundToErin struct{}

func (boundToErin) VerifyBoundToken(context.Context, string) (*core.Principal, string, error) {
	thumbprint := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + encode(proofKey.Public().(ed25519.PublicKey)) + `"}`))
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	return p, encode(thumbprint[:]), err
}

// guesses are n wrong answers for alice, from an address, or from three, in which %x or
// %d counts.
func guesses(from string, n int) look {
	return func(_ *testing.T, s *Setup, _ string) string {
		next := digestNonces(0)
		var seen []string
		for i := range n {
			addr := from
			if strings.Contains(from, "%") {
				addr = fmt.Sprintf(from, i%3+1)
			}
			nonce, opaque := next()
			r := requestOf("GET", "/reports", append(digestAnswer("alice", nonce, opaque, 1), "X-Forwarded-For", addr)...)
			w := httptest.NewRecorder()
			httpauth.Authorize(s.Guard())(http.NotFoundHandler()).ServeHTTP(w, r)
			wait, _ := time.ParseDuration(w.Header().Get("Retry-After") + "s") // "" is 0
			seen = append(seen, fmt.Sprint(w.Code, wait.Round(30*time.Second)))
		}
		return strings.Join(seen, " ")
	}
}

// noteKey is the context key of what a recorder notes.
type noteKey struct{}

// recorder is a store that notes for how long it has time, and keeps something.
type recorder struct{ session.Store }

// recorded is what all recorders keep.
var recorded sync.Map

func (recorder) note(ctx context.Context, what string, until time.Time) {
	to, ok := ctx.Value(noteKey{}).(*strings.Builder)
	if !ok {
		return
	}
	if end, ok := ctx.Deadline(); ok {
		fmt.Fprintf(to, "%s has %v, ", what, time.Until(end).Round(10*time.Second))
	}
	if !until.IsZero() {
		fmt.Fprintf(to, "kept for %v, ", time.Until(until).Round(10*time.Minute))
	}
}

func (r recorder) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	r.note(ctx, "find", time.Time{})
	data, ok := recorded.Load(key)
	if !ok {
		return nil, false, nil
	}
	return data.([]byte), true, nil
}

func (r recorder) CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error {
	r.note(ctx, "commit", expires)
	recorded.Store(key, data)
	return nil
}

func (r recorder) DeleteCtx(ctx context.Context, key string) error {
	r.note(ctx, "delete", time.Time{})
	recorded.Delete(key)
	return nil
}

// The kinds that effects need, and no test has.
func init() {
	RegisterSessionStore("recorder", func(*struct{}) (session.Store, func() error, error) { return recorder{}, nil, nil })
	for kind, user := range map[string]string{"one": "erin", "another": "victor"} {
		RegisterPolicyStore(kind, func(*struct{}) (source.Source, func() error, error) {
			m := new(sourcetest.Memory)
			files := []source.File{
				{Name: "policy.csv", Content: []byte("p, " + user + ", /reports, GET\n")},
				{Name: "others.csv", Content: []byte("p, ann, /reports, GET\n")},
			}
			for _, name := range []string{"users.htpasswd", "alice.htpasswd", "users.htdigest", "alice.htdigest", "api.keys", "others.keys"} {
				files = append(files, source.File{Name: name, Content: []byte(effectFiles()[name])})
			}
			_, err := m.Publish(context.Background(), source.Publication{Note: source.Note{Author: "ann"}, Files: files})
			return m, nil, err
		})
	}
}

// masked are parts of cookies that differ with each.
var masked = regexp.MustCompile(`=[A-Za-z0-9_-]{43}|Max-Age=\d\d\b`)

// signedIn is what a sign-in does to the browser and the store.
func signedIn(t *testing.T, s *Setup, _ string) string {
	var notes strings.Builder
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), noteKey{}, &notes), "POST", "http://localhost/in", nil)
	fields, err := s.Sessions().Login(r.Context(), httpauth.Request(r), must(core.NewPrincipal(core.PrincipalInfo{ID: "erin"})))
	return masked.ReplaceAllString(fmt.Sprint(fields, err, notes.String()), "")
}

// hourLater is what becomes of a request with a session that was last used an hour
// ago.
func hourLater(t *testing.T, s *Setup, _ string) string {
	before := must(session.New(session.WithStore(recorder{}), session.WithClock(func() time.Time { return time.Now().Add(-time.Hour) })))
	r := httptest.NewRequest("POST", "https://localhost/in", nil)
	fields := must(before.Login(t.Context(), httpauth.Request(r), must(core.NewPrincipal(core.PrincipalInfo{ID: "erin"}))))
	cookie, _, _ := strings.Cut(fields[0].Value, ";")
	return answerTo(s, requestOf("GET", "/reports", "Cookie", cookie))
}

// signedInByForm is where the sign-in form leads.
func signedInByForm(_ *testing.T, s *Setup, _ string) string {
	users := must(htpasswd.OpenFile("testdata/files/users.htpasswd"))
	r := httptest.NewRequest("POST", "https://api.example/login", strings.NewReader("user=erin&password=erin-pass"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	httpauth.Serve(s.Sessions().LoginEndpoint(users)).ServeHTTP(w, r)
	return fmt.Sprint(w.Code, w.Header().Get("Location"))
}

// TestSignInIsAnsweredAsTheGuardAnswers: to pages of the same origins, and about clients
// behind the same proxies.
func TestSignInIsAnsweredAsTheGuardAnswers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := open(t, "realm: a\nsession: {}\nbrowsers: {trusted_origins: 'https://a.example', cors_origins: 'https://a.example'}\nproxies: {trusted: 192.0.2.1/32}\n",
		WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	r := httptest.NewRequest("POST", "https://api.example/login", strings.NewReader(`{"user":"erin","password":"wrong"}`)) // from 192.0.2.1
	for name, value := range map[string]string{"Content-Type": "application/json", "Origin": "https://a.example", "X-Forwarded-For": "198.51.100.7"} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	httpauth.Serve(s.Sessions().LoginEndpoint(must(htpasswd.OpenFile("testdata/files/users.htpasswd")))).ServeHTTP(w, r)
	if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != 401 || got != "https://a.example" {
		t.Errorf("%d for the origin %q", w.Code, got)
	}
	if !strings.Contains(log.String(), "client=198.51.100.7 ") {
		t.Error(log.String())
	}
}

func signedOut(_ *testing.T, s *Setup, _ string) string {
	r := httptest.NewRequest("POST", "http://localhost/out", nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return fmt.Sprint(s.Sessions().LogoutEndpoint()(r.Context(), httpauth.Request(r)))
}

// filesIn are the names of files, once all is closed.
func filesIn(pattern string) look {
	return func(t *testing.T, s *Setup, dir string) string {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		return strings.ReplaceAll(fmt.Sprint(names, err), dir, "")
	}
}

// changing are parts of the lines of a decision log that differ each time.
var changing = regexp.MustCompile(`"(time|run|revision|duration_us|chain|head|batch_size)":("[^"]*"|\d+)|\d{8}T[0-9.]+Z`)

// decided is the decision log after n requests by erin, and how many files it has.
func decided(n int) look {
	return func(t *testing.T, s *Setup, dir string) string {
		for i := range n {
			answerTo(s, requestOf("GET", "/reports", append(bearerOf(token(t, "erin", nil)), "X-Request-Id", fmt.Sprint("r", i))...))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "decisions*.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		text := pageText(t, filepath.Join(dir, "decisions.jsonl"))
		if len(names) > 1 {
			text = ""
		}
		return fmt.Sprint(len(names), strings.Contains(text, `"head"`), changing.ReplaceAllString(text, ""))
	}
}

// proxyAsks is what a proxy is answered about a request that it asks about as nginx
// does.
func proxyAsks(method, path string, fields ...string) look {
	return func(t *testing.T, s *Setup, _ string) string {
		h := must(s.Handler())
		r := requestOf("GET", "/check", append(append(bearerOf(token(t, "erin", nil)), fields...), "X-Original-Method", method, "X-Original-URI", path)...)
		if method == "OPTIONS" {
			r.Header.Del("Authorization")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return fmt.Sprint(w.Code, w.Header())
	}
}
