package jwttest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

var publishedCases = []testCase{
	{"E07 a kid that comes twice names no key", kidTwice},
	{"E08 unknown keys cause a few fetches", unknownKids},
	{"E09 keys are replaced", rotation},
	{"E09 a new key under the name of the old one", sameKid},
	{"E10 known keys outlive an outage for a while", outage},
	{"E10 without keys it is 503 until they are there", coldStart},
	{"E11 one odd key is passed over", oddKey},
	{"E11 what is no key set changes nothing", noKeySet},
	{"E11 a key server that never answers holds nobody up", stalled},
	{"E11 no redirect leads to another host", redirects},
	{"E12 issuers do not mix", issuers},
	{"E12 metadata names the issuer to the letter", metadata},
}

// kidTwice: an ambiguous kid is refused at no cost to other keys.
func kidTwice(t *testing.T, b bench) {
	twin := (&keys{signing: b.keys.foreign}).jwk(t, "ES256")
	p := publish(t, setOf(t, b.keys.jwk(t, "ES256"), twin, b.keys.jwk(t, "EdDSA"), b.keys.jwk(t, "RS256"), b.keys.jwk(t, "ES384"),
		func() map[string]any {
			second := b.keys.jwk(t, "ES384")
			second["kid"] = "second"
			return second
		}()))
	s := b.serveFor(t, verifier(t, p.remote(t)))
	bare := func(alg string) string { return s.keys.token(t, alg, `{"alg":"`+alg+`"}`, claims()) }
	s.try(onPublic,
		attempt{"the kid that is there twice", s.keys.good(t, "ES256"), core.ReasonUnknownKey},
		attempt{"by the other one", signed(t, "ES256", s.keys.foreign["ES256"], unsigned(header("ES256"), claims())), core.ReasonUnknownKey},
		attempt{"another kid", s.keys.good(t, "EdDSA"), ""},
		attempt{"no kid, one key fits", bare("RS256"), ""},
		attempt{"no kid, two keys fit", bare("ES384"), core.ReasonUnknownKey},
		attempt{"no kid, no key fits", bare("ES256"), core.ReasonBadAlgorithm})
}

// unknownKids: a few fetches, after which no request waits. 401 is for keys known not to
// exist, 503 for those still to be fetched; both events have the same reason, which is
// not an outage.
func unknownKids(t *testing.T, b bench) {
	p := publish(t, b.keys.jwks(t))
	s := b.serveFor(t, verifier(t, p.remote(t, jwtauth.WithRefetchInterval(time.Hour))))
	before := p.asked.Load()
	token := func(name string) string {
		return s.keys.token(t, "ES256", fmt.Sprintf(`{"alg":"ES256","kid":%q}`, name), claims())
	}
	s.try(onPublic, attempt{"the first one", token("first"), core.ReasonUnknownKey}, attempt{"again", token("first"), core.ReasonUnknownKey})
	var all sync.WaitGroup
	var refused, later atomic.Int64
	const workers, each = 8, 125
	for w := range workers {
		all.Go(func() {
			for i := range each {
				a := authtest.Send(t, s.addr, authtest.Request("GET", onPublic, authorization(token(fmt.Sprintf("made-up-%d-%d", w, i)))))
				switch a.Status {
				case http.StatusUnauthorized:
					refused.Add(1)
				case http.StatusServiceUnavailable:
					later.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n, m := refused.Load(), later.Load(); n+m != workers*each || n < 1 {
		t.Errorf("%d of %d were 401 and %d were 503", n, workers*each, m)
	}
	if n := p.asked.Load() - before; n != 5 {
		t.Errorf("%d fetches, want 5", n)
	}
	s.unavailable(onPublic, token("one more"))
	if e := s.events.Last(t); e.Reason != core.ReasonUnknownKey || e.Outcome != core.OutcomeUnavailable {
		t.Errorf("event %s %s", e.Outcome, e.Reason)
	}
	s.try(onPublic, attempt{"a known key", s.keys.good(t, "ES256"), ""}, attempt{"the first one", token("first"), core.ReasonUnknownKey})
}

// sameKid: the issuer has replaced a key under the same kid.
func sameKid(t *testing.T, b bench) {
	stranger := &keys{signing: b.keys.foreign}
	p := publish(t, setOf(t, b.keys.jwk(t, "ES256")))
	s := b.serveFor(t, verifier(t, p.remote(t)))
	old, next := s.keys.good(t, "ES256"), stranger.good(t, "ES256")
	s.try(onPublic, attempt{"the old key", old, ""})
	p.serves(setOf(t, stranger.jwk(t, "ES256")))
	s.try(onPublic, attempt{"the new key", next, ""}, attempt{"the old key, kept or not", old, core.ReasonBadSignature})
	before := p.asked.Load()
	for range 20 {
		s.try(onPublic, attempt{"the old key", old, core.ReasonBadSignature})
	}
	if n := p.asked.Load() - before; n != 0 {
		t.Errorf("%d fetches for bad signatures", n)
	}
}

func rotation(t *testing.T, b bench) {
	p := publish(t, setOf(t, b.keys.jwk(t, "ES256")))
	s := b.serveFor(t, verifier(t, p.remote(t)))
	old, next := s.keys.good(t, "ES256"), s.keys.good(t, "EdDSA")
	s.try(onPublic, attempt{"the old key", old, ""}, attempt{"the old key again", old, ""})
	p.serves(setOf(t, b.keys.jwk(t, "EdDSA")))
	s.try(onPublic,
		attempt{"the new key", next, ""},
		attempt{"the old key", old, core.ReasonUnknownKey},
		attempt{"the new key again", next, ""})
}

// outage: RFC 9110 §15.6.4.
func outage(t *testing.T, b bench) {
	p := publish(t, b.keys.jwks(t))
	var passed atomic.Int64 // time for the keys' clock
	now := func() time.Time { return time.Unix(noon+passed.Load(), 0) }
	keys := p.remoteEvery(t, often, jwtauth.WithMaxStale(time.Hour), jwtauth.WithRemoteClock(now))
	s := b.serveFor(t, verifier(t, keys))
	known := s.keys.good(t, "ES256")
	unknown := s.keys.token(t, "ES256", `{"alg":"ES256","kid":"perhaps-new"}`, claims())
	p.fails()
	p.awaitFresh(t, failed)
	s.try(onPublic, attempt{"at once", known, ""})
	s.unavailable(onPublic, unknown)
	passed.Store(3600)
	s.try(onPublic, attempt{"after an hour", known, ""})
	passed.Store(3601)
	s.unavailable(onPublic, known)
	s.unavailable(onPublic, s.keys.good(t, "EdDSA"))
	p.serves(b.keys.jwks(t))
	p.awaitFresh(t, good)
	s.try(onPublic, attempt{"after the outage", known, ""}, attempt{"unknown after the outage", unknown, core.ReasonUnknownKey})
}

func coldStart(t *testing.T, b bench) {
	p := publish(t, nil)
	p.fails()
	s := b.serveFor(t, verifier(t, p.remoteEvery(t, often)))
	s.unavailable(onPublic, s.keys.good(t, "ES256"))
	s.unavailable(onScope, s.keys.good(t, "ES256", `"exp":1`)) // unknown
	s.refuse(onPublic, refusal{http.StatusUnauthorized, core.CodeAuthenticationRequired, core.ReasonNoCredentials, ""})
	p.serves(b.keys.jwks(t))
	p.awaitFresh(t, good)
	s.try(onPublic, attempt{"once the keys are there", s.keys.good(t, "ES256"), ""})
}

func oddKey(t *testing.T, b bench) {
	odd := b.keys.jwk(t, "ES384")
	odd["crv"] = "P-999"
	private := b.keys.jwk(t, "ES512")
	private["d"] = "AQAB"
	secret := map[string]any{"kty": "oct", "kid": kid("HS256"), "alg": "HS256", "k": base64url(b.keys.signing["HS256"].([]byte))}
	p := publish(t, setOf(t, odd, private, secret, map[string]any{}, map[string]any{"kty": 7}, b.keys.jwk(t, "ES256")))
	s := b.serveFor(t, verifier(t, p.remote(t)))
	s.try(onPublic,
		attempt{"the good key", s.keys.good(t, "ES256"), ""},
		attempt{"the odd key", s.keys.good(t, "ES384"), core.ReasonUnknownKey},
		attempt{"the private key", s.keys.good(t, "ES512"), core.ReasonUnknownKey},
		attempt{"the secret", s.keys.good(t, "HS256"), core.ReasonUnknownKey})
}

// noKeySet: whatever is served, the previous keys stay.
func noKeySet(t *testing.T, b bench) {
	p := publish(t, b.keys.jwks(t))
	r := p.remoteEvery(t, often, jwtauth.WithMaxSetSize(100_000))
	p.awaitFresh(t, good)
	s := b.serveFor(t, verifier(t, r))
	for name, answer := range map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"HTML": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>down for maintenance</html>"))
		},
		"no set":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"too large": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(" "), 200_000)) },
		"endless":   torrent,
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"keys":[`))
		},
	} {
		p.will(answer)
		p.awaitFresh(t, failed)
		s.try(onPublic, attempt{name, s.keys.good(t, "ES256"), ""})
	}
}

// stalled: a server that never answers delays no request with a known key. Close ends the
// fetch, so that the case depends on no time limit.
func stalled(t *testing.T, b bench) {
	p := publish(t, b.keys.jwks(t))
	r := p.remoteEvery(t, often)
	p.awaitFresh(t, good)
	s := b.serveFor(t, verifier(t, r))
	under := make(chan struct{}, 1)
	p.will(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case under <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	})
	<-under
	s.try(onPublic, attempt{"during the fetch", s.keys.good(t, "ES256"), ""})
	r.Close()
	s.try(onPublic, attempt{"after it", s.keys.good(t, "ES256"), ""})
}

func redirects(t *testing.T, b bench) {
	elsewhere := publish(t, b.keys.jwks(t))
	p := publish(t, nil)
	p.will(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	s := b.serveFor(t, verifier(t, p.remoteEvery(t, often)))
	s.unavailable(onPublic, s.keys.good(t, "ES256"))
	if n := elsewhere.asked.Load(); n != 0 {
		t.Errorf("the other host was contacted %d times", n)
	}
	p.will(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/moved" {
			http.Redirect(w, r, "/moved", http.StatusFound)
			return
		}
		_, _ = w.Write(b.keys.jwks(t))
	})
	p.awaitFresh(t, good)
	s.try(onPublic, attempt{"moved on the same host", s.keys.good(t, "ES256"), ""})
}

// issuers: RFC 8725 §3.8. Both use the same kid.
func issuers(t *testing.T, b bench) {
	stranger := &keys{signing: b.keys.foreign}
	first := discovered(t, setOf(t, b.keys.jwk(t, "ES256")))
	second := discovered(t, setOf(t, stranger.jwk(t, "ES256"), stranger.jwk(t, "EdDSA")))
	all, err := jwtauth.NewIssuers(
		first.verifier(t, jwtauth.WithAudience(audience)),
		second.verifier(t, jwtauth.WithAudience("payroll"), jwtauth.WithAlgorithms("ES256")))
	if err != nil {
		t.Fatal(err)
	}
	s := b.serveFor(t, all)
	of := func(p *publisher, aud string) string {
		return claims(fmt.Sprintf(`"iss":%q`, p.URL), fmt.Sprintf(`"aud":%q`, aud))
	}
	sign := func(k *keys, alg, claims string) string { return k.token(t, alg, header(alg), claims) }
	for range 2 { // the second time possibly from the cache
		s.try(onPublic,
			attempt{"first", sign(b.keys, "ES256", of(first.publisher, audience)), ""},
			attempt{"second", sign(stranger, "ES256", of(second.publisher, "payroll")), ""},
			attempt{"first by the second's key", sign(stranger, "ES256", of(first.publisher, audience)), core.ReasonBadSignature},
			attempt{"second by the first's key", sign(b.keys, "ES256", of(second.publisher, "payroll")), core.ReasonBadSignature},
			attempt{"first by a key that only the second has", sign(stranger, "EdDSA", of(first.publisher, audience)), core.ReasonUnknownKey},
			attempt{"second by an algorithm it must not use", sign(stranger, "EdDSA", of(second.publisher, "payroll")), core.ReasonBadAlgorithm},
			attempt{"first for the second's audience", sign(b.keys, "ES256", of(first.publisher, "payroll")), core.ReasonWrongAudience},
			attempt{"second for the first's audience", sign(stranger, "ES256", of(second.publisher, audience)), core.ReasonWrongAudience},
			attempt{"nobody's", sign(b.keys, "ES256", claims()), core.ReasonWrongIssuer},
			attempt{"no issuer", sign(b.keys, "ES256", claims(`"iss"`)), core.ReasonWrongIssuer},
			attempt{"with a slash", sign(b.keys, "ES256", claims(fmt.Sprintf(`"iss":%q`, first.URL+"/"))), core.ReasonWrongIssuer})
	}
}

// discoverable is a publisher found through its metadata.
type discoverable struct {
	*publisher
	source *jwtauth.RemoteKeys
}

func discovered(t testing.TB, set []byte) discoverable {
	t.Helper()
	p := publish(t, set)
	p.will(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.well-known/") {
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, p.URL, p.URL+"/keys")
			return
		}
		_, _ = w.Write(set)
	})
	source, err := jwtauth.Discover(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return discoverable{p, source}
}

func (d discoverable) verifier(t testing.TB, opts ...jwtauth.Option) *jwtauth.Verifier {
	t.Helper()
	v, err := jwtauth.New(d.source, append(opts, jwtauth.WithIssuer(d.URL),
		jwtauth.WithClock(func() time.Time { return time.Unix(noon, 0) }))...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// metadata: RFC 8414 §3.3. Metadata with another issuer is refused.
func metadata(t *testing.T, b bench) {
	for _, named := range []func(url string) string{
		func(url string) string { return url + "/" },
		func(url string) string { return strings.Replace(url, "http:", "HTTP:", 1) },
		func(string) string { return issuer },
		func(string) string { return "" },
	} {
		d := discovered(t, b.keys.jwks(t))
		d.will(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, named(d.URL), d.URL+"/keys")
		})
		source, err := jwtauth.Discover(d.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(source.Close)
		d.source = source
		s := b.serveFor(t, d.verifier(t, jwtauth.WithAudience(audience)))
		s.unavailable(onPublic, s.keys.good(t, "ES256", fmt.Sprintf(`"iss":%q`, d.URL)))
	}
}

// often makes fetches frequent, for cases about them.
const often = 10 * time.Millisecond

// remote is a key source on the publisher that fetches for an unknown key, and otherwise
// not during the test.
func (p *publisher) remote(t testing.TB, opts ...jwtauth.RemoteOption) *jwtauth.RemoteKeys {
	t.Helper()
	return p.remoteEvery(t, time.Hour, opts...)
}

// awaitFresh waits for a fetch that began after the call.
func (p *publisher) awaitFresh(t testing.TB, like func(jwtauth.Refresh) bool) {
	t.Helper()
	for len(p.refresh) > 0 {
		<-p.refresh
	}
	p.await(t, func(jwtauth.Refresh) bool { return true }) // may have begun before
	p.await(t, like)
}
