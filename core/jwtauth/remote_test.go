package jwtauth_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

const keysURL = "https://issuer.example/jwks.json"

// published is an issuer's server, in memory so that time can be made up.
type published struct {
	mu     sync.Mutex
	answer func(r *http.Request) (*http.Response, error)
	asked  atomic.Int64
}

func (p *published) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked.Add(1)
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	resp, err := answer(r)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func (p *published) will(answer func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// serves answers with a document; fields are name, value, name, value …
func (p *published) serves(document string, fields ...string) {
	p.will(func(*http.Request) (*http.Response, error) { return response(200, document, fields...), nil })
}

func (p *published) fails() {
	p.will(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
}

// stalls answers when the request has been given up.
func (p *published) stalls() {
	p.will(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	})
}

func response(status int, document string, fields ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Add(fields[i], fields[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, ContentLength: -1, Body: io.NopCloser(strings.NewReader(document))}
}

// edPrivate is a key that follows from its kid.
func edPrivate(kid string) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, kid)
	return ed25519.NewKeyFromSeed(seed)
}

// edKey is the public half as a JWK.
func edKey(kid string) string {
	public := edPrivate(kid).Public().(ed25519.PublicKey)
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}`, kid, base64.RawURLEncoding.EncodeToString(public))
}

func setOf(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// fetching starts a source on p whose first fetch has ended.
func fetching(t *testing.T, p *published, opts ...jwtauth.RemoteOption) *jwtauth.RemoteKeys {
	t.Helper()
	r, err := jwtauth.Fetch(keysURL, append([]jwtauth.RemoteOption{jwtauth.Transport(p)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	synctest.Wait()
	return r
}

// has is what a source says of a key: "yes", "no" (401) or "unavailable" (503).
func has(t testing.TB, r *jwtauth.RemoteKeys, kid string) string {
	t.Helper()
	keys, err := r.Keys(context.Background(), kid)
	var down *core.UnavailableError
	switch {
	case errors.As(err, &down):
		return "unavailable"
	case err != nil:
		t.Errorf("kid %q: %v", kid, err)
		return err.Error()
	case len(keys) == 0:
		return "no"
	}
	return "yes"
}

func wantKey(t testing.TB, r *jwtauth.RemoteKeys, kid, want string) {
	t.Helper()
	if got := has(t, r, kid); got != want {
		t.Errorf("kid %q: %s, want %s", kid, got, want)
	}
}

// inBubble is synctest.Test: an hour passes at once.
func inBubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// E08: one fetch for a flood, and nobody waits once it has ended.
func TestUnknownKeyIsFetchedOncePerInterval(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		before := p.asked.Load()
		start := time.Now()
		for i := range 10_000 {
			wantKey(t, r, fmt.Sprint("made up ", i), "no")
		}
		if n := p.asked.Load() - before; n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("the flood waited %v", d)
		}
		time.Sleep(30*time.Second - 1)
		wantKey(t, r, "made up", "no")
		if n := p.asked.Load() - before; n != 1 {
			t.Errorf("%d fetches before the interval ended, want 1", n)
		}
		time.Sleep(time.Nanosecond)
		wantKey(t, r, "made up", "no")
		if n := p.asked.Load() - before; n != 2 {
			t.Errorf("%d fetches after the interval, want 2", n)
		}
	})
}

// E08: those who come while the fetch is under way get its answer.
func TestRequestsShareTheFetchUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		p.will(func(*http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return response(200, setOf(edKey("a"), edKey("b"))), nil
		})
		before := p.asked.Load()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { wantKey(t, r, "b", "yes") })
			all.Go(func() { wantKey(t, r, "c", "no") })
		}
		synctest.Wait()
		start := time.Now()
		wantKey(t, r, "a", "yes")
		if time.Since(start) != 0 {
			t.Error("a known key waited for the fetch")
		}
		all.Wait()
		if n := p.asked.Load() - before; n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

// E09: replace, not merge.
func TestRotation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("old"), edKey("both")), "Cache-Control", "public, max-age=600")
		r := fetching(t, p)
		wantKey(t, r, "old", "yes")
		p.serves(setOf(edKey("both"), edKey("new")))
		wantKey(t, r, "new", "yes") // by a fetch for its sake
		wantKey(t, r, "old", "no")
		wantKey(t, r, "both", "yes")

		p.serves(setOf(edKey("third")))
		time.Sleep(15 * time.Minute) // without being asked for
		wantKey(t, r, "new", "no")
		wantKey(t, r, "third", "yes")
	})
}

// E10: known keys serve through an outage up to the limit, then it is 503, and
// it ends by itself.
func TestOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p, jwtauth.MaxStale(3*time.Hour))
		p.fails()
		wantKey(t, r, "b", "unavailable") // it may be a new key
		wantKey(t, r, "b", "unavailable")
		time.Sleep(3 * time.Hour)
		wantKey(t, r, "a", "yes")
		time.Sleep(time.Nanosecond)
		wantKey(t, r, "a", "unavailable")
		wantKey(t, r, "", "unavailable")
		p.serves(setOf(edKey("a")))
		time.Sleep(time.Minute)
		wantKey(t, r, "a", "yes")
		wantKey(t, r, "b", "no")
	})
}

// E10: never loaded is 503 with Retry-After, never 401.
func TestColdStart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.fails()
		r := fetching(t, p)
		_, err := r.Keys(context.Background(), "a")
		var down *core.UnavailableError
		if !errors.As(err, &down) || down.RetryAfter < time.Second || down.RetryAfter > time.Minute {
			t.Errorf("error %#v", err)
		}
		before := p.asked.Load()
		for range 1000 {
			wantKey(t, r, "a", "unavailable")
		}
		if n := p.asked.Load(); n != before {
			t.Errorf("%d fetches for requests that could not be served", n-before)
		}
		time.Sleep(10 * time.Minute)
		if n := p.asked.Load() - before; n < 10 || n > 25 {
			t.Errorf("%d retries in 10 minutes", n)
		}
		p.serves(setOf(edKey("a")))
		if err := r.Ready(context.Background()); err != nil {
			t.Error(err)
		}
		wantKey(t, r, "a", "yes")
	})
}

func TestRequestsWaitForTheFirstFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.will(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return response(200, setOf(edKey("a"))), nil
		})
		r := fetching(t, p)
		wantKey(t, r, "a", "yes")
	})
}

// A server that never answers holds a request no longer than the timeout, and a
// request that is given up no longer than that.
func TestStalledFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p, jwtauth.FetchTimeout(3*time.Second))
		p.stalls()
		start := time.Now()
		wantKey(t, r, "b", "unavailable")
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("waited %v", d)
		}
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if _, err := r.Keys(ctx, "b"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		wantKey(t, r, "a", "yes")
	})
}

// E11: what is no JWK set changes nothing.
func TestGarbageKeepsTheKeys(t *testing.T) {
	small := jwtauth.MaxSetSize(1000)
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
				r := fetching(t, p, small, jwtauth.OnRefresh(func(f jwtauth.Refresh) { last.Store(&f) }))
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

func answers(status int, document string, fields ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return response(status, document, fields...), nil }
}

// leadsTo redirects to a place where good keys are.
func leadsTo(place string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.URL.String() == place {
			return response(200, setOf(edKey("a"), edKey("b"))), nil
		}
		return response(302, "", "Location", place), nil
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// endless is an answer without an end: reading all of it would not return.
func endless() *http.Response {
	r := response(200, "")
	r.Body = io.NopCloser(zeros{})
	return r
}

func brokenBody() *http.Response {
	r := response(200, "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(setOf(edKey("b"))), brokenReader{}))
	return r
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

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

// E07, E11: keys that cannot be used are passed over one by one.
func TestOddKeysArePassedOver(t *testing.T) {
	secretKey := `{"kty":"oct","kid":"s","alg":"HS256","k":"` + strings.Repeat("A", 43) + `"}`
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a"), `{"kty":"EC","crv":"P-999","kid":"odd"}`, `7`, `null`, edKey("twice"), secretKey,
			`{"kty":"OKP","crv":"Ed25519","kid":"enc","use":"enc","x":"AA"}`, edKey("twice"), edKey("z"),
			`{"kid":["x"]}`, `{"kty":"`+strings.Repeat("x", 5000)+`"}`))
		var last atomic.Pointer[jwtauth.Refresh]
		r := fetching(t, p, jwtauth.OnRefresh(func(f jwtauth.Refresh) { last.Store(&f) }))
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

// A well-formed set without a usable key takes all keys away. It is an outage:
// no client has to sign in anew for it.
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

// Freshness is the issuer's to say, within bounds.
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
	for value, most := range map[string]time.Duration{"20": 20 * time.Second, "86400": time.Minute, "0": time.Second, "soon": time.Second} {
		inBubble(t, func(t *testing.T) {
			p := new(published)
			p.will(answers(503, "", "Retry-After", value))
			fetching(t, p)
			time.Sleep(most*8/10 - 1)
			if n := p.asked.Load(); n != 1 {
				t.Errorf("%s: %d fetches too early", value, n)
			}
			time.Sleep(most)
			if n := p.asked.Load(); n < 2 {
				t.Errorf("%s: %d fetches", value, n)
			}
		})
	}
}

// RFC 9110 §13.1.2: an unchanged set is not sent again, and confirms the keys.
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
		r := fetching(t, p, jwtauth.MaxStale(2*time.Hour), jwtauth.OnRefresh(func(f jwtauth.Refresh) {
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

// The same text keeps the keys as they are, so that verified tokens stay good.
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

func TestCloseEndsFetching(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		p.stalls()
		waiting := make(chan string)
		go func() { waiting <- has(t, r, "b") }()
		synctest.Wait()
		r.Close()
		r.Close()
		if got := <-waiting; got != "unavailable" {
			t.Errorf("who waited got %q", got)
		}
		before := p.asked.Load()
		time.Sleep(3 * time.Hour)
		wantKey(t, r, "a", "yes")
		wantKey(t, r, "c", "unavailable")
		if p.asked.Load() != before {
			t.Error("fetched after Close")
		}
		if err := r.Ready(context.Background()); err != nil {
			t.Error(err)
		}
	}) // synctest fails the test when a goroutine is left
}

func TestReadyGivesUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.fails()
		r := fetching(t, p)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("error %v", err)
		}
		r.Close()
		if err := r.Ready(context.Background()); err == nil {
			t.Error("ready without keys")
		}
	})
}

func TestObserverCannotHarm(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p, jwtauth.OnRefresh(func(jwtauth.Refresh) { panic("observer") }))
		wantKey(t, r, "a", "yes")
	})
}

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
