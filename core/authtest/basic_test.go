package authtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

var basicCases = []testCase{
	{"C01 realm and charset in the challenge", basicChallenge},
	{"C02 the examples of RFC 7617", basicExamples},
	{"C03 the first colon separates", basicColon},
	{"C04 control characters", basicControl},
	{"C05 C06 what cannot be read is 401", basicMalformed},
	{"C08 an unknown user is answered like a wrong password", basicUnknown},
	{"C09 a password goes to the verifier whole, an overload is 503", basicVerifier},
	{"C10 remembered passwords are never taken for others", basicCache},
	{"C11 plain HTTP can be refused", basicTLS},
}

// basicDoor is a door that accepts only the given user and password.
func basicDoor(t *testing.T, f Framework, user, password string) *door {
	t.Helper()
	a, err := basic.New("r", basic.VerifierFunc(func(_ context.Context, u, p string) (*core.Principal, error) {
		if u != user || p != password {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: u})
	}))
	if err != nil {
		t.Fatal(err)
	}
	g, _ := guardOf(t, []core.Authenticator{a})
	return newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
}

// basicChallenge: RFC 7617 §2 and §2.1.
func basicChallenge(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{newBasic(t, "foo")})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for header, code := range map[string]string{
		"Accept: */*":           core.CodeAuthenticationRequired,
		login("bob", "wrong"):   core.CodeInvalidCredentials,
		"Authorization: Basic":  core.CodeInvalidCredentials,
		login("unknown", "any"): core.CodeInvalidCredentials,
	} {
		challenged(t, header, d.refuses(http.StatusUnauthorized, code, header), `Basic realm="foo", charset="UTF-8"`)
	}
	if _, err := basic.New("", passwords); err == nil {
		t.Error("a realm is not mandatory")
	}
}

// basicExamples: RFC 7617 §2 and §2.1.
func basicExamples(t *testing.T, f Framework) {
	basicDoor(t, f, "Aladdin", "open sesame").admits("Aladdin", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
	basicDoor(t, f, "test", "123\u00a3").admits("test", "Authorization: Basic dGVzdDoxMjPCow==")
}

// basicColon: a password may contain colons, a user may not (RFC 7617 §2).
func basicColon(t *testing.T, f Framework) {
	d := basicDoor(t, f, "a", "b:c")
	d.admits("a", login("a", "b:c"))
	d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, login("a:b", "c:"))
	basicDoor(t, f, "a:b", "c").refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, login("a:b", "c"))
}

// basicControl: control characters reach neither the verifier nor an event (RFC 7617 §2).
func basicControl(t *testing.T, f Framework) {
	asked := false
	a, err := basic.New("r", basic.VerifierFunc(func(context.Context, string, string) (*core.Principal, error) {
		asked = true
		return nil, basic.ErrWrongPassword
	}))
	if err != nil {
		t.Fatal(err)
	}
	g, rec := guardOf(t, []core.Authenticator{a})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, c := range []string{"\x00", "\n", "\r\n", "\t", "\x1b", "\x7f", "\u0085", "\xff", "\xc0\xaf"} {
		for _, header := range []string{login("bo"+c+"b", "x"), login("bob", "open"+c+"sesame"), login(c, c)} {
			d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, header)
			if e := rec.Last(t); e.Reason != core.ReasonMalformed || strings.Contains(e.Cause.Error(), c) {
				t.Errorf("%q: event %s %v", c, e.Reason, e.Cause)
			}
		}
	}
	if asked {
		t.Error("the verifier was asked")
	}
}

// basicMalformed: never 400 or 500.
func basicMalformed(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{newBasic(t, "r")})
	for _, kind := range []string{"Authenticate", "Optional"} {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g})
		for _, credentials := range []string{
			"Og==",             // ":"
			"Om9wZW4gc2VzYW1l", // ":open sesame"
			"Ym9iOg==",         // "bob:"
			"Ym9i",             // "bob"
			"", "=", "====", "!", "Ym9iOg", "Ym9iOg=", "Ym9iOg===",
			"Ym9iOm9wZW4gc2VzYW1l=", // padding that pads nothing
			"Ym9iOm9wZW4_c2VzYW1l",  // the URL alphabet
			"Ym9iOng", "Ym9iOnh=",   // no padding, bits left over
			"Ym9i\tOng=", "bob:open sesame",
		} {
			a := d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, "Authorization: Basic "+credentials)
			challenged(t, credentials, a, `Basic realm="r", charset="UTF-8"`)
			if e := rec.Last(t); e.Reason != core.ReasonMalformed {
				t.Errorf("%q: reason %s", credentials, e.Reason)
			}
		}
		d.admits("bob", "Authorization: Basic "+sesame)
	}
}

// basicUnknown: the answers are the same byte for byte; events tell them
// apart.
func basicUnknown(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{newBasic(t, "r")})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	wrong := d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, login("bob", "wrong"))
	if e := rec.Last(t); e.Reason != core.ReasonWrongSecret {
		t.Errorf("wrong password: reason %s", e.Reason)
	}
	for _, header := range []string{login("unknown", "wrong"), login("unknown", "open sesame"), login("bob", ""), "Authorization: Basic x"} {
		if diff := difference(wrong, d.get(header)); diff != "" {
			t.Errorf("%s: %s", header, diff)
		}
	}
	d.get(login("unknown", "wrong"))
	if e := rec.Last(t); e.Reason != core.ReasonUnknownPrincipal {
		t.Errorf("unknown user: reason %s", e.Reason)
	}
}

// basicVerifier: passwords are passed on whole (bcrypt compares only 72 bytes), and a store
// without capacity for another hash is 503, never success.
func basicVerifier(t *testing.T, f Framework) {
	long := strings.Repeat("0123456789", 8)
	d := basicDoor(t, f, "bob", long)
	d.admits("bob", login("bob", long))
	for _, password := range []string{long[:72], long[:79], long + "x", long[:79] + "x"} {
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, login("bob", password))
	}
	g, _ := guardOf(t, []core.Authenticator{newBasic(t, "r")})
	for _, kind := range []string{"Authenticate", "Optional"} {
		d = newDoor(t, f, Gate{Kind: kind, Guard: g})
		a := d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, login("busy", "open sesame"))
		challenged(t, "busy", a, "")
		if v := a.Header.Get("Retry-After"); v != "2" {
			t.Errorf("Retry-After %q for 1.5 s", v)
		}
	}
}

// shelf is a password store whose users the test replaces.
type shelf struct {
	users   map[string]string
	version uint64
	asked   int
	mu      sync.Mutex
}

func (s *shelf) VerifyPassword(_ context.Context, user, password string) (*core.Principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	switch right, known := s.users[user]; {
	case !known:
		return nil, basic.ErrUnknownUser
	case password != right:
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
}

func (s *shelf) Version() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// replace replaces the users in the store.
func (s *shelf) replace(users map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = users
	s.version++
}

// since returns how many times the store was asked since the last call.
func (s *shelf) since() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.asked
	s.asked = 0
	return n
}

// basicCache: a correct password is cached, in full and per user (CVE-2026-71326), a wrong
// one is not, and a removed user is refused at the next request.
func basicCache(t *testing.T, f Framework) {
	s := &shelf{users: map[string]string{"a": "b:c", "bob": "open sesame"}}
	users, err := basic.NewCache(s)
	if err != nil {
		t.Fatal(err)
	}
	a, err := basic.New("r", users)
	if err != nil {
		t.Fatal(err)
	}
	g, _ := guardOf(t, []core.Authenticator{a})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for range 20 {
		d.admits("a", login("a", "b:c"))
		d.admits("bob", login("bob", "open sesame"))
	}
	if n := s.since(); n != 2 {
		t.Errorf("40 requests of two users cost %d verifications, want 2", n)
	}
	for _, header := range []string{
		login("ab", ":c"), login("a", "b:"), login("a", "b:c "), login("a", "c"), login("b", "b:c"), login("bob", "b:c"),
		login("bob", "open sesam"), login("bob", "open sesame!"), login("Bob", "open sesame"), login("bo", "bopen sesame"),
	} {
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, header)
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, header)
	}
	if n := s.since(); n != 20 {
		t.Errorf("20 requests with wrong passwords cost %d verifications", n)
	}
	s.replace(map[string]string{"bob": "open barley"})
	d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, login("a", "b:c"))
	d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, login("bob", "open sesame"))
	d.admits("bob", login("bob", "open barley"))
}

// basicTLS: only the connection counts, and no header can claim TLS (RFC 7617 §4).
func basicTLS(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{newBasic(t, "r", basic.WithTLSRequired())})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, header := range []string{"Accept: */*", "X-Forwarded-Proto: https", "Forwarded: proto=https"} {
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, login("bob", "open sesame"), header)
		if e := rec.Last(t); e.Reason != basic.ReasonPlainHTTP {
			t.Errorf("%s: reason %s", header, e.Reason)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certificate := selfSigned(t)
	f.Serve(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}}), App{
		Routes: []Route{d.route(Gate{Kind: "Authenticate", Guard: g})},
	})
	conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true}) // the peer is this test
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(conn)
	defer c.close()
	if a, err := c.roundTrip(Request("GET", "/door", login("bob", "open sesame"))); err != nil || a.Body != handled+"bob" {
		t.Errorf("over TLS: %d %q %v", a.Status, a.Body, err)
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
