package introspect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return start.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// endpoint is an introspection endpoint with configurable answers.
type endpoint struct {
	*httptest.Server
	asked  atomic.Int64
	mu     sync.Mutex
	answer http.HandlerFunc
}

func newEndpoint(t testing.TB, answer http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{answer: answer}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		e.mu.Lock()
		h := e.answer
		e.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) set(answer http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

// says answers with a JSON text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		fmt.Fprint(w, text)
	}
}

func fails(status int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	}
}

const (
	issuer   = "https://issuer.example"
	audience = "reports"
)

// good is an accepted answer, with further members.
func good(members ...any) string {
	m := map[string]any{
		"active": true, "iss": issuer, "aud": audience, "sub": "alice",
		"exp": start.Add(time.Hour).Unix(), "token_type": "Bearer",
	}
	for i := 0; i < len(members); i += 2 {
		if name := members[i].(string); members[i+1] == nil {
			delete(m, name)
		} else {
			m[name] = members[i+1]
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func newVerifier(t testing.TB, url string, opts ...introspect.Option) (*introspect.Verifier, *clock) {
	t.Helper()
	c := new(clock)
	opts = append([]introspect.Option{introspect.WithIssuer(issuer), introspect.WithAudience(audience), introspect.WithClock(c.now)}, opts...)
	v, err := introspect.New(url, introspect.Secret("me", "secret"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return v, c
}

// refusedFor fails the test unless err is a 401 with that reason.
func refusedFor(t *testing.T, err error, reason core.Reason) {
	t.Helper()
	var bad *core.CredentialError
	var down *core.UnavailableError
	if !errors.As(err, &bad) || errors.As(err, &down) || bad.Reason != reason || bad.Code != core.CodeInvalidToken || bad.Description == "" {
		t.Errorf("error %v, want reason %s", err, reason)
	}
}

// unavailable fails the test unless err is a 503, and returns it.
func unavailable(t *testing.T, err error) *core.UnavailableError {
	t.Helper()
	var bad *core.CredentialError
	var down *core.UnavailableError
	if !errors.As(err, &down) || errors.As(err, &bad) {
		t.Fatalf("error %v, want an UnavailableError", err)
	}
	return down
}

func TestAnswersBecomePrincipals(t *testing.T) { // RFC 7662 §2.2
	e := newEndpoint(t, says(good(
		"scope", "read  write", "realm_access", map[string]any{"roles": []string{"admin", "user"}}, "org", "acme",
		"client_id", "spa", "auth_time", start.Add(-time.Minute).Unix(), "username", "Alice A.")))
	v, _ := newVerifier(t, e.URL, introspect.WithRoles("realm_access.roles"), introspect.WithTenant("org"))
	p, err := v.VerifyToken(t.Context(), "opaque")
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != "alice" || p.Tenant() != "acme" || !p.HasRole("admin") || !p.HasRole("user") || !p.HasScope("read") ||
		!p.HasScope("write") || p.HasScope("") || !p.Expires().Equal(start.Add(time.Hour)) || !p.AuthTime().Equal(start.Add(-time.Minute)) {
		t.Errorf("principal %+v", p)
	}
	if client, _ := p.Claim("client_id"); client != "spa" {
		t.Errorf("client_id %v", client)
	}
	if _, ok := p.Claim("active"); ok {
		t.Error("active is a claim")
	}
}

func TestTheRequestIsRFC7662s(t *testing.T) { // §2.1, RFC 6749 §2.3.1
	for _, tc := range []struct {
		name   string
		client introspect.Client
		want   string
	}{
		{"secret", introspect.Secret("me", "secret"), "Basic bWU6c2VjcmV0"},
		// "a+b%3A%2F:p%25+%C3%BC%2B" in base64
		{"secret, form-encoded", introspect.Secret("a b:/", "p% ü+"), "Basic YStiJTNBJTJGOnAlMjUrJUMzJUJDJTJC"},
		{"token", introspect.Token(func(context.Context) (string, error) { return "mine", nil }), "Bearer mine"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				if got := r.PostForm.Encode(); got != "token=a%2Bb%2F%3D%3D&token_type_hint=access_token" {
					t.Errorf("form %s", got)
				}
				if _, sent := r.Header["Idempotency-Key"]; sent || r.Method != http.MethodPost ||
					r.Header.Get("Authorization") != tc.want || r.Header.Get("Accept") != "application/json" || r.URL.RawQuery != "realm=x" {
					t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
				}
				says(good())(w, r)
			})
			v, err := introspect.New(e.URL+"?realm=x", tc.client, introspect.WithoutIssuer(), introspect.WithoutAudience(), introspect.WithClock(new(clock).now))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.VerifyToken(t.Context(), "a+b/=="); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTokensThatProveNoOne(t *testing.T) {
	at := func(d time.Duration) int64 { return start.Add(d).Unix() }
	for _, tc := range []struct {
		name, answer string
		reason       core.Reason // "" for a token that passes
	}{
		{"inactive", `{"active":false}`, introspect.ReasonInactive},
		{"inactive, whatever else", `{"active":false,"sub":1,"exp":"x"}`, introspect.ReasonInactive},
		{"E09 expired", good("exp", at(-30*time.Second)), core.ReasonExpired},
		{"E09 expired within the leeway", good("exp", at(-29*time.Second)), ""},
		{"no exp", good("exp", nil), ""},
		{"E11 too early", good("nbf", at(31*time.Second)), core.ReasonNotYetValid},
		{"E11 early within the leeway", good("nbf", at(30*time.Second)), ""},
		{"B14 another issuer", good("iss", issuer+"/"), core.ReasonWrongIssuer},
		{"no issuer", good("iss", nil), core.ReasonWrongIssuer},
		{"another audience", good("aud", "mail"), core.ReasonWrongAudience},
		{"E14 audience in another letter case", good("aud", "Reports"), core.ReasonWrongAudience},
		{"no audience", good("aud", nil), core.ReasonWrongAudience},
		{"empty audience", good("aud", []string{}), core.ReasonWrongAudience},
		{"one of several audiences", good("aud", []string{"mail", audience}), ""},
		{"neither subject nor client", good("sub", nil), core.ReasonBadClaim},
		{"empty subject, no client", good("sub", ""), core.ReasonBadClaim},
		{"user named like a client", good("sub", "client:alice"), core.ReasonBadClaim},
		{"ID token by its type", good("typ", "ID"), core.ReasonWrongType},
		{"ID token by its use", good("token_use", "id"), core.ReasonWrongType},
		{"ID token by its hash", good("at_hash", "x"), core.ReasonWrongType},
		{"ID token by its nonce", good("nonce", "x", "token_type", nil), core.ReasonWrongType},
		{"refresh token by its type", good("typ", "Refresh"), core.ReasonWrongType},
		{"access token with a nonce", good("nonce", "x"), ""},
		{"B18 bound to a key", good("cnf", map[string]any{"jkt": "x"}), core.ReasonBadClaim},
		{"B18 bound to a certificate", good("cnf", map[string]any{"x5t#S256": "x"}), core.ReasonBadClaim},
		{"B18 of type DPoP", good("token_type", "DPoP"), core.ReasonBadClaim},
		{"type in another letter case", good("token_type", "bearer"), ""},
		{"no type", good("token_type", nil), ""},
		{"B18 bound to a DPoP key", good("token_type", nil, "cnf", map[string]any{"jkt": thumbprint}), core.ReasonBadClaim},
		{"refresh token", good("token_use", "refresh_token"), core.ReasonWrongType},
		{"said to be an access token", good("token_use", "access_token"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEndpoint(t, says(tc.answer))
			v, _ := newVerifier(t, e.URL)
			p, err := v.VerifyToken(t.Context(), "opaque")
			if tc.reason == "" {
				if err != nil || p.ID() != "alice" {
					t.Errorf("principal %v, error %v", p, err)
				}
				return
			}
			if p != nil {
				t.Error("a principal came with the error")
			}
			refusedFor(t, err, tc.reason)
		})
	}
}

// thumbprint is the one in RFC 9449 §6.1.
const thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

func TestBoundTokens(t *testing.T) { // RFC 9449 §6.2 and §7
	dpop := func(cnf any, members ...any) string {
		return good(append([]any{"token_type", "DPoP", "cnf", cnf}, members...)...)
	}
	key := map[string]any{"jkt": thumbprint}
	for _, tc := range []struct {
		name, answer string
		reason       core.Reason // "" for a token that passes
	}{
		{"bound", dpop(key), ""},
		{"no type", dpop(key, "token_type", nil), ""},
		{"of type Bearer", dpop(key, "token_type", "Bearer"), core.ReasonBadClaim},
		{"not bound", good(), core.ReasonBadClaim},
		{"of type DPoP, not bound", dpop(nil), core.ReasonBadClaim},
		{"bound to nothing", dpop(map[string]any{}), core.ReasonBadClaim},
		{"bound to a certificate", dpop(map[string]any{"x5t#S256": thumbprint}), core.ReasonBadClaim},
		{"bound to a certificate, too", dpop(map[string]any{"jkt": thumbprint, "x5t#S256": thumbprint}), core.ReasonBadClaim},
		{"short thumbprint", dpop(map[string]any{"jkt": thumbprint[:42]}), core.ReasonBadClaim},
		{"thumbprint with a line break", dpop(map[string]any{"jkt": thumbprint + "\n"}), core.ReasonBadClaim},
		{"thumbprint as a number", dpop(map[string]any{"jkt": 1}), core.ReasonBadClaim},
		{"expired", dpop(key, "exp", start.Add(-time.Minute).Unix()), core.ReasonExpired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEndpoint(t, says(tc.answer))
			v, _ := newVerifier(t, e.URL)
			for range 2 { // fresh and cached
				p, jkt, err := v.VerifyBoundToken(t.Context(), "opaque")
				if tc.reason != "" {
					if p != nil || jkt != "" {
						t.Errorf("principal %v, thumbprint %q with the error", p, jkt)
					}
					refusedFor(t, err, tc.reason)
					continue
				}
				if err != nil || p.ID() != "alice" || p.Scheme() != "DPoP" || jkt != thumbprint {
					t.Errorf("principal %v, thumbprint %q, error %v", p, jkt, err)
				}
				_, err = v.VerifyToken(t.Context(), "opaque")
				refusedFor(t, err, core.ReasonBadClaim)
			}
		})
	}
}

// An answer that violates RFC 7662 §2.2 is the server's fault.
func TestUnfitAnswersAreUnavailable(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":             ``,
		"HTML":                `<html>sign in</html>`,
		"null":                `null`,
		"array":               `[{"active":true}]`,
		"cut":                 strings.TrimSuffix(good(), "}"),
		"text after":          good() + `{}`,
		"no active":           `{"sub":"alice"}`,
		"active as a string":  `{"active":"true"}`,
		"active as a number":  `{"active":1}`,
		"active null":         `{"active":null}`,
		"E18 active twice":    `{"active":false,"active":true}`,
		"E18 sub twice":       `{"active":true,"sub":"a","sub":"b"}`,
		"ACTIVE":              `{"ACTIVE":true}`,
		"E20 not UTF-8":       "{\"active\":true,\"sub\":\"\xff\"}",
		"sub as a number":     good("sub", 7),
		"sub null":            `{"active":true,"sub":null}`,
		"control in sub":      good("sub", "a\nb"),
		"iss as an array":     good("iss", []string{issuer}),
		"aud as an object":    good("aud", map[string]any{}),
		"aud with a number":   good("aud", []any{audience, 1}),
		"aud null":            `{"active":true,"aud":null}`,
		"cnf as a string":     good("cnf", "x"),
		"exp as a string":     good("exp", "1893456000"),
		"exp zero":            good("exp", 0),
		"exp in milliseconds": good("exp", start.Add(time.Hour).UnixMilli()),
		"nbf negative":        good("nbf", -1),
		"iat as a string":     good("iat", "now"),
		"auth_time true":      good("auth_time", true),
		"scope of two words":  good("scope", []string{"read write"}),
		"scope as a number":   good("scope", 7),
		"client_id a number":  good("client_id", 1),
		"token_type an array": good("token_type", []string{"Bearer"}),
		"roles as an object":  good("roles", map[string]any{"admin": true}),
		"empty role":          good("roles", []string{""}),
		"role as a number":    good("roles", []any{1}),
		"role as a boolean":   good("roles", true),
		"tenant as a number":  good("org", map[string]any{"id": 1}),
		"tenant's object":     good("org", "acme"),
		"huge":                good("x", strings.Repeat("x", 64<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, says(answer))
			v, _ := newVerifier(t, e.URL, introspect.WithTenant("org.id"))
			p, err := v.VerifyToken(t.Context(), "opaque")
			if p != nil {
				t.Error("a principal came with the error")
			}
			unavailable(t, err)
			if strings.Contains(err.Error(), "opaque") {
				t.Errorf("the error contains the token: %v", err)
			}
		})
	}
}
