package jwtauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

const issuerURL = "https://issuer.example/realm"

// issuerSays serves metadata at one path and keys at all others.
func issuerSays(p *published, path, metadata string, keys func(r *http.Request) (*http.Response, error)) {
	p.will(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == path {
			return response(200, metadata), nil
		}
		return keys(r)
	})
}

func discovering(t *testing.T, p *published, issuer string, opts ...jwtauth.RemoteOption) *jwtauth.RemoteKeys {
	t.Helper()
	r, err := jwtauth.Discover(issuer, append([]jwtauth.RemoteOption{jwtauth.WithTransport(p)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	synctest.Wait()
	return r
}

// OpenID Connect Discovery 1.0 §4, RFC 8414 §3.1.
func TestMetadataAddresses(t *testing.T) {
	for _, tc := range []struct {
		issuer, path string
		opts         []jwtauth.RemoteOption
	}{
		{"https://issuer.example", "/.well-known/openid-configuration", nil},
		{"https://issuer.example/", "/.well-known/openid-configuration", nil},
		{"https://issuer.example/realm", "/realm/.well-known/openid-configuration", nil},
		{"https://issuer.example/realm/", "/realm/.well-known/openid-configuration", nil},
		{"https://issuer.example", "/.well-known/oauth-authorization-server", []jwtauth.RemoteOption{jwtauth.WithOAuthMetadata()}},
		{"https://issuer.example/a/b", "/.well-known/oauth-authorization-server/a/b", []jwtauth.RemoteOption{jwtauth.WithOAuthMetadata()}},
	} {
		inBubble(t, func(t *testing.T) {
			p := new(published)
			issuerSays(p, tc.path, fmt.Sprintf(`{"issuer":%q,"jwks_uri":"https://keys.example/k"}`, tc.issuer), answers(200, setOf(edKey("a"))))
			wantKey(t, discovering(t, p, tc.issuer, tc.opts...), "a", "yes")
		})
	}
}

// E12: RFC 8414 §3.3, compared exactly.
func TestMetadataOfAnotherIssuerIsRefused(t *testing.T) {
	for _, metadata := range []string{
		`{"issuer":"https://issuer.example/realm/","jwks_uri":"https://keys.example/k"}`,
		`{"issuer":"https://issuer.example/Realm","jwks_uri":"https://keys.example/k"}`,
		`{"issuer":"https://issuer.example:443/realm","jwks_uri":"https://keys.example/k"}`,
		`{"issuer":"https://evil.example","jwks_uri":"https://keys.example/k"}`,
		`{"issuer":["https://issuer.example/realm"],"jwks_uri":"https://keys.example/k"}`,
		`{"Issuer":"https://issuer.example/realm","jwks_uri":"https://keys.example/k"}`,
		`{"issuer":"https://issuer.example/realm","issuer":"https://issuer.example/realm","jwks_uri":"https://keys.example/k"}`,
		`{"jwks_uri":"https://keys.example/k"}`,
		`{"issuer":"https://issuer.example/realm"}`,
		`{"issuer":"https://issuer.example/realm","jwks_uri":7}`,
		`{"issuer":"https://issuer.example/realm","jwks_uri":"http://keys.example/k"}`,
		`{"issuer":"https://issuer.example/realm","jwks_uri":"http://127.0.0.1/k"}`,
		`{"issuer":"https://issuer.example/realm","jwks_uri":"file:///k"}`,
		`{"issuer":"https://issuer.example/realm","jwks_uri":"https://u:p@keys.example/k"}`,
		`null`, ``, `[]`,
		`{"issuer":"https://issuer.example/realm","jwks_uri":"https://keys.example/k"}` + strings.Repeat(" ", 1<<20),
	} {
		t.Run(metadata[:min(len(metadata), 100)], func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p := new(published)
				var fetched atomic.Int64
				issuerSays(p, "/realm/.well-known/openid-configuration", metadata, func(*http.Request) (*http.Response, error) {
					fetched.Add(1)
					return response(200, setOf(edKey("a"))), nil
				})
				r := discovering(t, p, issuerURL)
				wantKey(t, r, "a", "unavailable")
				if fetched.Load() != 0 {
					t.Error("keys were fetched anyway")
				}
			})
		})
	}
}

// Keys may move, and an issuer that is unavailable at the start recovers.
func TestDiscoveryFollowsTheIssuer(t *testing.T) {
	const path = "/realm/.well-known/openid-configuration"
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.fails()
		r := discovering(t, p, issuerURL)
		wantKey(t, r, "a", "unavailable")

		keys := func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/1" {
				return response(200, setOf(edKey("a")), "ETag", `"same"`), nil
			}
			if r.Header.Get("If-None-Match") != "" {
				return response(304, ""), nil
			}
			return response(200, setOf(edKey("b")), "ETag", `"same"`), nil
		}
		issuerSays(p, path, `{"issuer":"`+issuerURL+`","jwks_uri":"https://keys.example/1"}`, keys)
		time.Sleep(10 * time.Second)
		wantKey(t, r, "a", "yes")

		before := p.asked.Load()
		wantKey(t, r, "made up", "no")
		if n := p.asked.Load() - before; n != 1 {
			t.Errorf("%d requests for an unknown key, want 1: the address is known", n)
		}
		issuerSays(p, path, `{"issuer":"`+issuerURL+`","jwks_uri":"https://keys.example/2"}`, keys)
		time.Sleep(15 * time.Minute)
		wantKey(t, r, "b", "yes")
		wantKey(t, r, "a", "no")
	})
}

func TestIssuerAddressIsChecked(t *testing.T) {
	for _, issuer := range []string{
		"", "issuer.example", "http://issuer.example", "https://issuer.example?x=1", "https://issuer.example?", "https://issuer.example#x",
		"https://issuer.example/a%2Fb",
	} {
		if r, err := jwtauth.Discover(issuer); err == nil {
			r.Close()
			t.Errorf("%q is accepted", issuer)
		}
	}
	if _, err := jwtauth.Discover(issuerURL, jwtauth.WithTimeout(0)); err == nil {
		t.Error("a bad option is accepted")
	}
}
