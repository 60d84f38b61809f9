package jwtauth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// E11: a document that is not a JWK set changes nothing.
func TestGarbageKeepsTheKeys(t *testing.T) {
	small := jwtauth.WithMaxSetSize(1000)
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"html":        answers(200, "<html>down for maintenance</html>"),
		"empty":       answers(200, ""),
		"no keys":     answers(200, "{}"),
		"array":       answers(200, "["+edKey("b")+"]"),
		"single key":  answers(200, edKey("b")),
		"truncated":   answers(200, setOf(edKey("b"))[:60]),
		"twice":       answers(200, `{"keys":[],"keys":[]}`),
		"too large":   answers(200, setOf(edKey("b"))+strings.Repeat(" ", 1000)),
		"500":         answers(500, setOf(edKey("b"))),
		"404":         answers(404, setOf(edKey("b"))),
		"204":         answers(204, ""),
		"304 unasked": answers(304, ""),
		"other host":  leadsTo("https://elsewhere.example/jwks.json"),
		"no TLS":      leadsTo("http://issuer.example/jwks.json"),
		"other port":  leadsTo("https://issuer.example:8443/jwks.json"),
		"loop":        answers(302, "", "Location", keysURL),
		"broken body": func(*http.Request) (*http.Response, error) { return brokenBody(), nil },
		"panic":       func(*http.Request) (*http.Response, error) { panic("transport") },
		"endless":     func(*http.Request) (*http.Response, error) { return endless(), nil },
		"huge, stated": func(*http.Request) (*http.Response, error) {
			r := endless()
			r.ContentLength = 100 << 20
			return r, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p := new(published)
				p.serves(setOf(edKey("a")))
				var last atomic.Pointer[jwtauth.Refresh]
				r := fetching(t, p, small, jwtauth.WithRefreshObserver(func(f jwtauth.Refresh) { last.Store(&f) }))
				p.will(answer)
				wantKey(t, r, "b", "unavailable")
				wantKey(t, r, "a", "yes")
				if f := last.Load(); f.Err == nil || f.Keys != 1 || f.Changed || f.Next <= 0 || f.Next > time.Minute {
					t.Errorf("reported %+v", f)
				}
			})
		})
	}
}

func TestRedirectWithinTheHostIsFollowed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.will(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/moved.json" {
				return response(200, setOf(edKey("a"))), nil
			}
			return response(301, "", "Location", "/moved.json"), nil
		})
		wantKey(t, fetching(t, p), "a", "yes")
	})
}

// E07, E11: unusable keys are skipped one by one.
func TestUnusableKeysAreSkipped(t *testing.T) {
	secretKey := `{"kty":"oct","kid":"s","alg":"HS256","k":"` + strings.Repeat("A", 43) + `"}`
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a"), `{"kty":"EC","crv":"P-999","kid":"odd"}`, `7`, `null`, edKey("twice"), secretKey,
			`{"kty":"OKP","crv":"Ed25519","kid":"enc","use":"enc","x":"AA"}`, edKey("twice"), edKey("z"),
			`{"kid":["x"]}`, `{"kty":"`+strings.Repeat("x", 5000)+`"}`))
		var last atomic.Pointer[jwtauth.Refresh]
		r := fetching(t, p, jwtauth.WithRefreshObserver(func(f jwtauth.Refresh) { last.Store(&f) }))
		f := last.Load()
		if f.Err != nil || f.Keys != 2 || !f.Changed || len(f.Skipped) != 9 {
			t.Fatalf("reported %+v", f)
		}
		if text := fmt.Sprint(f.Skipped); len(text) > 3000 || !strings.Contains(text, `kid "odd"`) || !strings.Contains(text, "published") {
			t.Errorf("skipped %.500s", text)
		}
		for kid, want := range map[string]string{"a": "yes", "z": "yes", "odd": "no", "twice": "no", "s": "no", "enc": "no"} {
			wantKey(t, r, kid, want)
		}
	})
}

// A well-formed set without a usable key removes all keys. That is an outage: no client
// has to sign in again.
func TestEmptySet(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		for _, document := range []string{setOf(), setOf(`{"kty":"RSA"}`)} {
			p.serves(document)
			time.Sleep(20 * time.Minute)
			wantKey(t, r, "a", "unavailable")
			wantKey(t, r, "", "unavailable")
			p.serves(setOf(edKey("a")))
			time.Sleep(time.Minute)
			wantKey(t, r, "a", "yes")
		}
	})
}

func TestTooManyKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var keys []string
		for i := range 1001 {
			keys = append(keys, edKey(fmt.Sprint(i)))
		}
		p := new(published)
		p.serves(setOf(keys[:1000]...))
		r := fetching(t, p)
		wantKey(t, r, "999", "yes")
		p.serves(setOf(keys...))
		wantKey(t, r, "1000", "unavailable")
	})
}

// The issuer controls freshness, within bounds.
func TestRefreshTimes(t *testing.T) {
	for _, tc := range []struct {
		fields      []string
		least, most time.Duration
	}{
		{nil, 13 * time.Minute, 15 * time.Minute},
		{[]string{"Cache-Control", "max-age=1800"}, 27 * time.Minute, 30 * time.Minute},
		{[]string{"Cache-Control", `public, Max-Age="1800"`, "Age", "600"}, 18 * time.Minute, 20 * time.Minute},
		{[]string{"Cache-Control", "max-age=1800", "Age", "9999"}, 54 * time.Second, time.Minute},
		{[]string{"Cache-Control", "max-age=0"}, 54 * time.Second, time.Minute},
		{[]string{"Cache-Control", "no-store"}, 54 * time.Second, time.Minute},
		{[]string{"Cache-Control", "max-age=1800, no-cache"}, 54 * time.Second, time.Minute},
		{[]string{"Cache-Control", "max-age=31536000"}, 54 * time.Minute, time.Hour},
		{[]string{"Cache-Control", "max-age=99999999999999999999999"}, 54 * time.Minute, time.Hour},
		{[]string{"Cache-Control", "max-age=-1"}, 54 * time.Second, time.Minute},
		{[]string{"Cache-Control", "s-maxage=7"}, 13 * time.Minute, 15 * time.Minute},
	} {
		t.Run(fmt.Sprint(tc.fields), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p := new(published)
				p.serves(setOf(edKey("a")), tc.fields...)
				fetching(t, p)
				time.Sleep(tc.least - 1)
				if n := p.asked.Load(); n != 1 {
					t.Fatalf("%d fetches before %v", n, tc.least)
				}
				time.Sleep(tc.most - tc.least + 1)
				synctest.Wait()
				if n := p.asked.Load(); n != 2 {
					t.Errorf("%d fetches by %v", n, tc.most)
				}
			})
		})
	}
}

func TestRetryAfterCountsWithinBounds(t *testing.T) {
	for value, within := range map[string]bounds{
		"20": {20 * time.Second, 30 * time.Second}, "86400": {time.Minute, time.Minute},
		"0": {500 * time.Millisecond, time.Second}, "soon": {500 * time.Millisecond, time.Second},
	} {
		inBubble(t, func(t *testing.T) {
			p := new(published)
			p.will(answers(503, "", "Retry-After", value))
			fetching(t, p)
			time.Sleep(within.least - 1)
			if n := p.asked.Load(); n != 1 {
				t.Errorf("%s: %d fetches too early", value, n)
			}
			time.Sleep(within.most - within.least + 1)
			synctest.Wait()
			if n := p.asked.Load(); n < 2 {
				t.Errorf("%s: %d fetches", value, n)
			}
		})
	}
}

type bounds struct{ least, most time.Duration }

// RFC 9110 §13.1.2: an unchanged set is not sent again, and the keys count as confirmed.
func TestConditionalRequests(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		var conditions []string
		p.will(func(r *http.Request) (*http.Response, error) {
			conditions = append(conditions, r.Header.Get("If-None-Match"))
			if r.Header.Get("If-None-Match") == `"v1"` {
				return response(304, "", "Cache-Control", "max-age=1200"), nil
			}
			return response(200, setOf(edKey("a")), "ETag", `"v1"`), nil
		})
		var changes atomic.Int64
		r := fetching(t, p, jwtauth.WithMaxStale(2*time.Hour), jwtauth.WithRefreshObserver(func(f jwtauth.Refresh) {
			if f.Changed {
				changes.Add(1)
			}
		}))
		first, _ := r.Keys(context.Background(), "a")
		time.Sleep(5 * time.Hour)
		again, err := r.Keys(context.Background(), "a")
		if err != nil || len(again) != 1 || again[0] != first[0] {
			t.Errorf("keys %v, %v", again, err)
		}
		if changes.Load() != 1 || len(conditions) < 10 || conditions[0] != "" || conditions[1] != `"v1"` {
			t.Errorf("%d changes, conditions %q", changes.Load(), conditions)
		}
	})
}

// An identical document keeps the keys, so that cached tokens stay valid.
func TestSameSetKeepsItsKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		first, _ := r.Keys(context.Background(), "a")
		time.Sleep(time.Hour)
		again, _ := r.Keys(context.Background(), "a")
		if first[0] != again[0] {
			t.Error("another key")
		}
		p.serves(setOf(edKey("a"), edKey("b")))
		time.Sleep(time.Hour)
		if changed, _ := r.Keys(context.Background(), "a"); changed[0] == first[0] {
			t.Error("a new set kept the old key")
		}
	})
}

func TestObserverCannotHarm(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p, jwtauth.WithRefreshObserver(func(jwtauth.Refresh) { panic("observer") }))
		wantKey(t, r, "a", "yes")
	})
}
