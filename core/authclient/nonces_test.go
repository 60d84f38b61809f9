package authclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authclient"
	"github.com/sallyport-go/sallyport/core/digest"
)

// proof stands for a signed one; the tests look only at when it is renewed, and with
// which nonce.
func proof(r *http.Request, token, nonce string) (string, error) {
	return fmt.Sprintf("%s %s %s<%s>", r.Method, r.URL.Path, token, nonce), nil
}

func dpopSource(t *testing.T, tokens *issuer) *authclient.Tokens {
	t.Helper()
	source, err := authclient.DPoP(tokens.fetch, proof)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestK04DPoPNonce(t *testing.T) {
	const useNonce = "401\nWWW-Authenticate: DPoP error=\"use_dpop_nonce\", algs=\"ES256\"\nDPoP-Nonce: "
	for _, c := range []struct {
		name    string
		answers []string
		status  int
		proofs  []string // of one request, and of a second
		tokens  int
	}{
		{"one repeat with the nonce and the same token", []string{useNonce + "n1", "200"}, 200,
			[]string{"GET /a token-1<>", "GET /a token-1<n1>", "GET /a token-1<n1>"}, 1},
		{"nonce of a good answer is for the next request", []string{"200\nDPoP-Nonce: n1", "200"}, 200,
			[]string{"GET /a token-1<>", "GET /a token-1<n1>"}, 1},
		{"a nonce each time", []string{useNonce + "n1", useNonce + "n2", "200"}, 401,
			[]string{"GET /a token-1<>", "GET /a token-1<n1>", "GET /a token-1<n2>"}, 1},
		{"nonce first and then the token", []string{useNonce + "n1", "401\nWWW-Authenticate: DPoP error=\"invalid_token\"", "200"}, 401,
			[]string{"GET /a token-1<>", "GET /a token-1<n1>", "GET /a token-1<n1>"}, 1},
		{"an expired token", []string{"401\nWWW-Authenticate: DPoP error=\"invalid_token\"", "200"}, 200,
			[]string{"GET /a token-1<>", "GET /a token-2<>", "GET /a token-2<>"}, 2},
		{"no nonce beside it", []string{strings.TrimSuffix(useNonce, "DPoP-Nonce: "), "200"}, 401,
			[]string{"GET /a token-1<>", "GET /a token-1<>"}, 1},
		{"no nonce by its grammar", []string{useNonce + "a b", "200"}, 401,
			[]string{"GET /a token-1<>", "GET /a token-1<>"}, 1},
		{"a bad proof", []string{"401\nWWW-Authenticate: DPoP error=\"invalid_dpop_proof\"", "200"}, 401,
			[]string{"GET /a token-1<>", "GET /a token-1<>"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen, tokens := &script{answers: c.answers}, &issuer{}
			s := serve(t, seen)
			client := clientOf(t, dpopSource(t, tokens), []string{s.URL})
			if status, _ := do(t, client, "GET", s.URL+"/a", ""); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			do(t, client, "GET", s.URL+"/a", "")
			equal(t, "proofs", seen.sent("DPoP"), c.proofs)
			if n := tokens.fetched(); n != c.tokens {
				t.Errorf("%d tokens, want %d", n, c.tokens)
			}
			if a := seen.sent("Authorization")[0]; a != "DPoP token-1" {
				t.Errorf("Authorization %q", a)
			}
		})
	}
}

func TestK04ProofThatFails(t *testing.T) {
	s := serve(t, &script{answers: []string{"200"}})
	broken := errors.New("key is gone")
	source, err := authclient.DPoP(new(issuer).fetch, func(*http.Request, string, string) (string, error) { return "", broken })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clientOf(t, source, []string{s.URL}).Get(s.URL); !errors.Is(err, broken) || s.requests.Load() != 0 {
		t.Errorf("%v after %d requests", err, s.requests.Load())
	}
}

func TestK04StepUpIsLeftToTheCaller(t *testing.T) {
	for answer, want := range map[string]struct {
		classes string
		age     time.Duration
	}{
		`acr_values="gold silver", max_age="300"`: {"gold silver", 5 * time.Minute},
		`max_age=0`:         {"", 0},
		`acr_values="gold"`: {"gold", -1},
		`max_age="soon"`:    {"", -1},
		`max_age="-1"`:      {"", -1},
	} {
		t.Run(answer, func(t *testing.T) {
			seen := &script{answers: []string{"401\nWWW-Authenticate: Basic realm=\"x\", Bearer error=\"insufficient_user_authentication\", " + answer, "200"}}
			s := serve(t, seen)
			source := bearerSource(t, new(issuer).fetch)
			c := clientOf(t, source, []string{s.URL})
			resp, err := c.Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			err = authclient.Check(resp)
			var step *authclient.StepUpError
			var unauthorized *authclient.UnauthorizedError
			if !errors.As(err, &step) || !errors.As(err, &unauthorized) {
				t.Fatalf("%v", err)
			}
			if got := strings.Join(step.ACRValues, " "); got != want.classes || step.MaxAge != want.age {
				t.Errorf("classes %q, max age %v", got, step.MaxAge)
			}
			source.Invalidate() // the user has signed in anew
			if status, _ := do(t, c, "GET", s.URL, ""); status != 200 {
				t.Errorf("status %d", status)
			}
			equal(t, "sent", seen.sent("Authorization"), []string{"Bearer token-1", "Bearer token-2"})
		})
	}
}

// users is a store for the real Digest scheme.
type users map[string]string

func (u users) FindUser(_ context.Context, realm, user string, a digest.Algorithm) (digest.Entry, error) {
	secret, ok := u[user]
	if !ok {
		return digest.Entry{}, digest.ErrUnknownUser
	}
	a1, err := digest.HashA1(a, user, realm, secret)
	if err != nil {
		return digest.Entry{}, err
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: user})
	return digest.Entry{Principal: p, A1: a1}, err
}

func (u users) FindUserHash(ctx context.Context, realm, hash string, a digest.Algorithm) (digest.Entry, error) {
	for user := range u {
		if digest.HashUser(a, user, realm) == hash {
			return u.FindUser(ctx, realm, user, a)
		}
	}
	return digest.Entry{}, digest.ErrUnknownUser
}

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func digestGuard(t *testing.T, u users, opts ...digest.Option) *core.Guard {
	t.Helper()
	scheme, err := digest.New("reports", u, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return guardOf(t, scheme)
}

func digestSource(t *testing.T, user, secret string, opts ...authclient.PasswordOption) authclient.Source {
	t.Helper()
	source, err := authclient.Digest(user, secret, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestK04DigestStaleNonceIsReplacedOnce(t *testing.T) {
	c := newClock()
	s := serveGuarded(t, digestGuard(t, users{"erin": "open sesame"}, digest.WithClock(c.now)))
	client := clientOf(t, digestSource(t, "erin", "open sesame"), []string{s.URL})
	for _, step := range []struct {
		name     string
		after    time.Duration
		requests int64
	}{{"first", 0, 2}, {"counted", 0, 3}, {"stale", 24 * time.Hour, 5}, {"counted again", 0, 6}} {
		c.advance(step.after)
		if status, body := do(t, client, "POST", s.URL+"/a%20b?q=%22x%22&y", "text"); status != 200 || body != "text" {
			t.Errorf("%s: %d %q", step.name, status, body)
		}
		if n := s.requests.Load(); n != step.requests {
			t.Errorf("%s: %d requests, want %d", step.name, n, step.requests)
		}
	}
}

func TestK04AlwaysStaleDoesNotLoop(t *testing.T) {
	seen := &script{answers: []string{"401\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256, stale=true"}}
	s := serve(t, seen)
	client := clientOf(t, digestSource(t, "erin", "x"), []string{s.URL})
	for range 3 {
		if status, _ := do(t, client, "GET", s.URL, ""); status != 401 {
			t.Errorf("status %d", status)
		}
	}
	if n := s.requests.Load(); n != 6 {
		t.Errorf("%d requests for 3 calls", n)
	}
}
