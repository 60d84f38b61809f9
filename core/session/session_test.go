package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
)

func TestNewRefusesInvalidConfigurations(t *testing.T) {
	for want, opt := range map[string]session.Option{
		"option 1 is nil":                              nil,
		"store is nil":                                 session.WithStore(nil),
		"session: store is nil":                        session.WithStore((*sessiontest.Store)(nil)),
		"store timeout 0s: must be from 10ms to 1m":    session.WithStoreTimeout(0),
		"store timeout 1h0m0s":                         session.WithStoreTimeout(time.Hour),
		"idle timeout 0s: must be at least 1s":         session.WithIdleTimeout(0),
		"idle timeout 24h0m0s is longer":               session.WithIdleTimeout(24 * time.Hour),
		"absolute timeout -1s: must be at least 1s":    session.WithAbsoluteTimeout(-time.Second),
		"clock is nil":                                 session.WithClock(nil),
		"realm is empty":                               session.WithRealm(""),
		`"realm"`:                                      session.WithRealm("a\nb"),
		`path "": begin with one slash`:                session.WithSignInPage(""),
		`path "//evil.example": begin with`:            session.WithLogoutRedirect("//evil.example"),
		`path "https://evil.example": begin`:           session.WithLogoutRedirect("https://evil.example"),
		`path "/\\evil.example": percent-encode what`:  session.WithLogoutRedirect(`/\evil.example`),
		`path "/a\r\nSet-Cookie: x=1": percent-encode`: session.WithLogoutRedirect("/a\r\nSet-Cookie: x=1"),
		`cookie name "": give it a name`:               session.WithCookieName(""),
		`cookie name "__Secure-x": give it`:            session.WithCookieName("__Secure-x"),
		`cookie name "a b": http: invalid`:             session.WithCookieName("a b"),
		`trusted origin "x"`:                           session.WithTrustedOrigins("x"),
		"guard: option 1 is nil":                       session.WithAnswers(nil),
	} {
		if m, err := session.New(opt); err == nil || m != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New: %v, want %q", err, want)
		}
	}
}

// TestPrincipalComesBack: which parts of a principal a session keeps.
func TestPrincipalComesBack(t *testing.T) {
	b := newBench(t)
	claims := map[string]any{
		"name": "Alice Ä", "age": 33.0, "id": json.Number("9007199254740993"), "ratio": 0.5, "staff": true, "none": nil,
		"groups": []any{"a", map[string]any{"deep": []any{1.0}}},
	}
	in := principal(t, core.PrincipalInfo{
		ID: "alice", Scheme: "Form", Roles: []string{"user"}, Scopes: []string{"read", "write"}, Tenant: "acme",
		Claims: claims, AuthTime: b.clock.Now().Add(-time.Minute),
	})
	cookie := b.login(in, "")
	for _, after := range []string{"login", "rotation"} {
		p, err := b.manager.Authenticate(t.Context(), request("GET", cookie))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for name := range p.Claims() {
			got[name], _ = p.Claim(name)
		}
		want := map[string]any{session.ClaimLoginScheme: "Form"}
		maps.Copy(want, claims)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("after %s: claims %v, want %v", after, got, want)
		}
		if p.ID() != "alice" || p.Scheme() != "Session" || p.Tenant() != "acme" || !p.AuthTime().Equal(in.AuthTime()) ||
			!slices.Equal(slices.Collect(p.Roles()), []string{"user"}) || !slices.Equal(slices.Collect(p.Scopes()), []string{"read", "write"}) ||
			!p.Expires().Equal(b.clock.Now().Add(12*time.Hour)) {
			t.Errorf("after %s: principal %+v", after, p)
		}
		fields, err := b.manager.Rotate(t.Context(), request("POST", cookie), nil)
		if err != nil {
			t.Fatal(err)
		}
		cookie = cookieFrom(t, fields)
	}
}

// TestSessionEndsWithItsCredentials: a session does not outlive the credentials of its
// login.
func TestSessionEndsWithItsCredentials(t *testing.T) {
	b := newBench(t, session.WithPersistentCookie())
	p := principal(t, core.PrincipalInfo{ID: "alice", Expires: b.clock.Now().Add(90 * time.Second)})
	fields, err := b.manager.Login(t.Context(), request("POST", ""), p)
	if err != nil || !strings.Contains(fields[0].Value, "; Max-Age=90;") {
		t.Fatalf("%v %v", fields, err)
	}
	cookie := cookieFrom(t, fields)
	b.clock.Advance(89 * time.Second)
	if _, err := b.manager.Authenticate(t.Context(), request("GET", cookie)); err != nil {
		t.Error(err)
	}
	b.clock.Advance(time.Second)
	if _, err := b.manager.Authenticate(t.Context(), request("GET", cookie)); err == nil {
		t.Error("the session outlived its credentials")
	}
	var internal *core.InternalError
	if _, err := b.manager.Login(t.Context(), request("POST", ""), p); !errors.As(err, &internal) {
		t.Errorf("login with expired credentials: %v", err)
	}
}

func TestLoginRefusesUnstorablePrincipals(t *testing.T) {
	b := newBench(t)
	for name, p := range map[string]*core.Principal{
		"nobody":       nil,
		"no principal": new(core.Principal),
		"no JSON":      principal(t, core.PrincipalInfo{ID: "alice", Claims: map[string]any{"f": func() {}}}),
		"no number":    principal(t, core.PrincipalInfo{ID: "alice", Claims: map[string]any{"n": math.NaN()}}),
		"too large":    principal(t, core.PrincipalInfo{ID: "alice", Claims: map[string]any{"s": strings.Repeat("x", session.MaxRecord)}}),
	} {
		var internal *core.InternalError
		if fields, err := b.manager.Login(t.Context(), request("POST", ""), p); !errors.As(err, &internal) || fields != nil {
			t.Errorf("%s: %v %v", name, fields, err)
		}
	}
	if keys := b.store.Keys(); len(keys) > 0 {
		t.Errorf("the store holds %q", keys)
	}
	var internal *core.InternalError
	if err := b.manager.LogoutEverywhere(t.Context(), ""); !errors.As(err, &internal) {
		t.Errorf("logout everywhere of an empty ID: %v", err)
	}
}

// TestManagerChecksTheDeadline: the manager checks the deadline itself, since the store's
// clock may be behind.
func TestManagerChecksTheDeadline(t *testing.T) {
	b := newBench(t)
	late := newBench(t, session.WithStore(b.store)) // its clock is the real one
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
	late.clock.Advance(12*time.Hour - time.Second)
	var bad *core.CredentialError
	if _, err := late.manager.Authenticate(t.Context(), request("GET", cookie)); !errors.As(err, &bad) || bad.Reason != session.ReasonIdle {
		t.Errorf("%v", err)
	}
	late.clock.Advance(time.Second)
	if _, err := late.manager.Authenticate(t.Context(), request("GET", cookie)); !errors.As(err, &bad) || bad.Reason != core.ReasonExpired {
		t.Errorf("%v", err)
	}
}

// TestBrokenEntriesAreFaults covers the entries besides the session's own.
func TestBrokenEntriesAreFaults(t *testing.T) {
	b := newBench(t, session.WithAbsoluteTimeout(time.Hour))
	alice := principal(t, core.PrincipalInfo{ID: "alice"})
	if err := b.manager.LogoutEverywhere(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	cookie := b.login(alice, "")
	b.clock.Advance(5 * time.Minute)
	if _, err := b.manager.Authenticate(t.Context(), request("GET", cookie)); err != nil { // records the use
		t.Fatal(err)
	}
	keepRecord := func(other string) func([]byte) []byte {
		return func(data []byte) []byte {
			if strings.HasPrefix(string(data), "{") {
				return data
			}
			return []byte(other)
		}
	}
	for _, other := range []string{"", "x", strings.Repeat("x", 100)} {
		b.store.Overwrite(keepRecord(other))
		var internal *core.InternalError
		var revoked *core.CredentialError
		_, err := b.manager.Authenticate(t.Context(), request("GET", cookie))
		if ok := errors.As(err, &internal); !ok && (other != "x" || !errors.As(err, &revoked) || revoked.Reason != core.ReasonRevoked) {
			t.Errorf("%q: %v", other, err)
		}
		if _, err := b.manager.Login(t.Context(), request("POST", ""), alice); other != "x" && !errors.As(err, &internal) {
			t.Errorf("%q: login %v", other, err)
		}
	}
	bob := b.login(principal(t, core.PrincipalInfo{ID: "bob"}), "")
	b.clock.Advance(5 * time.Minute)
	if _, err := b.manager.Authenticate(t.Context(), request("GET", bob)); err != nil {
		t.Fatal(err)
	}
	b.store.Overwrite(keepRecord("yesterday"))
	var internal *core.InternalError
	if _, err := b.manager.Authenticate(t.Context(), request("GET", bob)); !errors.As(err, &internal) {
		t.Errorf("time of last use: %v", err)
	}
}

// TestLogoutForgetsAnyCookie: to remove a cookie that is not an id, no store is needed.
func TestLogoutForgetsAnyCookie(t *testing.T) {
	b := newBench(t)
	b.store.Fail(errors.New("down"))
	fields, err := b.manager.Logout(t.Context(), request("POST", "__Host-session=x"))
	if err != nil || cookieFrom(t, fields) != "__Host-session=" {
		t.Errorf("%v %v", fields, err)
	}
	if fields, err = b.manager.Logout(t.Context(), request("POST", "")); err != nil || fields != nil {
		t.Errorf("%v %v", fields, err)
	}
	if _, err = b.manager.Logout(t.Context(), request("POST", "__Host-session=x; __Host-session=y")); !errors.Is(err, core.ErrAmbiguousCredentials) {
		t.Error(err)
	}
}

// TestCrossSiteLoginIsNamed: the error names the cause, for logs.
func TestCrossSiteLoginIsNamed(t *testing.T) {
	b := newBench(t)
	r := httptest.NewRequest(http.MethodPost, "http://app.example/login", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	fields, err := b.manager.Login(t.Context(), httpauth.Request(r), principal(t, core.PrincipalInfo{ID: "alice"}))
	if fields != nil || err == nil || !strings.HasPrefix(err.Error(), "session: login refused: ") || errors.Unwrap(err) == nil {
		t.Errorf("%v %v", fields, err)
	}
	if resp := b.manager.Refuse(err)(t.Context(), httpauth.Request(r)); resp.Status != http.StatusForbidden {
		t.Errorf("status %d", resp.Status)
	}
	// Answers that trust more origins than the login did do not bypass the check.
	b = newBench(t, session.WithAnswers(core.WithTrustedOrigins("https://front.example")))
	r.Header.Set("Origin", "https://front.example")
	_, err = b.manager.Login(t.Context(), httpauth.Request(r), principal(t, core.PrincipalInfo{ID: "alice"}))
	if resp := b.manager.Refuse(err)(t.Context(), httpauth.Request(r)); err == nil || resp.Status != http.StatusInternalServerError {
		t.Errorf("%v, status %d", err, resp.Status)
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice", Claims: map[string]any{"a": []any{"b"}}}), "")
			for range 20 {
				p, err := b.manager.Authenticate(t.Context(), request("GET", cookie))
				if err != nil || p.ID() != "alice" {
					t.Error(p, err)
				}
				b.clock.Advance(time.Second)
			}
			if _, err := b.manager.Logout(t.Context(), request("POST", cookie)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestChallengesOnlyWhereSigningInHelps: RFC 9110 §11.6.1, RFC 9470 §3.
func TestChallengesOnlyWhereSigningInHelps(t *testing.T) {
	b := newBench(t, session.WithRealm(`my "shop"`))
	for _, tt := range []struct {
		err  error
		want string
	}{
		{core.ErrNoCredentials, `Session realm="my \"shop\""`},
		{&core.CredentialError{Reason: session.ReasonIdle}, `Session realm="my \"shop\""`},
		{&core.StepUpError{StepUp: core.StepUp{ACRValues: []string{"a", "b"}, MaxAge: time.Minute}},
			`Session realm="my \"shop\"", error="insufficient_user_authentication", acr_values="a b", max_age="60"`},
		{&core.StepUpError{StepUp: core.StepUp{ACRValues: []string{"\n"}}}, ""},
		{&core.ScopeError{}, ""},
		{core.ErrAmbiguousCredentials, ""},
		{&core.UnavailableError{}, ""},
	} {
		got := ""
		for _, c := range b.manager.Challenges(nil, tt.err) {
			got += c.String()
		}
		if got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}

// TestRefuseAnswersEveryError: no error becomes a 200.
func TestRefuseAnswersEveryError(t *testing.T) {
	rec := make(chan core.Event, 16)
	b := newBench(t, session.WithAnswers(core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) { rec <- e }))))
	for _, tt := range []struct {
		err    error
		status int
	}{
		{nil, http.StatusInternalServerError},
		{core.ErrNoCredentials, http.StatusUnauthorized},
		{core.ErrAmbiguousCredentials, http.StatusBadRequest},
		{&core.CredentialError{Reason: session.ReasonIdle}, http.StatusUnauthorized},
		{&core.UnavailableError{Err: errors.New("secret host")}, http.StatusServiceUnavailable},
		{&core.InternalError{Err: errors.New("secret host")}, http.StatusInternalServerError},
		{errors.New("secret host"), http.StatusServiceUnavailable},
	} {
		resp := b.manager.Refuse(tt.err)(t.Context(), request("POST", ""))
		if e := <-rec; resp.Status != tt.status || e.Status != tt.status || strings.Contains(string(resp.Body), "secret") {
			t.Errorf("%v: %d %q, event %d", tt.err, resp.Status, resp.Body, e.Status)
		}
	}
}
