package digest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

const (
	realm  = "api@example.org"
	secret = "open sesame"
)

// request is a GET with Authorization lines.
type request struct {
	core.Request
	method, target, host string
	authorization        []string
}

func (r *request) Method() string { return r.method }
func (r *request) Target() string { return r.target }
func (r *request) Host() string   { return r.host }

func (r *request) Header(name string) (string, int) {
	if name != "Authorization" || len(r.authorization) == 0 {
		return "", 0
	}
	return r.authorization[0], len(r.authorization)
}

func get(authorization ...string) *request {
	return &request{method: "GET", target: "/door?a=1", host: "app.example", authorization: authorization}
}

// clock stands still until advanced.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.nanos.Store(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// storeOf returns a file with the given users for every algorithm, all with the same
// password.
func storeOf(t testing.TB, md5 bool, users ...string) *File {
	t.Helper()
	var opts []FileOption
	algorithms := []Algorithm{SHA256, SHA512256}
	if md5 {
		opts, algorithms = append(opts, WithMD5()), append(algorithms, MD5)
	}
	f, err := NewFile(realm, opts...)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, user := range users {
		for _, a := range algorithms {
			fmt.Fprintf(&b, "%s:%s:%s:%s\n", user, realm, hashA1(t, a, user, secret), a)
		}
	}
	if err := f.Load("users", []byte(b.String())); err != nil {
		t.Fatal(err)
	}
	return f
}

func hashA1(t testing.TB, a Algorithm, user, password string) string {
	t.Helper()
	a1, err := HashA1(a, user, realm, password)
	if err != nil {
		t.Fatal(err)
	}
	return a1
}

func mustNew(t testing.TB, store Store, opts ...Option) *Authenticator {
	t.Helper()
	a, err := New(realm, store, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// answer is a client's response to a challenge. Its parameters can be changed before
// formatting.
type answer map[string]string

// answers returns bob's valid response to a new challenge of a, for GET /door?a=1.
func answers(t testing.TB, a *Authenticator, algorithm Algorithm) answer {
	t.Helper()
	for _, c := range a.Challenges(get(), core.ErrNoCredentials) {
		if name, _ := c.Param("algorithm"); name == string(algorithm) {
			nonce, _ := c.Param("nonce")
			opaque, _ := c.Param("opaque")
			m := answer{
				"username": "bob", "realm": realm, "nonce": nonce, "uri": "/door?a=1", "algorithm": string(algorithm),
				"cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv", "nc": "00000001", "qop": "auth", "opaque": opaque,
			}
			return m.sign(t, algorithm, "bob", secret, "GET")
		}
	}
	t.Fatalf("no challenge for %s", algorithm)
	return nil
}

// sign computes the response again.
func (m answer) sign(t testing.TB, a Algorithm, user, password, method string) answer {
	t.Helper()
	m["response"] = a.Response(hashA1(t, a, user, password), Input{method, m["uri"], m["nonce"], m["nc"], m["cnonce"]})
	return m
}

// with returns a copy with a parameter changed, or removed if value is "".
func (m answer) with(name, value string) answer {
	m = maps.Clone(m)
	m[name] = value
	if value == "" {
		delete(m, name)
	}
	return m
}

// String returns the Authorization field. Parameters whose name ends in * are unquoted.
func (m answer) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		value := m[name]
		if !strings.HasSuffix(name, "*") {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		parts = append(parts, name+"="+value)
	}
	return "Digest " + strings.Join(parts, ", ")
}

// reason returns the reason of err; the test fails if err is not a 401, or has a public
// code or description.
func reason(t testing.TB, err error) core.Reason {
	t.Helper()
	var bad *core.CredentialError
	if !errors.As(err, &bad) {
		t.Errorf("error %v, want a CredentialError", err)
		return ""
	}
	if bad.Code != core.CodeInvalidCredentials || bad.Description != "" {
		t.Errorf("code %q, description %q", bad.Code, bad.Description)
	}
	return bad.Reason
}

func TestRightAnswersProveTheUser(t *testing.T) {
	a := mustNew(t, storeOf(t, true, "bob"), WithMoreAlgorithms(MD5, SHA512256))
	for _, algorithm := range []Algorithm{SHA256, SHA512256, MD5} {
		t.Run("D01 "+string(algorithm), func(t *testing.T) {
			m := answers(t, a, algorithm)
			p, err := a.Authenticate(t.Context(), get(m.String()))
			if err != nil || p.ID() != "bob" || p.Scheme() != "Digest" {
				t.Fatalf("%v, %v", p, err)
			}
			m["nc"] = "00000002"
			if _, err := a.Authenticate(t.Context(), get(m.sign(t, algorithm, "bob", secret, "GET").String())); err != nil {
				t.Errorf("the next count: %v", err)
			}
			if _, err := a.Authenticate(t.Context(), get(m.String())); reason(t, err) != core.ReasonReplayed {
				t.Errorf("D13 the same again: %v", err)
			}
		})
	}
}

// One line for each algorithm, with parameters quoted and unquoted as RFC 7616 §3.3
// requires.
func TestChallengesAreExact(t *testing.T) {
	store := storeOf(t, true, "bob")
	for _, c := range []struct {
		name string
		opts []Option
		err  error
		want []string
	}{
		{"D01 D02 SHA-256 first, MD5 last", []Option{WithMoreAlgorithms(MD5, SHA512256)}, core.ErrNoCredentials, []string{
			`Digest realm="api@example.org", qop="auth", algorithm=SHA-256, nonce="N", opaque="O", charset=UTF-8`,
			`Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="N", opaque="O", charset=UTF-8`,
			`Digest realm="api@example.org", qop="auth", algorithm=MD5, nonce="N", opaque="O", charset=UTF-8`,
		}},
		{"D12 stale", []Option{WithMoreAlgorithms(MD5)}, &core.CredentialError{Reason: core.ReasonStale}, []string{
			`Digest realm="api@example.org", qop="auth", algorithm=SHA-256, nonce="N", opaque="O", charset=UTF-8, stale=true`,
			`Digest realm="api@example.org", qop="auth", algorithm=MD5, nonce="N", opaque="O", charset=UTF-8, stale=true`,
		}},
		{"D17 userhash", []Option{WithMoreAlgorithms(MD5), WithUserHash()}, &core.CredentialError{Reason: core.ReasonReplayed}, []string{
			`Digest realm="api@example.org", qop="auth", algorithm=SHA-256, nonce="N", opaque="O", charset=UTF-8, userhash=true`,
			`Digest realm="api@example.org", qop="auth", algorithm=MD5, nonce="N", opaque="O", charset=UTF-8, userhash=true`,
		}},
		{"no credentials, wrapped", []Option{WithMoreAlgorithms(MD5)}, errors.Join(core.ErrNoCredentials), []string{
			`Digest realm="api@example.org", qop="auth", algorithm=SHA-256, nonce="N", opaque="O", charset=UTF-8`,
			`Digest realm="api@example.org", qop="auth", algorithm=MD5, nonce="N", opaque="O", charset=UTF-8`,
		}},
		{"400", []Option{WithMoreAlgorithms(MD5)}, core.ErrAmbiguousCredentials, nil},
		{"503", []Option{WithMoreAlgorithms(MD5)}, &core.UnavailableError{Err: errors.New("down")}, nil},
		{"a scope", []Option{WithMoreAlgorithms(MD5)}, &core.ScopeError{Scopes: []string{"read"}}, nil},
		{"step-up", []Option{WithMoreAlgorithms(MD5)}, &core.StepUpError{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, ch := range mustNew(t, store, c.opts...).Challenges(get(), c.err) {
				text := ch.String()
				for name, letter := range map[string]string{"nonce": "N", "opaque": "O"} {
					value, _ := ch.Param(name)
					text = strings.Replace(text, name+`="`+value+`"`, name+`="`+letter+`"`, 1)
				}
				got = append(got, text)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	store, md5 := storeOf(t, false, "bob"), storeOf(t, true, "bob")
	for _, c := range []struct {
		name, realm string
		store       Store
		opts        []Option
		says        string
	}{
		{"empty realm", "", store, nil, "empty realm"},
		{"A09 realm with a line break", "a\nb", nobody{}, nil, "realm"},
		{"no store", realm, nil, nil, "store is nil"},
		{"nil pointer as store", realm, (*File)(nil), nil, "store is nil"},
		{"file of another realm", "other", store, nil, `"api@example.org"`},
		{"nil option", realm, store, []Option{WithUserHash(), nil}, "option 2"},
		{"D01 MD5 in New alone", realm, store, []Option{WithMoreAlgorithms(MD5)}, "WithMD5"},
		{"D01 MD5 in the file alone", realm, md5, nil, "WithMoreAlgorithms(MD5)"},
		{"unknown algorithm", realm, store, []Option{WithMoreAlgorithms("SHA-1")}, `"SHA-1"`},
		{"D18 -sess", realm, store, []Option{WithMoreAlgorithms("SHA-256-sess")}, "sess"},
		{"D17 userhash without an index", realm, nobody{}, []Option{WithUserHash()}, "UserHashStore"},
		{"short key", realm, store, []Option{WithNonceKey(make([]byte, 31))}, "31 bytes"},
		{"short lifetime", realm, store, []Option{WithNonceLifetime(time.Second - 1)}, "lifetime"},
		{"long lifetime", realm, store, []Option{WithNonceLifetime(25 * time.Hour)}, "lifetime"},
		{"no nonces", realm, store, []Option{WithMaxNonces(0)}, "0 nonces"},
		{"too many nonces", realm, store, []Option{WithMaxNonces(1 << 23)}, "nonces"},
		{"no clock", realm, store, []Option{WithClock(nil)}, "clock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.realm, c.store, c.opts...)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "digest: ") {
				t.Errorf("error %v does not say %q", err, c.says)
			}
		})
	}
}

// nobody is a store without users.
type nobody struct{}

func (nobody) FindUser(context.Context, string, string, Algorithm) (Entry, error) {
	return Entry{}, ErrUnknownUser
}

func TestScheme(t *testing.T) {
	a := mustNew(t, nobody{})
	s := a.Scheme()
	if s.Name != "Digest" || !slices.Equal(s.Vary, []string{"Authorization"}) || s.Sender != core.SentByBrowser {
		t.Errorf("scheme %+v", s)
	}
	m := answers(t, a, SHA256)
	for _, c := range []struct {
		name    string
		lines   []string
		account string
		ok      bool
	}{
		{"none", nil, "", false},
		{"another scheme", []string{"Basic Ym9iOng="}, "", false},
		{"right", []string{m.String()}, "bob", true},
		{"wrong", []string{m.with("response", strings.Repeat("0", 64)).String()}, "bob", true},
		{"malformed", []string{"Digest username=bob"}, "", true},
		{"two lines", []string{m.String(), m.String()}, "", true},
	} {
		if account, ok := s.Attempt(get(c.lines...)); account != c.account || ok != c.ok {
			t.Errorf("%s: attempt %q, %v", c.name, account, ok)
		}
	}
}

func TestOtherCredentials(t *testing.T) {
	a := mustNew(t, nobody{})
	for _, c := range []struct {
		name  string
		lines []string
		want  error
	}{
		{"none", nil, core.ErrNoCredentials},
		{"A15 another scheme", []string{"Bearer x"}, core.ErrNoCredentials},
		{"A15 a scheme that begins alike", []string{"Digests a=b"}, core.ErrNoCredentials},
		{"empty field", []string{""}, core.ErrNoCredentials},
		{"a long field of another scheme", []string{"Bearer " + strings.Repeat("x", 2*MaxBytes)}, core.ErrNoCredentials},
		{"A14 two lines", []string{"Digest a=b", "Digest a=b"}, core.ErrAmbiguousCredentials},
	} {
		p, err := a.Authenticate(t.Context(), get(c.lines...))
		if p != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, p, err, c.want)
		}
	}
}
