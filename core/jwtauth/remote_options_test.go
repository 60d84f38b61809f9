package jwtauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func TestRemoteOptionsAreChecked(t *testing.T) {
	good := jwtauth.WithTransport(new(published))
	for name, tc := range map[string]struct {
		url  string
		opt  jwtauth.RemoteOption
		want string
	}{
		"no TLS":             {"http://issuer.example/jwks", good, "not https"},
		"no host":            {"https:///jwks", good, "not an absolute"},
		"relative":           {"/jwks.json", good, "not an absolute"},
		"other scheme":       {"file:///etc/jwks.json", good, "not an absolute"},
		"opaque":             {"https:issuer.example", good, "not an absolute"},
		"password":           {"https://u:hunter2@issuer.example/jwks", good, "holds credentials"},
		"fragment":           {"https://issuer.example/jwks#1", good, "fragment"},
		"bad":                {"https://issuer.example:x/", good, "not a URL"},
		"loopback lookalike": {"http://127.0.0.1.example/jwks", good, "not https"},
		"nil option":         {keysURL, nil, "is nil"},
		"timeout":            {keysURL, jwtauth.WithTimeout(0), "timeout"},
		"long timeout":       {keysURL, jwtauth.WithTimeout(time.Hour), "timeout"},
		"size":               {keysURL, jwtauth.WithMaxSetSize(0), "size"},
		"huge size":          {keysURL, jwtauth.WithMaxSetSize(1 << 30), "size"},
		"refresh":            {keysURL, jwtauth.WithRefreshInterval(60, 3600), "refresh"},
		"refresh turned":     {keysURL, jwtauth.WithRefreshInterval(2*time.Minute, time.Minute), "refresh"},
		"retry":              {keysURL, jwtauth.WithRetryInterval(1, 60), "retry"},
		"interval":           {keysURL, jwtauth.WithRefetchInterval(30), "interval"},
		"stale":              {keysURL, jwtauth.WithMaxStale(time.Hour), "max stale"},
		"transport":          {keysURL, jwtauth.WithTransport(nil), "transport"},
		"observer":           {keysURL, jwtauth.WithRefreshObserver(nil), "observer"},
		"clock":              {keysURL, jwtauth.WithRemoteClock(nil), "clock"},
		"key option":         {keysURL, jwtauth.WithKeySetOptions(nil), "nil"},
		"key algorithm":      {keysURL, jwtauth.WithKeySetOptions(jwtauth.WithRSAAlgorithm("ES256")), "RSA"},
		"metadata":           {keysURL, jwtauth.WithOAuthMetadata(), "Discover"},
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
		"http://issuer.internal/jwks":  {jwtauth.WithPlainHTTP()},
		"https://issuer.internal/jwks": nil,
	} {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r, err := jwtauth.Fetch(url, append(opts, jwtauth.WithTransport(p))...)
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

// H21: no error contains the query of an address.
func TestAddressesInErrorsHaveNoQuery(t *testing.T) {
	failing := map[string]func(*http.Request) (*http.Response, error){
		"no connection":          func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") },
		"500":                    answers(500, "SECRET"),
		"no set":                 answers(200, `{"SECRET":1}`),
		"another host":           answers(302, "", "Location", "https://u:SECRET@elsewhere.example/SECRET?SECRET#SECRET"),
		"redirect to no URL":     answers(302, "", "Location", "http://%zzSECRET/"),
		"redirect without end":   answers(302, "", "Location", "/keys?code=SECRET"),
		"metadata of somebody":   answers(200, `{"issuer":"https://elsewhere.example"}`),
		"keys without TLS":       answers(200, `{"issuer":"https://issuer.example","jwks_uri":"http://issuer.example/keys?SECRET"}`),
		"keys with a user":       answers(200, `{"issuer":"https://issuer.example","jwks_uri":"https://u:SECRET@issuer.example/keys?SECRET"}`),
		"keys with a fragment":   answers(200, `{"issuer":"https://issuer.example","jwks_uri":"https://issuer.example/keys#SECRET"}`),
		"keys at no address":     answers(200, `{"issuer":"https://issuer.example","jwks_uri":"https://SECRET b/"}`),
		"keys on another scheme": answers(200, `{"issuer":"https://issuer.example","jwks_uri":"ftp://issuer.example/?SECRET"}`),
	}
	for name, answer := range failing {
		for _, way := range []string{"Fetch", "Discover"} {
			t.Run(way+" "+name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					p := new(published)
					p.will(answer)
					var reported error
					opts := []jwtauth.RemoteOption{jwtauth.WithTransport(p), jwtauth.WithRefreshObserver(func(f jwtauth.Refresh) { reported = f.Err })}
					start, address := jwtauth.Discover, "https://issuer.example"
					if way == "Fetch" {
						start, address = jwtauth.Fetch, "https://issuer.example/keys?code=SECRET"
					}
					r, err := start(address, opts...)
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close()
					synctest.Wait()
					_, err = r.Keys(t.Context(), "a")
					for _, err := range []error{reported, err, r.Ready(canceled())} {
						if err == nil || strings.Contains(err.Error(), "SECRET") {
							t.Errorf("error %v", err)
						}
					}
				})
			})
		}
	}
	for _, address := range []string{
		"http://issuer.example/?SECRET", "https://u:SECRET@issuer.example/", "https://issuer.example/#SECRET", "ftp://issuer.example/?SECRET",
		"//issuer.example/?SECRET", "https:SECRET", "https://a b/SECRET", "https://issuer.example/?%zzSECRET",
	} {
		for way, start := range map[string]func(string, ...jwtauth.RemoteOption) (*jwtauth.RemoteKeys, error){"Fetch": jwtauth.Fetch, "Discover": jwtauth.Discover} {
			r, err := start(address, jwtauth.WithTransport(new(published)))
			if err == nil {
				r.Close()
				if way == "Discover" || !strings.Contains(address, "%zz") { // a query may be anything
					t.Errorf("%s %s: accepted", way, address)
				}
				continue
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%s: %v", way, err)
			}
		}
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestRemoteOptionsGivenTwice(t *testing.T) {
	for name, opt := range map[string]jwtauth.RemoteOption{
		"WithTimeout": jwtauth.WithTimeout(time.Second), "WithMaxSetSize": jwtauth.WithMaxSetSize(1), "WithMaxStale": jwtauth.WithMaxStale(5 * time.Hour),
		"WithRefreshInterval": jwtauth.WithRefreshInterval(time.Second, time.Minute), "WithRetryInterval": jwtauth.WithRetryInterval(time.Second, time.Minute), "WithRefetchInterval": jwtauth.WithRefetchInterval(time.Second),
		"WithTransport": jwtauth.WithTransport(new(published)), "WithRefreshObserver": jwtauth.WithRefreshObserver(func(jwtauth.Refresh) {}),
		"WithRemoteClock": jwtauth.WithRemoteClock(time.Now), "WithRSAAlgorithm": jwtauth.WithKeySetOptions(jwtauth.WithRSAAlgorithm("RS256")),
	} {
		if _, err := jwtauth.Fetch("https://issuer.example/", opt, opt); err == nil || !strings.Contains(err.Error(), name+" is given twice") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
