package authclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authclient"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/digest"
)

func TestDigestNames(t *testing.T) {
	for _, user := range []string{"erin", `a"b\c`, "Jäsøn Doe", "émile*'%"} {
		for _, opts := range [][]digest.Option{nil, {digest.WithUserHash()}, {digest.WithMoreAlgorithms(digest.SHA512256)}} {
			t.Run(user, func(t *testing.T) {
				s := serveGuarded(t, digestGuard(t, users{user: "Secret, or not?"}, opts...))
				client := clientOf(t, digestSource(t, user, "Secret, or not?"), []string{s.URL})
				for range 2 {
					if status, body := do(t, client, "GET", s.URL+"/doe.json", ""); status != 200 {
						t.Errorf("%d %s", status, body)
					}
				}
				if n := s.requests.Load(); n != 3 {
					t.Errorf("%d requests, want 3: one without credentials", n)
				}
			})
		}
	}
}

// A wrong password is one guess for each call, so that a lock comes no faster.
func TestDigestWrongPasswordIsOneGuess(t *testing.T) {
	s := serveGuarded(t, digestGuard(t, users{"erin": "right"}))
	client := clientOf(t, digestSource(t, "erin", "wrong"), []string{s.URL})
	for i := range 3 {
		if status, _ := do(t, client, "GET", s.URL, ""); status != 401 {
			t.Errorf("status %d", status)
		}
		if n := s.requests.Load(); n != int64(2*i+2) {
			t.Errorf("%d requests for %d calls", n, i+1)
		}
	}
}

// A service with a new key refuses the old nonces without stale=true.
func TestDigestServiceStartsAnew(t *testing.T) {
	u := users{"erin": "x"}
	s := serveGuarded(t, digestGuard(t, u))
	client := clientOf(t, digestSource(t, "erin", "x"), []string{s.URL})
	do(t, client, "GET", s.URL, "")
	s.handler = serveGuarded(t, digestGuard(t, u)).handler
	if status, _ := do(t, client, "GET", s.URL, ""); status != 200 || s.requests.Load() != 4 {
		t.Errorf("status %d after %d requests", status, s.requests.Load())
	}
	u["erin"] = "another"
	if status, _ := do(t, client, "GET", s.URL, ""); status != 401 || s.requests.Load() != 6 {
		t.Errorf("password changed: status %d after %d requests", status, s.requests.Load())
	}
}

func TestDigestConcurrentRequestsShareANonce(t *testing.T) {
	s := serveGuarded(t, digestGuard(t, users{"erin": "x"}))
	client := clientOf(t, digestSource(t, "erin", "x"), []string{s.URL})
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 4 {
				if status, _ := do(t, client, "GET", s.URL, ""); status != 200 {
					t.Errorf("status %d", status)
				}
			}
		})
	}
	wg.Wait()
}

func TestDigestChoice(t *testing.T) {
	const (
		head = `Digest realm="r", nonce="n", qop="auth"`
		md5  = head + `, algorithm=MD5`
		sha  = head + `, algorithm=SHA-256`
		sha5 = head + `, algorithm=SHA-512-256`
	)
	for _, c := range []struct {
		name, field string
		opts        []authclient.PasswordOption
		want        string // algorithm answered, "" for none
	}{
		{"the only one", sha, nil, "SHA-256"},
		{"the first of two as strong", sha5 + ", " + sha, nil, "SHA-512-256"},
		{"the strongest", md5 + ", " + sha, []authclient.PasswordOption{authclient.WithMD5()}, "SHA-256"},
		{"MD5 is left alone", md5, nil, ""},
		{"MD5 without a name is left alone", head, nil, ""},
		{"MD5 where allowed", md5, []authclient.PasswordOption{authclient.WithMD5()}, "MD5"},
		{"MD5 without a name where allowed", head, []authclient.PasswordOption{authclient.WithMD5()}, "MD5"},
		{"an unknown algorithm first", head + `, algorithm=SHA3-512, ` + sha, nil, "SHA-256"},
		{"-sess is unknown", head + `, algorithm=SHA-256-sess`, nil, ""},
		{"another letter case", `dIGEST REALM="r", NONCE="n", QOP="auth-int, AUTH", ALGORITHM="sha-256"`, nil, "SHA-256"},
		{"auth-int alone", `Digest realm="r", nonce="n", qop="auth-int", algorithm=SHA-256`, nil, ""},
		{"no qop", `Digest realm="r", nonce="n", algorithm=SHA-256`, nil, ""},
		{"no nonce", `Digest realm="r", qop="auth", algorithm=SHA-256`, nil, ""},
		{"no realm", `Digest nonce="n", qop="auth", algorithm=SHA-256`, nil, ""},
		{"empty realm", `Digest realm="", nonce="n", qop="auth", algorithm=SHA-256`, nil, ""},
		{"realm that cannot be sent back", "Digest realm=\"\xe4\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256", nil, ""},
		{"the right realm", sha, []authclient.PasswordOption{authclient.WithRealm("r")}, "SHA-256"},
		{"another realm", sha, []authclient.PasswordOption{authclient.WithRealm("R")}, ""},
		{"Basic beside it", `Basic realm="r"`, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := &script{answers: []string{"401\nWWW-Authenticate: " + c.field, "200"}}
			s := serve(t, seen)
			do(t, clientOf(t, digestSource(t, "erin", "x", c.opts...), []string{s.URL}), "GET", s.URL, "")
			sent := seen.sent("Authorization")
			if c.want == "" {
				equal(t, "sent", sent, []string{""})
				return
			}
			if len(sent) != 2 {
				t.Fatalf("sent %q", sent)
			}
			got, err := challenge.ParseCredentials(sent[1])
			algorithm, _ := got.Param("algorithm")
			if err != nil || algorithm != c.want {
				t.Errorf("%v; sent %s", err, sent[1])
			}
		})
	}
}

func basicGuard(t *testing.T) *core.Guard {
	t.Helper()
	scheme, err := basic.New("reports", basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if user != "Jäsøn" || password != "open:sesame£" {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	return guardOf(t, scheme)
}

func TestBasic(t *testing.T) {
	for _, c := range []struct {
		name, secret string
		opts         []authclient.PasswordOption
		status       int
		requests     int64 // of two calls
	}{
		{"after a challenge, then at once", "open:sesame£", nil, 200, 3},
		{"at once", "open:sesame£", []authclient.PasswordOption{authclient.WithPreemptiveCredentials()}, 200, 2},
		{"for the right realm", "open:sesame£", []authclient.PasswordOption{authclient.WithRealm("reports")}, 200, 3},
		{"not for another realm", "open:sesame£", []authclient.PasswordOption{authclient.WithRealm("Reports")}, 401, 2},
		{"a wrong password is one guess a call", "wrong", nil, 401, 4},
		{"a wrong password at once", "wrong", []authclient.PasswordOption{authclient.WithPreemptiveCredentials()}, 401, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveGuarded(t, basicGuard(t))
			source, err := authclient.Basic("Jäsøn", c.secret, c.opts...)
			if err != nil {
				t.Fatal(err)
			}
			client := clientOf(t, source, []string{s.URL})
			for range 2 {
				if status, _ := do(t, client, "GET", s.URL, ""); status != c.status {
					t.Errorf("status %d, want %d", status, c.status)
				}
			}
			if n := s.requests.Load(); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
		})
	}
}

func TestBasicAnswersNoOtherScheme(t *testing.T) {
	seen := &script{answers: []string{"401\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256, xBasic realm=\"r\""}}
	s := serve(t, seen)
	source, err := authclient.Basic("erin", "x")
	if err != nil {
		t.Fatal(err)
	}
	do(t, clientOf(t, source, []string{s.URL}), "GET", s.URL, "")
	equal(t, "sent", seen.sent("Authorization"), []string{""})
}

func TestAPIKeyIsSentAndNeverRepeated(t *testing.T) {
	seen := &script{answers: []string{"401\nWWW-Authenticate: ApiKey realm=\"r\", header=\"X-API-Key\""}}
	s := serve(t, seen)
	key, err := authclient.APIKey("X-API-Key", "k1.secret")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := clientOf(t, key, []string{s.URL}).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var unauthorized *authclient.UnauthorizedError
	if err := authclient.Check(resp); !errors.As(err, &unauthorized) {
		t.Errorf("%v", err)
	}
	equal(t, "sent", seen.sent("X-Api-Key"), []string{"k1.secret"})
}

func TestOwnCredentialsAreSentUnchanged(t *testing.T) {
	seen := &script{answers: []string{"401\nWWW-Authenticate: Bearer error=\"invalid_token\""}}
	s := serve(t, seen)
	tokens := &issuer{}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	req.Header.Set("Authorization", "Bearer own")
	doRequest(t, clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL}), req)
	equal(t, "sent", seen.sent("Authorization"), []string{"Bearer own"})
	if tokens.fetched() != 0 {
		t.Error("a token was fetched")
	}
}

func TestSourcesPrintNoSecret(t *testing.T) {
	tokens := bearerSource(t, new(issuer).fetch)
	s := serve(t, &script{answers: []string{"200"}})
	do(t, clientOf(t, tokens, []string{s.URL}), "GET", s.URL, "")
	key, _ := authclient.APIKey("X-API-Key", "hunter2")
	b, _ := authclient.Basic("erin", "hunter2")
	d, _ := authclient.Digest("erin", "hunter2")
	for _, source := range []any{key, b, d, tokens} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
			if text := fmt.Sprintf(verb, source); strings.Contains(text, "hunter2") || strings.Contains(text, "token-1") || text == "" {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
}
