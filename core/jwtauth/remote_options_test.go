package jwtauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func TestRemoteOptionsAreChecked(t *testing.T) {
	good := jwtauth.Transport(new(published))
	for name, tc := range map[string]struct {
		url  string
		opt  jwtauth.RemoteOption
		want string
	}{
		"no TLS":             {"http://issuer.example/jwks", good, "not https"},
		"no host":            {"https:///jwks", good, "no absolute"},
		"relative":           {"/jwks.json", good, "no absolute"},
		"other scheme":       {"file:///etc/jwks.json", good, "no absolute"},
		"opaque":             {"https:issuer.example", good, "no absolute"},
		"password":           {"https://u:hunter2@issuer.example/jwks", good, "holds credentials"},
		"fragment":           {"https://issuer.example/jwks#1", good, "fragment"},
		"bad":                {"https://issuer.example:x/", good, "not a URL"},
		"loopback lookalike": {"http://127.0.0.1.example/jwks", good, "not https"},
		"nil option":         {keysURL, nil, "is nil"},
		"timeout":            {keysURL, jwtauth.FetchTimeout(0), "timeout"},
		"long timeout":       {keysURL, jwtauth.FetchTimeout(time.Hour), "timeout"},
		"size":               {keysURL, jwtauth.MaxSetSize(0), "size"},
		"huge size":          {keysURL, jwtauth.MaxSetSize(1 << 30), "size"},
		"refresh":            {keysURL, jwtauth.RefreshBetween(0, 1), "refresh"},
		"refresh turned":     {keysURL, jwtauth.RefreshBetween(2, 1), "refresh"},
		"retry":              {keysURL, jwtauth.RetryBetween(0, 1), "retry"},
		"interval":           {keysURL, jwtauth.RefetchInterval(0), "interval"},
		"stale":              {keysURL, jwtauth.MaxStale(time.Hour), "max stale"},
		"transport":          {keysURL, jwtauth.Transport(nil), "transport"},
		"observer":           {keysURL, jwtauth.OnRefresh(nil), "callback"},
		"clock":              {keysURL, jwtauth.RemoteClock(nil), "clock"},
		"key option":         {keysURL, jwtauth.ReadKeys(nil), "nil"},
		"key algorithm":      {keysURL, jwtauth.ReadKeys(jwtauth.RSAAlgorithm("ES256")), "RSA"},
		"metadata":           {keysURL, jwtauth.OAuthMetadata(), "Discover"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := jwtauth.Fetch(tc.url, tc.opt)
			if err == nil {
				r.Close()
				t.Fatal("accepted")
			}
			if text := err.Error(); !strings.HasPrefix(text, "jwtauth: ") || !strings.Contains(text, tc.want) || strings.Contains(text, "hunter2") {
				t.Errorf("error %q, want %q in it", text, tc.want)
			}
		})
	}
}

func TestAddressesWithoutTLS(t *testing.T) {
	for url, opts := range map[string][]jwtauth.RemoteOption{
		"http://127.0.0.1:1/jwks":      nil,
		"http://[::1]:1/jwks":          nil,
		"http://localhost:1/jwks":      nil,
		"http://issuer.internal/jwks":  {jwtauth.AllowHTTP()},
		"https://issuer.internal/jwks": nil,
	} {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r, err := jwtauth.Fetch(url, append(opts, jwtauth.Transport(p))...)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if err := r.Ready(t.Context()); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		r.Close()
	}
}
