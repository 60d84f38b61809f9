package respond_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/internal/problem"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/rule"
)

// request is a request as the responders see it.
func request(accept ...string) core.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, a := range accept {
		r.Header.Add("Accept", a)
	}
	return &adapter.View{Request: r}
}

func field(fields []core.Field, name string) (values []string) {
	for _, f := range fields {
		if f.Name == name {
			values = append(values, f.Value)
		}
	}
	return values
}

func TestFormats(t *testing.T) {
	d := &core.Denial{Kind: core.Forbidden, Code: "forbidden", Message: "Not for you."}
	tests := []struct {
		name        string
		format      respond.Format
		contentType string
		body        string
	}{
		{"I01 problem", respond.Problem(), "application/problem+json", `{"title":"Forbidden","status":403,"detail":"Not for you.","error":"forbidden"}` + "\n"},
		{"json", respond.JSON(), "application/json", `{"error":"forbidden","message":"Not for you."}` + "\n"},
		{"text", respond.Text(), "text/plain; charset=utf-8", "Not for you.\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// I01: whatever Accept says.
			resp := tt.format.Respond(request("image/png"), d)
			want := core.Response{
				Status: 403,
				Fields: []core.Field{{Name: "Content-Type", Value: tt.contentType}, {Name: "X-Content-Type-Options", Value: "nosniff"}},
				Body:   []byte(tt.body),
			}
			if !reflect.DeepEqual(resp, want) {
				t.Errorf("got  %+v\nwant %+v", resp, want)
			}
			if got := tt.format.MediaTypes()[0]; !strings.HasPrefix(tt.contentType, got) {
				t.Errorf("declares %s and sends %s", got, tt.contentType)
			}
			if n := testing.AllocsPerRun(100, func() { tt.format.Respond(nil, d) }); n != 0 {
				t.Errorf("a denial answered before costs %v allocations", n)
			}
		})
	}
}

func TestTheStatusIsThatOfTheKind(t *testing.T) {
	for kind, status := range map[core.Kind]int{
		core.Unauthenticated: 401, core.Forbidden: 403, core.Ambiguous: 400, core.Unavailable: 503, core.Faulty: 500,
	} {
		d := &core.Denial{Kind: kind, Code: "c"}
		for _, f := range []respond.Format{respond.Problem(), respond.JSON(), respond.Text()} {
			if got := f.Respond(nil, d).Status; got != status {
				t.Errorf("%d instead of %d", got, status)
			}
		}
		// I02: the body says the same, as a number.
		var doc struct{ Status int }
		body := respond.Problem().Respond(nil, d).Body
		if err := json.Unmarshal(body, &doc); err != nil || doc.Status != status {
			t.Errorf("%s (%v), want status %d", body, err, status)
		}
	}
	if got := string(respond.Text().Respond(nil, &core.Denial{Kind: core.Forbidden}).Body); got != "Forbidden\n" {
		t.Errorf("without a message %q", got)
	}
}

// I07: valid JSON, and text that stays one line, for hostile input.
func FuzzFormats(f *testing.F) {
	for _, s := range []string{"", "plain", `"},{"`, "a\r\nSet-Cookie: x", "\xff\xc0\xaf", "</script>", "\x1b[2J", "\u2028", "\u0085"} {
		f.Add(s, s)
	}
	problem, plain, text := respond.Problem(), respond.JSON(), respond.Text()
	f.Fuzz(func(t *testing.T, code, message string) {
		d := &core.Denial{Kind: core.Unauthenticated, Code: code, Message: message}
		for _, format := range []respond.Format{problem, plain} {
			body := format.Respond(nil, d).Body
			var doc map[string]any
			if err := json.Unmarshal(body, &doc); err != nil {
				t.Fatalf("%q: %v", body, err)
			}
			if utf8.ValidString(code) && doc["error"] != code {
				t.Errorf("code %q became %q", code, doc["error"])
			}
			if strings.Contains(string(body), "<") {
				t.Errorf("markup in %q", body)
			}
		}
		line, found := strings.CutSuffix(string(text.Respond(nil, d).Body), "\n")
		if !found || line == "" || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n\x1b\x00\u0085") {
			t.Errorf("text %q", line)
		}
	})
}

// auth is an authenticator that returns what it is told to.
type auth struct {
	p   *core.Principal
	err error
}

func (a *auth) Scheme() core.Scheme {
	return core.Scheme{Name: "Demo", Sender: core.SentByClient, Vary: []string{"Authorization"}, Attempt: core.Unguessable}
}
func (a *auth) Authenticate(context.Context, core.Request) (*core.Principal, error) {
	return a.p, a.err
}
func (a *auth) Challenges(core.Request, error) []challenge.Challenge {
	c, err := challenge.New("Demo", challenge.Param{Name: "realm", Value: "r"})
	if err != nil {
		panic(err)
	}
	return []challenge.Challenge{c}
}

// exchange is a whole answer to one request through a guard.
func exchange(t *testing.T, a *auth, accept []string, rules []core.Authorizer, opts ...core.Option) *http.Response {
	t.Helper()
	opts = append(opts, core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler))))
	guard, err := core.NewGuard([]core.Authenticator{a}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	h := httpauth.Require(guard, rules...)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the handler ran")
	}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, value := range accept {
		r.Header.Add("Accept", value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The guard's default and Problem must not drift apart.
func TestProblemIsWhatAGuardAnswersByDefault(t *testing.T) {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	panics := rule.Func("panics", func(context.Context, *core.Principal, core.Access) (bool, error) { panic("boom") })
	for _, tt := range []struct {
		name   string
		auth   auth
		rule   core.Authorizer
		status int
	}{
		{"no credentials", auth{err: core.ErrNoCredentials}, rule.Role("a"), 401},
		{"bad credentials", auth{err: &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken}}, rule.Role("a"), 401},
		{"ambiguous credentials", auth{err: core.ErrAmbiguousCredentials}, rule.Role("a"), 400},
		{"a role missing", auth{p: p}, rule.Role("a"), 403},
		{"a scope missing", auth{p: p}, rule.Scope("a"), 403},
		{"a public code", auth{p: p}, rule.Public("plan", "Upgrade <now>.", rule.Role("a")), 403},
		{"a dependency down", auth{err: &core.UnavailableError{RetryAfter: time.Minute, Err: errors.New("down")}}, rule.Role("a"), 503},
		{"a panic", auth{p: p}, panics, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.auth
			want := exchange(t, &a, nil, []core.Authorizer{tt.rule})
			got := exchange(t, &a, nil, []core.Authorizer{tt.rule}, core.WithResponder(respond.Problem()))
			if got.StatusCode != want.StatusCode || want.StatusCode != tt.status {
				t.Errorf("status %d, default %d, want %d", got.StatusCode, want.StatusCode, tt.status)
			}
			if !reflect.DeepEqual(got.Header, want.Header) {
				t.Errorf("header\n%v\ndefault\n%v", got.Header, want.Header)
			}
			if g, w := bodyOf(t, got), bodyOf(t, want); g != w || g == "" {
				t.Errorf("body %s default %s", g, w)
			}
			if ct := got.Header.Get("Content-Type"); ct != problem.MediaType {
				t.Errorf("I01: Content-Type %s", ct)
			}
		})
	}
}

// One "access denied" for everything would tell clients nothing.
func TestA401AndA403SaySomethingDifferentInEveryFormat(t *testing.T) {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []respond.Format{respond.Problem(), respond.JSON(), respond.Text()} {
		opt := core.WithResponder(f)
		unknown := exchange(t, &auth{err: core.ErrNoCredentials}, nil, []core.Authorizer{rule.Role("a")}, opt)
		refused := exchange(t, &auth{p: p}, nil, []core.Authorizer{rule.Role("a")}, opt)
		if unknown.StatusCode != 401 || refused.StatusCode != 403 {
			t.Errorf("%v: %d and %d", f.MediaTypes(), unknown.StatusCode, refused.StatusCode)
		}
		if a, b := bodyOf(t, unknown), bodyOf(t, refused); a == b {
			t.Errorf("%v: both say %s", f.MediaTypes(), a)
		}
	}
}
