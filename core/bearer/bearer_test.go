package bearer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/bearer"
)

// verifier answers every token alike and counts what reaches it.
type verifier struct {
	err    error
	tokens []string
}

func (v *verifier) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	v.tokens = append(v.tokens, token)
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	if err != nil {
		return nil, err
	}
	return p, v.err
}

func newAuthenticator(t testing.TB, v bearer.TokenVerifier, opts ...bearer.Option) *bearer.Authenticator {
	t.Helper()
	a, err := bearer.New("api", v, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(authorization ...string) *adapter.View {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if len(authorization) > 0 {
		r.Header["Authorization"] = authorization
	}
	return &adapter.View{Request: r}
}

func TestAuthenticateReadsAuthorizationHeader(t *testing.T) {
	const (
		passes    = "passes"
		none      = "no credentials"
		malformed = "malformed"
	)
	for _, tc := range []struct{ name, field, want, token string }{
		{"plain", "Bearer abc.DEF-_~+/123==", passes, "abc.DEF-_~+/123=="},
		{"A10 lower case scheme", "bearer abc", passes, "abc"},
		{"A10 upper case scheme", "BEARER abc", passes, "abc"},
		{"A13 several spaces", "Bearer   abc", passes, "abc"},
		{"A13 tab", "Bearer\tabc", malformed, ""},
		{"A13 space then tab", "Bearer \tabc", malformed, ""},
		{"A13 tab then space", "Bearer\t abc", malformed, ""},
		{"A12 two tokens", "Bearer a b", malformed, ""},
		{"A12 comma", "Bearer a,b", malformed, ""},
		{"A12 text after padding", "Bearer ab=c", malformed, ""},
		{"A12 only padding", "Bearer ==", malformed, ""},
		{"A12 parameter", `Bearer token="abc"`, malformed, ""},
		{"white space around the field is none of it", " Bearer abc \t", passes, "abc"},
		{"A12 trailing line feed", "Bearer abc\n", malformed, ""},
		{"A15 other scheme", "Basic YWxpY2U6cHc=", none, ""},
		{"A15 longer name", "Bearer2 abc", none, ""},
		{"A15 longer name with dash", "Bearer-token abc", none, ""},
		{"A15 shorter name", "Bear abc", none, ""},
		{"A15 empty field", "", none, ""},
		{"A15 scheme letters outside ASCII", "Bearеr abc", none, ""}, // a Cyrillic e
		{"B04 scheme alone", "Bearer", malformed, ""},
		{"B04 scheme and space", "Bearer ", malformed, ""},
		{"B04 comma after scheme", "Bearer,abc", malformed, ""},
		{"A13 slash as separator", "Bearer/abc", malformed, ""},
		{"B04 outside ASCII", "Bearer töken", malformed, ""},
		{"B04 NUL", "Bearer a\x00b", malformed, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := &verifier{}
			p, err := newAuthenticator(t, v).Authenticate(context.Background(), request(tc.field))
			switch tc.want {
			case passes:
				if err != nil || p.ID() != "alice" || len(v.tokens) != 1 || v.tokens[0] != tc.token {
					t.Errorf("principal %v, error %v, verifier saw %q, want %q", p, err, v.tokens, tc.token)
				}
				return
			case none:
				if !errors.Is(err, core.ErrNoCredentials) {
					t.Errorf("error %v, want ErrNoCredentials", err)
				}
			case malformed:
				var bad *core.CredentialError
				if !errors.As(err, &bad) || bad.Reason != core.ReasonMalformed || bad.Code != core.CodeInvalidToken {
					t.Errorf("error %#v, want a malformed CredentialError", err)
				}
			}
			if p != nil || len(v.tokens) != 0 {
				t.Errorf("principal %v, verifier called with %q", p, v.tokens)
			}
		})
	}
}

func TestAuthenticateWithoutHeader(t *testing.T) { // B01
	if _, err := newAuthenticator(t, &verifier{}).Authenticate(context.Background(), request()); !errors.Is(err, core.ErrNoCredentials) {
		t.Errorf("error %v, want ErrNoCredentials", err)
	}
}

func TestAuthenticateTwoHeaderLines(t *testing.T) { // A14, B05
	v := &verifier{}
	_, err := newAuthenticator(t, v).Authenticate(context.Background(), request("Bearer a", "Bearer a"))
	if !errors.Is(err, core.ErrAmbiguousCredentials) || len(v.tokens) != 0 {
		t.Errorf("error %v, verifier saw %q", err, v.tokens)
	}
}

// B06: neither query nor form nor cookie is read.
func TestAuthenticateReadsNothingElse(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/?access_token=abc", strings.NewReader("access_token=abc"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "access_token", Value: "abc"})
	v := &verifier{}
	_, err := newAuthenticator(t, v).Authenticate(context.Background(), &adapter.View{Request: r})
	if !errors.Is(err, core.ErrNoCredentials) || len(v.tokens) != 0 {
		t.Errorf("error %v, verifier saw %q", err, v.tokens)
	}
	if r.PostForm != nil {
		t.Error("the body was parsed")
	}
}

func TestTokenSizeIsCapped(t *testing.T) {
	for _, tc := range []struct {
		name   string
		size   int
		opts   []bearer.Option
		passes bool
	}{
		{"default, at the cap", 16 << 10, nil, true},
		{"default, over the cap", 16<<10 + 1, nil, false},
		{"own cap, at it", 8, []bearer.Option{bearer.WithMaxTokenSize(8)}, true},
		{"own cap, over it", 9, []bearer.Option{bearer.WithMaxTokenSize(8)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := &verifier{}
			a := newAuthenticator(t, v, tc.opts...)
			_, err := a.Authenticate(context.Background(), request("Bearer "+strings.Repeat("a", tc.size)))
			if (err == nil) != tc.passes || (len(v.tokens) == 1) != tc.passes {
				t.Errorf("error %v, verifier called %d times", err, len(v.tokens))
			}
			if bad := (*core.CredentialError)(nil); !tc.passes && (!errors.As(err, &bad) || bad.Code != core.CodeInvalidToken) {
				t.Errorf("error %v, want invalid_token", err)
			}
		})
	}
}

func TestVerifierErrors(t *testing.T) {
	cause := errors.New("key server is down")
	expired := &core.CredentialError{Reason: core.ReasonExpired, Description: "The access token expired", Err: cause}
	for _, tc := range []struct {
		name   string
		err    error
		reason core.Reason // "" when not a CredentialError
	}{
		{"no code", expired, core.ReasonExpired},
		{"I07 another code", &core.CredentialError{Reason: core.ReasonRevoked, Code: "revoked", Err: cause}, core.ReasonRevoked},
		{"right code", &core.CredentialError{Reason: core.ReasonRevoked, Code: core.CodeInvalidToken, Err: cause}, core.ReasonRevoked},
		{"wrapped", fmt.Errorf("verify: %w", expired), core.ReasonExpired},
		{"dependency", cause, ""},
		{"unavailable", &core.UnavailableError{Err: cause}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := newAuthenticator(t, &verifier{err: tc.err}).Authenticate(context.Background(), request("Bearer abc"))
			if p != nil {
				t.Error("E27: a principal came with the error")
			}
			var bad *core.CredentialError
			if is := errors.As(err, &bad); is != (tc.reason != "") {
				t.Fatalf("error %#v", err)
			}
			if bad != nil && (bad.Reason != tc.reason || bad.Code != core.CodeInvalidToken) {
				t.Errorf("reason %q, code %q", bad.Reason, bad.Code)
			}
			if !errors.Is(err, cause) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
	if expired.Code != "" {
		t.Error("the verifier's error was written to")
	}
}

// A refused token must not turn into an anonymous request.
func TestVerifierReportingNoCredentialsIsAFault(t *testing.T) {
	for _, err := range []error{
		core.ErrNoCredentials,
		fmt.Errorf("lookup: %w", core.ErrNoCredentials),
		&core.CredentialError{Err: core.ErrNoCredentials},
	} {
		_, got := newAuthenticator(t, &verifier{err: err}).Authenticate(context.Background(), request("Bearer abc"))
		var internal *core.InternalError
		if !errors.As(got, &internal) || errors.Is(got, core.ErrNoCredentials) {
			t.Errorf("%v gave %v", err, got)
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for _, tc := range []struct {
		name, realm string
		v           bearer.TokenVerifier
		opts        []bearer.Option
		want        string
	}{
		{"B02 empty realm", "", &verifier{}, nil, "realm is empty"},
		{"A09 realm outside ASCII", "zürich", &verifier{}, nil, "not printable ASCII"},
		{"A09 realm with line break", "a\r\nb", &verifier{}, nil, "not printable ASCII"},
		{"nil verifier", "api", nil, nil, "verifier is nil"},
		{"nil pointer verifier", "api", (*verifier)(nil), nil, "verifier is nil"},
		{"nil option", "api", &verifier{}, []bearer.Option{nil}, "option 1 is nil"},
		{"no room for a token", "api", &verifier{}, []bearer.Option{bearer.WithMaxTokenSize(0)}, "at least 1 byte"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, err := bearer.New(tc.realm, tc.v, tc.opts...)
			if err == nil || a != nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestNoCredentialsAllocatesNothing(t *testing.T) {
	a := newAuthenticator(t, &verifier{})
	ctx := context.Background()
	for name, r := range map[string]*adapter.View{
		"no header":    request(),
		"other scheme": request("Basic YWxpY2U6cHc="),
	} {
		n := testing.AllocsPerRun(100, func() {
			_, err := a.Authenticate(ctx, r)
			_ = a.Challenges(r, err)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
