package authtest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

var developmentCases = []testCase{
	{"a development key signs for callers on this machine", developmentLocal},
	{"a development key is 503 for a peer that is not on loopback", developmentPeers},
	{"a development key is 503 for a request that came through a proxy", developmentProxies},
	{"invariant 16 what wraps a verifier opens nothing to development keys", developmentWrapped},
	{"a development key is good anywhere where that is said", developmentAnywhere},
}

// workshop is a door for tokens of one development key.
type workshop struct {
	*door
	*Recorder
	token string
	late  string // has expired
}

// newWorkshop serves a door to peer, or to the real address if that is nil.
func newWorkshop(t *testing.T, f Framework, kind string, peer net.Addr, wrap func(bearer.TokenVerifier) bearer.TokenVerifier, opts ...jwtauth.Option) workshop {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := jwtsign.GenerateKey(jwtsign.WithDevelopment())
	must(err)
	signer, err := jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("r"))
	must(err)
	before, err := jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("r"),
		jwtsign.WithClock(func() time.Time { return time.Now().Add(-time.Hour) }))
	must(err)
	var w workshop
	w.token, err = signer.Sign(jwtsign.Token{Subject: "alice"})
	must(err)
	w.late, err = before.Sign(jwtsign.Token{Subject: "alice"})
	must(err)
	verifier, err := jwtauth.New(signer, append(opts, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("r"))...)
	must(err)
	var tokens bearer.TokenVerifier = verifier
	if wrap != nil {
		tokens = wrap(tokens)
	}
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, tokens)}, core.WithAuthorizer(only("alice")))
	w.Recorder, w.door = rec, &door{t: t}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	w.addr = l.Addr().String()
	if peer != nil {
		l = from{l, peer}
	}
	f.Serve(t, l, App{Routes: []Route{w.route(Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})}})
	return w
}

// ask sends a token to a host, with additional header lines.
func (w workshop) ask(token, host string, header ...string) Answer {
	w.t.Helper()
	lines := append([]string{"GET /door HTTP/1.1", "Host: " + host, "Authorization: Bearer " + token}, header...)
	return Send(w.t, w.addr, strings.Join(lines, "\n"))
}

// opens fails the test unless the handler answers.
func (w workshop) opens(what, host string, header ...string) {
	w.t.Helper()
	for range 2 { // the second time from the cache of tokens
		if a := w.ask(w.token, host, header...); a.Status != http.StatusOK || !strings.Contains(a.Body, handled) {
			w.t.Errorf("%s, for %s: %d %s", what, host, a.Status, a.Body)
		}
	}
}

// stays fails the test unless the answer is 503 without a challenge, with the reason in the
// event.
func (w workshop) stays(what, host string, header ...string) {
	w.t.Helper()
	before := w.runs.Load()
	a := w.ask(w.token, host, header...)
	refused(w.t, what+", for "+host, a, http.StatusServiceUnavailable, core.CodeUnavailable)
	if e := w.Last(w.t); e.Reason != core.ReasonDevelopmentKey || e.Outcome != core.OutcomeUnavailable || e.PrincipalID != "" {
		w.t.Errorf("%s, for %s: event %s %s for %q", what, host, e.Outcome, e.Reason, e.PrincipalID)
	}
	if w.runs.Load() != before || a.Header.Get("Retry-After") == "" {
		w.t.Errorf("%s, for %s: the handler ran, or there is no Retry-After: %v", what, host, a.Header)
	}
}

func developmentLocal(t *testing.T, f Framework) {
	for _, kind := range kinds {
		w := newWorkshop(t, f, kind, nil, nil)
		for _, host := range []string{w.addr, "localhost", "LocalHost:8080", "127.0.0.1", "127.1.2.3:80", "[::1]:8080", "[::1]", "app.localhost:3000"} {
			w.opens(kind, host)
		}
		a := w.ask(w.late, "localhost")
		if kind != "Optional" {
			refused(t, "expired", a, http.StatusUnauthorized, core.CodeInvalidToken)
		}
	}
	for _, peer := range []net.IP{net.IPv6loopback, net.ParseIP("127.0.0.9"), net.ParseIP("::ffff:127.0.0.1")} {
		newWorkshop(t, f, "Authorize", &net.TCPAddr{IP: peer, Port: 4711}, nil).opens(peer.String(), "localhost")
	}
}

// proxied lists header lines that proxies add, with values by which a client might appear
// local.
var proxiedLines = []string{
	"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For:", "X-Forwarded-For: 127.0.0.1, ::1", "X-Forwarded-Host: localhost", "X-Forwarded-Proto: http",
	"X-Forwarded-Port: 80", "X-Forwarded-Uri: /door", "X-Forwarded-Method: GET", "X-Forwarded-Server: localhost", "x-forwarded-prefix: /",
	"Forwarded: for=127.0.0.1", "Forwarded: for=\"[::1]\";host=localhost", "Via: 1.1 proxy", "X-Real-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1",
	"CF-Connecting-IP: 127.0.0.1", "X-Client-IP: 127.0.0.1", "X-Original-URI: /door", "X-Original-URL: /door", "X-Original-Method: GET",
	"X-Envoy-External-Address: 127.0.0.1", "Fastly-Client-IP: 127.0.0.1",
}

func developmentPeers(t *testing.T, f Framework) {
	for _, peer := range []net.Addr{
		&net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 4711},
		&net.TCPAddr{IP: net.ParseIP("10.0.0.1"), Port: 80},
		&net.TCPAddr{IP: net.ParseIP("2001:db8::7"), Port: 4711},
		&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 4711, Zone: "lo"},
		&net.TCPAddr{IP: net.IPv4zero, Port: 4711},
		&net.UnixAddr{Name: "@", Net: "unix"},
	} {
		w := newWorkshop(t, f, "Authorize", peer, nil)
		for _, host := range []string{"localhost", "app.example"} {
			w.stays(peer.String(), host)
			for _, line := range proxiedLines {
				w.stays(peer.String()+" with "+line, host, line)
			}
		}
		refused(t, "expired", w.ask(w.late, "localhost"), http.StatusUnauthorized, core.CodeInvalidToken)
	}
	for _, kind := range kinds {
		newWorkshop(t, f, kind, &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 4711}, nil).stays(kind, "localhost")
	}
}

func developmentProxies(t *testing.T, f Framework) {
	w := newWorkshop(t, f, "Authorize", nil, nil)
	w.opens("first", "localhost") // so that the token is in the cache
	for _, line := range proxiedLines {
		w.stays(line, "localhost", line)
	}
	for _, host := range []string{"app.example", "localhost.example", "notlocalhost", "127.0.0.1.example", "0.0.0.0", "192.0.2.1:8080", ".localhost"} {
		w.stays("a public name", host)
	}
	w.opens("last", "localhost")
}

// opaque is a verifier that has no method but Verify.
type opaque struct{ bearer.TokenVerifier }

// detached authenticates with a context of its own.
type detached struct{ bearer.TokenVerifier }

func (v detached) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return v.TokenVerifier.VerifyToken(context.Background(), token)
}

func developmentWrapped(t *testing.T, f Framework) {
	hide := func(v bearer.TokenVerifier) bearer.TokenVerifier { return opaque{v} }
	detach := func(v bearer.TokenVerifier) bearer.TokenVerifier { return detached{v} }
	remote := &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 4711}
	newWorkshop(t, f, "Authorize", nil, hide).opens("a wrapper", "localhost")
	newWorkshop(t, f, "Authorize", remote, hide).stays("a wrapper", "localhost")
	newWorkshop(t, f, "Authorize", remote, detach).stays("a wrapper with its own context", "localhost")
	newWorkshop(t, f, "Authorize", nil, detach).stays("a wrapper that drops who called", "localhost")
}

func developmentAnywhere(t *testing.T, f Framework) {
	w := newWorkshop(t, f, "Authorize", &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 4711}, nil, jwtauth.WithDevelopmentKeysAnywhere())
	w.opens("anywhere", "app.example")
	w.opens("anywhere, through a proxy", "app.example", "X-Forwarded-For: 198.51.100.7")
}
