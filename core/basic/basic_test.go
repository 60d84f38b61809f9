package basic

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// request is a request with Authorization lines.
type request struct {
	core.Request
	authorization []string
	tls           *tls.ConnectionState
}

func (r *request) Header(name string) (string, int) {
	if name != "Authorization" || len(r.authorization) == 0 {
		return "", 0
	}
	return r.authorization[0], len(r.authorization)
}

func (r *request) TLS() *tls.ConnectionState { return r.tls }

// spy is a verifier that knows one user and remembers what it was asked.
type spy struct {
	user, password string
	err            error
	asked          int
	gotUser        string
	gotPassword    string
}

func (s *spy) VerifyPassword(_ context.Context, user, password string) (*core.Principal, error) {
	s.asked++
	s.gotUser, s.gotPassword = user, password
	switch {
	case s.err != nil:
		return nil, s.err
	case user != s.user:
		return nil, ErrUnknownUser
	case password != s.password:
		return nil, ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func mustNew(t testing.TB, v Verifier, opts ...Option) *Authenticator {
	t.Helper()
	a, err := New("WallyWorld", v, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wantRefusal checks that err is 401 with one of the public codes and that the
// challenge goes with it.
func wantRefusal(t *testing.T, a *Authenticator, r core.Request, err error, reason core.Reason) {
	t.Helper()
	var bad *core.CredentialError
	if !errors.As(err, &bad) {
		t.Fatalf("error %v, want a CredentialError", err)
	}
	if bad.Reason != reason || bad.Code != core.CodeInvalidCredentials || bad.Description != "" {
		t.Errorf("reason %q, code %q, description %q; want reason %q", bad.Reason, bad.Code, bad.Description, reason)
	}
	if cs := a.Challenges(r, err); len(cs) != 1 {
		t.Errorf("C06: %d challenges, want 1", len(cs))
	}
}

func TestCredentialsAreRead(t *testing.T) {
	for _, c := range []struct{ name, field, user, password string }{
		{"C02 example of RFC 7617 §2", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},
		{"C02 example of RFC 7617 §2.1", "Basic dGVzdDoxMjPCow==", "test", "123\u00a3"},
		{"C03 split at the first colon", "Basic " + encoded("a:b:c"), "a", "b:c"},
		{"C03 password of colons", "Basic " + encoded("a:::"), "a", "::"},
		{"A10 scheme in any letter case", "bAsIc " + encoded("a:b"), "a", "b"},
		{"A13 two SP", "Basic  " + encoded("a:b"), "a", "b"},
		{"spaces belong to user and password", "Basic " + encoded(" a : b "), " a ", " b "},
		{"longest field", "Basic " + encoded("a:"+strings.Repeat("x", 6136)), "a", strings.Repeat("x", 6136)},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &spy{user: c.user, password: c.password}
			p, err := mustNew(t, v).Authenticate(t.Context(), &request{authorization: []string{c.field}})
			if err != nil {
				t.Fatalf("%v; asked for %q, %q", err, v.gotUser, v.gotPassword)
			}
			if p.ID() != c.user {
				t.Errorf("principal %q", p.ID())
			}
		})
	}
}

func TestMalformedCredentialsReachNoVerifier(t *testing.T) {
	for _, c := range []struct{ name, field string }{
		{"C04 NUL in the password", "Basic " + encoded("a:b\x00")},
		{"C04 line break in the user", "Basic " + encoded("a\n:b")},
		{"C04 DEL", "Basic " + encoded("a:\x7f")},
		{"C04 C1 control character", "Basic " + encoded("a:b\u0085")},
		{"C04 invalid UTF-8", "Basic " + encoded("a:\xa3")},
		{"C04 overlong UTF-8", "Basic " + encoded("a:\xc0\xaf")},
		{"C05 both empty", "Basic Og=="},
		{"C05 empty user", "Basic " + encoded(":b")},
		{"C05 empty password", "Basic " + encoded("a:")},
		{"C06 no token", "Basic"},
		{"C06 spaces for a token", "Basic   "},
		{"C06 bad base64", "Basic a*b"},
		{"C06 base64 of the URL alphabet", "Basic YTo_Pz8-"},
		{"C06 no padding", "Basic dTpweA"},
		{"C06 trailing bits", "Basic YTpiYx=="},
		{"C06 no colon", "Basic " + encoded("alice")},
		{"C06 line break in base64", "Basic YTpi\nYTpi"},
		{"C06 space in base64", "Basic YTpi YTpi"},
		{"A12 more after the token", "Basic " + encoded("a:b") + ", x=y"},
		{"A13 TAB after the scheme", "Basic\t" + encoded("a:b")},
		{"parameters", `Basic user="a", password="b"`},
		{"too long", "Basic " + encoded("a:"+strings.Repeat("x", 6139))},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &spy{}
			a := mustNew(t, v)
			r := &request{authorization: []string{c.field}}
			_, err := a.Authenticate(t.Context(), r)
			wantRefusal(t, a, r, err, core.ReasonMalformed)
			if v.asked > 0 {
				t.Errorf("the verifier was asked for %q, %q", v.gotUser, v.gotPassword)
			}
		})
	}
}

func TestRefusalsHoldNothingOfTheCredentials(t *testing.T) {
	a := mustNew(t, &spy{})
	for _, text := range []string{"hunter2", ":hunter2", "hunter2:", "x:hunter2\x00", "x:hunter2\xff"} {
		_, err := a.Authenticate(t.Context(), &request{authorization: []string{"Basic " + encoded(text)}})
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), encoded(text)) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestOtherCredentials(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  error
	}{
		{"none", nil, core.ErrNoCredentials},
		{"A15 other scheme", []string{"Bearer x"}, core.ErrNoCredentials},
		{"A15 scheme that begins alike", []string{"Basically x"}, core.ErrNoCredentials},
		{"no scheme", []string{"=x"}, core.ErrNoCredentials},
		{"empty field", []string{""}, core.ErrNoCredentials},
		{"other scheme with a long token", []string{"Bearer " + strings.Repeat("x", 2*MaxBytes)}, core.ErrNoCredentials},
		{"A14 two lines", []string{"Basic " + encoded("a:b"), "Basic " + encoded("a:b")}, core.ErrAmbiguousCredentials},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &spy{user: "a", password: "b"}
			p, err := mustNew(t, v).Authenticate(t.Context(), &request{authorization: c.lines})
			if p != nil || !errors.Is(err, c.want) || v.asked > 0 {
				t.Errorf("%v, %v, verifier asked %d times; want %v", p, err, v.asked, c.want)
			}
		})
	}
}

func TestRequireTLS(t *testing.T) {
	v := &spy{user: "a", password: "b"}
	a := mustNew(t, v, WithTLSRequired())
	right := []string{"Basic " + encoded("a:b")}

	for name, lines := range map[string][]string{"right password": right, "malformed": {"Basic *"}} {
		r := &request{authorization: lines}
		_, err := a.Authenticate(t.Context(), r)
		wantRefusal(t, a, r, err, ReasonPlainHTTP)
		if v.asked > 0 {
			t.Errorf("C11: %s: the verifier was asked", name)
		}
	}
	if _, err := a.Authenticate(t.Context(), &request{}); !errors.Is(err, core.ErrNoCredentials) {
		t.Errorf("C11: without credentials: %v", err)
	}
	if _, err := a.Authenticate(t.Context(), &request{authorization: right, tls: &tls.ConnectionState{}}); err != nil {
		t.Errorf("C11: with TLS: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	v := &spy{}
	for _, c := range []struct {
		name, realm string
		v           Verifier
		opts        []Option
		says        string
	}{
		{"C01 empty realm", "", v, nil, "empty realm"},
		{"A09 realm with a line break", "a\nb", v, nil, "realm"},
		{"A09 realm outside ASCII", "caf\u00e9", v, nil, "ASCII"},
		{"no verifier", "x", nil, nil, "verifier is nil"},
		{"nil pointer as verifier", "x", (*spy)(nil), nil, "verifier is nil"},
		{"nil function as verifier", "x", VerifierFunc(nil), nil, "verifier is nil"},
		{"nil option", "x", v, []Option{WithTLSRequired(), nil}, "option 2"},
		{"failing option", "x", v, []Option{func(*Authenticator) error { return errors.New("no") }}, "basic: no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.realm, c.v, c.opts...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
		})
	}
}

func TestChallengeIsExact(t *testing.T) {
	a, err := New(`say "hi"`, &spy{})
	if err != nil {
		t.Fatal(err)
	}
	cs := a.Challenges(&request{}, core.ErrNoCredentials)
	if len(cs) != 1 || cs[0].String() != `Basic realm="say \"hi\"", charset="UTF-8"` {
		t.Errorf("C01: %s", cs)
	}
	if s := a.Scheme(); s.Name != "Basic" || len(s.Vary) != 1 || s.Vary[0] != "Authorization" {
		t.Errorf("scheme %+v", s)
	}
}

func TestOnly401HasAChallenge(t *testing.T) {
	a := mustNew(t, &spy{})
	for _, c := range []struct {
		err  error
		want int
	}{
		{core.ErrNoCredentials, 1},
		{errors.Join(core.ErrNoCredentials), 1},
		{&core.CredentialError{Reason: core.ReasonWrongSecret}, 1},
		{core.ErrAmbiguousCredentials, 0},
		{&core.CredentialError{Err: core.ErrAmbiguousCredentials}, 0},
		{&core.ScopeError{Scopes: []string{"read"}}, 0},
		{&core.UnavailableError{Err: errors.New("down")}, 0},
	} {
		if cs := a.Challenges(&request{}, c.err); len(cs) != c.want {
			t.Errorf("%T %v: %d challenges, want %d", c.err, c.err, len(cs), c.want)
		}
	}
}

func TestNoCredentialsDoesNotAllocate(t *testing.T) {
	a := mustNew(t, &spy{})
	for name, r := range map[string]core.Request{
		"no header":    &request{},
		"other scheme": &request{authorization: []string{"Bearer x"}},
	} {
		ctx := t.Context()
		n := testing.AllocsPerRun(100, func() {
			_, err := a.Authenticate(ctx, r)
			if len(a.Challenges(r, err)) != 1 {
				t.Error("no challenge")
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
