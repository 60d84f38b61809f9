package providers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

// signer is a private key as a JWK (RFC 7517).
type signer map[string]string

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func es256(t *testing.T, kid string) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return signer{"kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "use": "sig",
		"d": encoded(d), "x": encoded(point[1:33]), "y": encoded(point[33:])}
}

// ed25519Key has the algorithm alg, of which there are two names (RFC 8037 §3.1
// and RFC 9864 §2.2).
func ed25519Key(t *testing.T, kid, alg string) signer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{"kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": alg, "use": "sig",
		"d": encoded(private.Seed()), "x": encoded(public)}
}

// service is a guarded resource that answers with its principal's ID.
type service struct {
	t      *testing.T
	url    string
	events *authtest.Recorder
}

// serve guards a resource. scheme is given its address.
func serve(t *testing.T, scheme func(address string) (core.Authenticator, error)) *service {
	t.Helper()
	s := &service{t: t, events: new(authtest.Recorder)}
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	s.url = "http://" + server.Listener.Addr().String()
	a, err := scheme(s.url)
	if err != nil {
		t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{a}, core.WithObserver(s.events))
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = httpauth.Authenticate(g)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, httpauth.Principal(r).ID())
	}))
	server.Start()
	return s
}

// ask sends a token and returns the answer, after looking at its challenge.
func (s *service) ask(token string) (status int, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+"/reports", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	lines := resp.Header.Values("WWW-Authenticate")
	if (len(lines) > 0) != (resp.StatusCode == http.StatusUnauthorized) {
		s.t.Errorf("%d with challenges %q", resp.StatusCode, lines)
	}
	for _, line := range lines {
		if _, err := challenge.Parse(line); err != nil {
			s.t.Errorf("challenge %s: %v", line, err)
		}
	}
	return resp.StatusCode, string(text)
}

// expect asks and compares status, and body where it is 200, or else the reason.
func (s *service) expect(what, token string, status int, idOrReason string) {
	s.t.Helper()
	got, body := s.ask(token)
	said := string(s.events.Last(s.t).Reason)
	if got == http.StatusOK {
		said = body
	}
	if got != status || said != idOrReason {
		s.t.Errorf("%s: %d %s, want %d %s; cause: %v", what, got, said, status, idOrReason, s.events.Last(s.t).Cause)
	}
}

// discovered verifies JWTs by the provider's own metadata.
func discovered(t *testing.T, p *provider) (*jwtauth.Verifier, error) {
	t.Helper()
	keys, err := jwtauth.Discover(p.issuer)
	if err != nil {
		return nil, err
	}
	t.Cleanup(keys.Close)
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	if err := keys.Ready(ctx); err != nil {
		return nil, err
	}
	return jwtauth.New(keys, jwtauth.WithIssuer(p.issuer), jwtauth.WithAudience("urn:jwt"))
}

func serveJWT(t *testing.T, p *provider) *service {
	return serve(t, func(string) (core.Authenticator, error) {
		v, err := discovered(t, p)
		if err != nil {
			return nil, err
		}
		return bearer.New("reports", v)
	})
}

// TestJWT: the user alice and the client alice are two principals, whatever the
// algorithm is called, and an ID token is no access token.
func TestJWT(t *testing.T) {
	for _, key := range []signer{es256(t, "1"), ed25519Key(t, "1", "EdDSA"), ed25519Key(t, "1", "Ed25519")} {
		t.Run(key["alg"], func(t *testing.T) {
			p := startProvider(t, key)
			s := serveJWT(t, p)
			user := p.user("alice", "urn:jwt")
			s.expect("a user's token", user.Access, 200, "alice")
			s.expect("a client's token", p.token("alice", "urn:jwt"), 200, "client:alice")
			s.expect("an opaque token", p.token("alice", "urn:opaque"), 401, string(core.ReasonMalformed))
			if status, _ := s.ask(user.ID); status != 401 {
				t.Errorf("an ID token: %d", status)
			}
		})
	}
}

// TestOpaque: RFC 7662. A revoked token is refused once the kept answer is gone.
func TestOpaque(t *testing.T) {
	p := startProvider(t, es256(t, "1"))
	s := serve(t, func(string) (core.Authenticator, error) {
		v, err := introspect.New(p.issuer+"/token/introspection", introspect.Secret("service", "secret of service"),
			introspect.WithIssuer(p.issuer), introspect.WithAudience("urn:opaque"), introspect.WithCacheTTL(0))
		if err != nil {
			return nil, err
		}
		return bearer.New("reports", v)
	})
	user, client := p.user("alice", "urn:opaque").Access, p.token("alice", "urn:opaque")
	s.expect("a user's token", user, 200, "alice")
	s.expect("a client's token", client, 200, "client:alice")
	s.expect("a stranger's", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 401, string(introspect.ReasonInactive))
	p.client(&struct{}{}, "revoke", "alice", client)
	s.expect("a revoked token", client, 401, string(introspect.ReasonInactive))
	p.stop()
	s.expect("a token while the provider is down", user, 503, string(core.ReasonUnavailable))
}

// TestDPoP: RFC 9449. A real client takes the nonce from the challenge, and the
// token is of no use without its key.
func TestDPoP(t *testing.T) {
	p := startProvider(t, es256(t, "1"))
	s := serve(t, func(address string) (core.Authenticator, error) {
		v, err := discovered(t, p)
		if err != nil {
			return nil, err
		}
		return dpop.New("reports", address, v, dpop.WithNonces(time.Minute, make([]byte, 32)))
	})
	var got struct {
		Stolen        int
		First, Second struct {
			Status int
			Body   string
			Nonce  bool
		}
	}
	p.client(&got, "dpop", "alice", s.url+"/reports")
	if got.Stolen != 401 || got.First.Status != 401 || !got.First.Nonce || got.Second.Status != 200 || got.Second.Body != "client:alice" {
		t.Errorf("%+v", got)
	}
}

// TestRotation: a key that the provider signs with from now on is fetched; until
// then the answer is 503, since a 401 would have clients throw good tokens away.
// The old key goes on working while the provider publishes it.
func TestRotation(t *testing.T) { testRotation(t, 0) }

// TestRotationAmongStrangers: tokens with key IDs that nobody has published do
// not shut the door on the one that is.
func TestRotationAmongStrangers(t *testing.T) { testRotation(t, 100) }

// forged is a token that names a key nobody has.
func forged(issuer string) string {
	id := encoded([]byte(rand.Text()))
	header := encoded([]byte(`{"alg":"ES256","typ":"at+jwt","kid":"` + id + `"}`))
	claims := fmt.Sprintf(`{"iss":%q,"aud":"urn:jwt","sub":"alice","exp":%d}`, issuer, time.Now().Add(time.Hour).Unix())
	return header + "." + encoded([]byte(claims)) + "." + encoded(make([]byte, 64))
}

func testRotation(t *testing.T, strangers int) {
	first, second := es256(t, "first"), es256(t, "second")
	p := startProvider(t, first)
	s := serveJWT(t, p)
	old := p.token("alice", "urn:jwt")
	s.expect("before", old, 200, "client:alice")
	for range strangers {
		if status, _ := s.ask(forged(p.issuer)); status != http.StatusUnauthorized && status != http.StatusServiceUnavailable {
			t.Fatalf("a stranger's token: %d", status)
		}
	}
	p.stop()
	p.start(second, first)
	fresh, began := p.token("alice", "urn:jwt"), time.Now()
	for status := 0; status != http.StatusOK; {
		if status, _ = s.ask(fresh); status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Fatalf("a token by the new key: %d after %v", status, time.Since(began))
		}
		if time.Since(began) > limit {
			t.Fatalf("a token by the new key: %d after %v", status, limit)
		}
	}
	t.Logf("the new key is known after %v", time.Since(began).Round(time.Millisecond))
	s.expect("an old token", old, 200, "client:alice")
}

// TestOutage: known keys go on working while the provider is down; a guard that
// starts meanwhile answers 503, and recovers by itself.
func TestOutage(t *testing.T) {
	key := es256(t, "1")
	p := startProvider(t, key)
	s := serveJWT(t, p)
	token := p.token("alice", "urn:jwt")
	p.stop()
	s.expect("a token by a known key", token, 200, "client:alice")

	keys, err := jwtauth.Discover(p.issuer, jwtauth.WithRetryInterval(100*time.Millisecond, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keys.Close)
	late := serve(t, func(string) (core.Authenticator, error) {
		v, err := jwtauth.New(keys, jwtauth.WithIssuer(p.issuer), jwtauth.WithAudience("urn:jwt"))
		if err != nil {
			return nil, err
		}
		return bearer.New("reports", v)
	})
	late.expect("with no key yet", token, 503, string(core.ReasonUnavailable))
	p.start(key)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := keys.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	late.expect("once the provider is back", token, 200, "client:alice")
}
