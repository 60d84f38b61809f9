package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source"
)

// says is a list that gives one answer.
type says struct {
	revoked bool
	err     error
}

func (s says) Revoked(context.Context, revoke.Token) (bool, error) { return s.revoked, s.err }

// TestAnyListRevokes: a token is good only if every list could be read and none names it.
func TestAnyListRevokes(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	for _, c := range []struct {
		lists   allLists
		revoked bool
		err     error
	}{
		{allLists{says{}, says{}}, false, nil},
		{allLists{says{}, says{revoked: true}}, true, nil},
		{allLists{says{revoked: true}, says{err: away}}, true, nil},
		{allLists{says{err: away}, says{revoked: true}}, true, nil},
		{allLists{says{err: away}, says{}}, false, away},
		{allLists{says{}, says{err: away}}, false, away},
	} {
		revoked, err := c.lists.Revoked(t.Context(), revoke.Token{})
		if revoked != c.revoked || !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%+v: %v, %v", c.lists, revoked, err)
		}
	}
}

// TestFollowedFilesAreLogged: each change for the worse is said once, and each for the
// better.
func TestFollowedFilesAreLogged(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	a := &assembly{log: slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))}
	told := a.followLog("users")
	away, broken, full := errors.New("away"), errors.New("line 3"), errors.New("disk full")
	for i, c := range []struct {
		status source.Status
		want   string
	}{
		{source.Status{Err: away}, ""}, // before the first revision Open says so
		{source.Status{Revision: 1}, `level=INFO msg="file loaded from its store" file=users revision=1`},
		{source.Status{Revision: 1, Err: away}, `level=ERROR msg="file not taken from its store, the last good one stays in use" file=users revision=1 error=away`},
		{source.Status{Revision: 1, Err: errors.New("away")}, ""},
		{source.Status{Revision: 1, Err: errors.New("reset")}, ""},
		{source.Status{Revision: 1, Err: away}, ""},
		{source.Status{Revision: 1, Err: broken, Confirmed: time.Unix(1, 0)}, `level=ERROR msg="file not taken from its store, the last good one stays in use" file=users revision=1 error="line 3"`},
		{source.Status{Revision: 1, Err: broken, Stale: true}, `level=ERROR msg="file not confirmed by its store for longer than max_staleness" file=users revision=1 error="line 3"`},
		{source.Status{Revision: 1, Err: broken, Stale: true}, ""},
		{source.Status{Revision: 1}, `level=INFO msg="file confirmed by its store again" file=users revision=1`},
		{source.Status{Revision: 1, FileErr: full}, `level=ERROR msg="file in use, but not kept for a start without its store" file=users revision=1 error="disk full"`},
		{source.Status{Revision: 1, FileErr: full}, ""},
		{source.Status{Revision: 2}, `level=INFO msg="file loaded from its store" file=users revision=2`},
	} {
		b.Reset()
		told(c.status)
		if got := strings.TrimSpace(b.String()); got != c.want {
			t.Errorf("status %d: logged %s, want %s", i, got, c.want)
		}
	}
}

// TestFailedReloadsAreLogged names the file.
func TestFailedReloadsAreLogged(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	path := configFile(t, minimal)
	s, err := Open(path, WithLogger(slog.New(slog.NewTextHandler(&b, nil))))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(filepath.Dir(path), "jwks.json"), "{}")
	if err := s.Reload(t.Context()); err == nil {
		t.Error("a broken set of keys is taken")
	}
	if err := s.Close(); err != nil { // nothing is logged afterwards
		t.Error(err)
	}
	if got := b.String(); !strings.Contains(got, "level=ERROR msg=\"file rejected, the last good one stays in use\" file="+filepath.Join(filepath.Dir(path), "jwks.json")) {
		t.Errorf("logged %s", got)
	}
}

// TestSessionsAnswerAsTheGuard: sign-ins have the limits of the file, its form of refusals
// and its observers, sessions can be revoked, and origins that are trusted may sign in.
func TestSessionsAnswerAsTheGuard(t *testing.T) {
	t.Parallel()
	users := must(htpasswd.OpenFile("testdata/files/users.htpasswd"))
	s := open(t, "realm: reports\nsession: {sign_in_page: /in}\n"+withPolicy+
		"answers: {formats: text}\nattempts: {address: {failures: 1, per: 10m, burst: 1}}\nobservers: [counter: {}]\n"+
		"revocations: {store: {memory: {}}}\nbrowsers: {trusted_origins: 'https://idp.example'}\n")
	signIn := func(password string, fields ...string) *http.Response {
		r := httptest.NewRequest("POST", "https://api.example/in", strings.NewReader("user=erin&password="+password))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		w := httptest.NewRecorder()
		httpauth.Serve(s.Sessions().LoginEndpoint(users)).ServeHTTP(w, r)
		return w.Result()
	}
	got := signIn("erin-pass", "Sec-Fetch-Site", "cross-site", "Origin", "https://idp.example")
	cookies := got.Cookies()
	if got.StatusCode != 303 || len(cookies) != 1 {
		t.Fatalf("from a trusted origin: %d %v", got.StatusCode, got.Header)
	}
	if got := signIn("erin-pass", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); got.StatusCode != 403 {
		t.Errorf("from another origin: %d", got.StatusCode)
	}
	withCookie := []string{"Cookie", cookies[0].Name + "=" + cookies[0].Value}
	wants(t, s.Guard(), 200, "GET", "/reports", withCookie...)
	if _, err := s.Revocations().Append(t.Context(), "", revoke.Entry{Subject: "erin", IssuedBefore: time.Now().Add(time.Minute)}); err != nil {
		t.Error(err)
	}
	wants(t, s.Guard(), 401, "GET", "/reports", withCookie...)
	before := counted.Load()
	var statuses []int
	for range 3 {
		got := signIn("wrong", "Sec-Fetch-Site", "same-origin")
		statuses = append(statuses, got.StatusCode)
		if form := got.Header.Get("Content-Type"); got.StatusCode == 429 && !strings.HasPrefix(form, "text/plain") {
			t.Errorf("a refusal is %s", form)
		}
	}
	if statuses[0] != 303 || statuses[2] != 429 || counted.Load() == before {
		t.Errorf("wrong passwords are %v, and the observer was told %d times", statuses, counted.Load()-before)
	}
}

// TestSchemesSayWhereCredentialsAre, in the order of the file.
func TestSchemesSayWhereCredentialsAre(t *testing.T) {
	t.Parallel()
	const introspection = "introspection: {endpoint: 'http://127.0.0.1:1', client: a, secret: {file: names.key}, any_audience: true, issuer: 'https://o.example'}"
	inHeader := func(name string) Scheme { return Scheme{Name: name, Place: InAuthorization} }
	idp := []string{"https://idp.example"}
	for text, want := range map[string][]Scheme{
		fmt.Sprintf(tokensWith, "cookie: __Host-t"): {
			{Name: "Bearer", Place: InAuthorization, Issuers: idp, JWT: true}, {Name: "Bearer", Place: InCookie, Field: "__Host-t", Issuers: idp, JWT: true}},
		fmt.Sprintf(tokensWith, introspection):                                                       {{Name: "Bearer", Place: InAuthorization, Issuers: append(idp, "https://o.example")}},
		fmt.Sprintf(boundWith, "required: true"):                                                     {{Name: "DPoP", Place: InAuthorization, Issuers: idp, JWT: true}},
		"realm: a\nbearer: {issuer_template: 'https://{t}.example', audience: b, jwks: jwks.json}\n": {{Name: "Bearer", Place: InAuthorization, Issuers: []string{"https://{t}.example"}, JWT: true}},
		"realm: reports\nbasic: {htpasswd: users.htpasswd}\ndigest: {htdigest: users.htdigest}\n":    {inHeader("Basic"), inHeader("Digest")},
		"realm: a\napi_keys: {file: api.keys, authorization_scheme: Key}\n":                          {inHeader("Key")},
		"realm: a\napi_keys: {file: api.keys, query_parameter: key}\n":                               {{Name: "ApiKey", Place: InQuery, Field: "key"}},
		"realm: a\napi_keys: {file: api.keys, header: X-Key}\nclient_certificates: {identity: uri, ca: ca.pem}\n": {
			{Name: "ApiKey", Place: InHeader, Field: "X-Key"}, {Name: "ClientCertificate", Place: InConnection}},
		"realm: a\nsession: {cookie: s}\n": {{Name: "Session", Place: InCookie, Field: "__Host-s"}},
	} {
		if got := open(t, text).Schemes(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

// TestKindsHaveOneName, and each has what a setup needs.
func TestKindsHaveOneName(t *testing.T) {
	t.Parallel()
	opens := func(*struct{}) (core.Observer, func() error, error) { return nil, nil, nil }
	for what, register := range map[string]func(){
		"twice":       func() { RegisterObserver("once_closed", opens) },
		"no name":     func() { RegisterObserver("", opens) },
		"no function": func() { RegisterObserver[struct{}]("empty", nil) },
		"no struct": func() {
			RegisterObserver("text", func(*string) (core.Observer, func() error, error) { return nil, nil, nil })
		},
	} {
		func() {
			defer func() {
				if got := recover(); got == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			register()
		}()
	}
}

// door is a sign-in whose provider is away.
type door struct{}

func (door) SignInEndpoint() core.Endpoint      { return nil }
func (door) CallbackEndpoint() core.Endpoint    { return nil }
func (door) LogoutEndpoint() core.Endpoint      { return nil }
func (door) BackChannelEndpoint() core.Endpoint { return nil }
func (door) Ready(context.Context) error        { return errors.New("the provider is away") }

// closedDoors is how often a door was closed.
var closedDoors atomic.Int32

func init() {
	RegisterSignIn("door", func(s *struct {
		Stuck bool `key:"stuck" doc:"whether it cannot be opened"`
	}, m *session.Manager) (SignIn, func() error, error) {
		if s.Stuck || m == nil {
			return nil, nil, errors.New("it is stuck")
		}
		return door{}, func() error { closedDoors.Add(1); return nil }, nil
	})
}

// TestSignInIsAPart of a setup: it is asked whether it is ready, is closed, and what is
// wrong with it is said at its place.
func TestSignInIsAPart(t *testing.T) {
	t.Parallel()
	const text = "realm: reports\nsession: {sign_in_page: /in, sign_in: {door: {stuck: false}}}\n"
	s, err := Open(configFile(t, text), quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Ready(ctx); err == nil || !strings.Contains(err.Error(), ":2:30: session.sign_in: not ready: the provider is away") {
		t.Errorf("ready: %v", err)
	}
	if err := s.Close(); err != nil || closedDoors.Load() != 1 {
		t.Errorf("closed %d times, %v", closedDoors.Load(), err)
	}
	if _, err := Open(configFile(t, strings.Replace(text, "false", "true", 1)), quiet()); err == nil || !strings.Contains(err.Error(), ":2:40: session.sign_in.door: it is stuck") {
		t.Errorf("stuck: %v", err)
	}
}
