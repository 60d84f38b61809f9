package bearer_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/challenge"
)

func TestChallenges(t *testing.T) {
	described := func(d string) error {
		return &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken, Description: d}
	}
	const (
		invalidToken = `Bearer realm="api", error="invalid_token"`
		stepUp       = `Bearer realm="api", error="insufficient_user_authentication", error_description="A stronger or more recent authentication is needed"`
	)
	for _, tc := range []struct {
		name string
		err  error
		want string // "" for no challenge
	}{
		{"B01 no credentials", core.ErrNoCredentials, `Bearer realm="api"`},
		{"B03 invalid token", described(""), invalidToken},
		{"B09 description", described("The access token expired"), invalidToken + `, error_description="The access token expired"`},
		{"B09 quote in description", described(`a "quoted" word`), invalidToken},
		{"B09 backslash in description", described(`a\b`), invalidToken},
		{"B09 line break in description", described("a\r\nb"), invalidToken},
		{"B09 description outside ASCII", described("abgelaufen für immer"), invalidToken},
		{"I07 code of another scheme", &core.CredentialError{Code: core.CodeInvalidCredentials}, invalidToken},
		{"wrapped", fmt.Errorf("verify: %w", described("")), invalidToken},
		{"B03 ambiguous", fmt.Errorf("%w: 2 lines", core.ErrAmbiguousCredentials), `Bearer realm="api", error="invalid_request"`},
		{
			"B10 scope", &core.ScopeError{Scopes: []string{"reports:read", "reports:write"}},
			`Bearer realm="api", error="insufficient_scope", scope="reports:read reports:write"`,
		},
		{
			"B10 scopes no token can carry", &core.ScopeError{Scopes: []string{"a b", "", `q"`, `b\`, "ü", "x\n", "ok!#[]~"}},
			`Bearer realm="api", error="insufficient_scope", scope="ok!#[]~"`,
		},
		{"B10 no scope left", &core.ScopeError{Scopes: []string{"a b"}}, `Bearer realm="api", error="insufficient_scope"`},
		{
			"B16 step-up", &core.StepUpError{StepUp: core.StepUp{ACRValues: []string{"urn:mfa", "urn:phr"}, MaxAge: 5 * time.Minute}},
			stepUp + `, acr_values="urn:mfa urn:phr", max_age="300"`,
		},
		{"B16 class only", &core.StepUpError{StepUp: core.StepUp{ACRValues: []string{"gold"}}}, stepUp + `, acr_values="gold"`},
		{"B16 age only, in whole seconds", &core.StepUpError{StepUp: core.StepUp{MaxAge: 1900 * time.Millisecond}}, stepUp + `, max_age="1"`},
		{"B16 neither", &core.StepUpError{}, stepUp},
		{"B16 classes no list can hold", &core.StepUpError{StepUp: core.StepUp{ACRValues: []string{"a b", "", `q"`, "ok"}}}, stepUp + `, acr_values="ok"`},
		{"dependency", errors.New("down"), ""},
		{"unavailable", &core.UnavailableError{Err: errors.New("down")}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := newAuthenticator(t, &verifier{}).Challenges(request(), tc.err)
			switch {
			case tc.want == "" && len(got) != 0:
				t.Errorf("got %v, want none", got)
			case tc.want != "" && (len(got) != 1 || got[0].String() != tc.want):
				t.Errorf("got %v, want %s", got, tc.want)
			}
		})
	}
}

func TestRealmIsQuoted(t *testing.T) { // A07, A08, A09
	a, err := bearer.New(`a", evil="b\`, &verifier{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.Challenges(request(), core.ErrNoCredentials)[0].String(), `Bearer realm="a\", evil=\"b\\"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestScheme(t *testing.T) {
	a := newAuthenticator(t, &verifier{})
	if s := a.Scheme(); s.Name != "Bearer" || s.Sender != core.SentByClient || len(s.Vary) != 1 || s.Vary[0] != "Authorization" {
		t.Errorf("scheme %+v", s)
	}
}

// FuzzChallenges shows that no description or scope breaks out of its
// parameter.
func FuzzChallenges(f *testing.F) {
	f.Add("The access token expired", "read")
	f.Add(`", realm="evil`, `x", error="y`)
	f.Add("a\r\nSet-Cookie: b", "a b")
	a := newAuthenticator(f, &verifier{})
	f.Fuzz(func(t *testing.T, description, scope string) {
		check := func(cs []challenge.Challenge, code string) {
			if len(cs) != 1 || cs[0].Scheme() != "Bearer" {
				t.Fatalf("challenges %v", cs)
			}
			if got, _ := cs[0].Param("error"); got != code {
				t.Fatalf("error %q, want %q", got, code)
			}
			for i, quotes := 0, 0; i < len(cs[0].String()); i++ {
				switch c := cs[0].String()[i]; {
				case c < ' ' || c > '~' || c == '\\':
					t.Fatalf("byte %#x in %q", c, cs[0])
				case c == '"':
					if quotes++; quotes > 2*len(cs[0].Params()) {
						t.Fatalf("too many quotes in %q", cs[0])
					}
				}
			}
		}
		check(a.Challenges(request(), &core.CredentialError{Description: description}), core.CodeInvalidToken)
		check(a.Challenges(request(), &core.ScopeError{Scopes: []string{scope, "b"}}), core.CodeInsufficientScope)
	})
}

func TestEveryChallengeNamesTheResourceMetadata(t *testing.T) { // B17
	const address = "https://api.example/.well-known/oauth-protected-resource"
	a := newAuthenticator(t, &verifier{}, bearer.WithResourceMetadata(address))
	for _, err := range []error{
		core.ErrNoCredentials, core.ErrAmbiguousCredentials, &core.ScopeError{Scopes: []string{"read"}}, &core.StepUpError{},
		&core.CredentialError{}, &core.CredentialError{Description: "The access token expired"},
	} {
		all := a.Challenges(request(), err)
		if len(all) != 1 {
			t.Fatalf("%v: %d challenges", err, len(all))
		}
		if got, _ := all[0].Param("resource_metadata"); got != address {
			t.Errorf("%v: %s", err, all[0])
		}
	}
}

func TestResourceMetadataMustBeAnAddress(t *testing.T) { // B17
	for _, address := range []string{
		"", "/.well-known/oauth-protected-resource", "//api.example/x", "http://api.example/x", "https://", "https:///x", "https://:443/x",
		"https://api.example/x#y", "https://api.example/x#", "https://user@api.example/x", "https://api.example/\u00fc\n", "https:api.example", "ftp://api.example",
	} {
		if _, err := bearer.New("api", &verifier{}, bearer.WithResourceMetadata(address)); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
	twice := bearer.WithResourceMetadata("https://api.example/x")
	if _, err := bearer.New("api", &verifier{}, twice, twice); err == nil {
		t.Error("two addresses were taken")
	}
}

func TestAttempt(t *testing.T) {
	a := newAuthenticator(t, &verifier{})
	for field, want := range map[string]bool{"Bearer x": true, "bEARER": true, "Bearer\tx": true, "Basic x": false, "Bearers x": false, "": false} {
		if account, ok := a.Scheme().Attempt(request(field)); ok != want || account != "" {
			t.Errorf("%q: %q, %v", field, account, ok)
		}
	}
}

// TestScopesOfAFirstToken: a 401 names them, an insufficient_scope those that its
// request needs.
func TestScopesOfAFirstToken(t *testing.T) {
	a, err := bearer.New("api", &verifier{}, bearer.WithScopes("reports:read", "tools:list"), bearer.WithResourceMetadata("https://api.example/.well-known/oauth-protected-resource"))
	if err != nil {
		t.Fatal(err)
	}
	const (
		first    = `, scope="reports:read tools:list"`
		metadata = `, resource_metadata="https://api.example/.well-known/oauth-protected-resource"`
	)
	for _, tt := range []struct {
		err  error
		want string
	}{
		{core.ErrNoCredentials, `Bearer realm="api"` + first + metadata},
		{&core.CredentialError{Code: core.CodeInvalidToken}, `Bearer realm="api", error="invalid_token"` + first + metadata},
		{&core.CredentialError{Code: core.CodeInvalidToken, Description: "It is over"}, `Bearer realm="api", error="invalid_token", error_description="It is over"` + first + metadata},
		{core.ErrAmbiguousCredentials, `Bearer realm="api", error="invalid_request"` + metadata},
		{&core.ScopeError{Scopes: []string{"reports:write"}}, `Bearer realm="api", error="insufficient_scope", scope="reports:write"` + metadata},
	} {
		if got := a.Challenges(request(), tt.err); len(got) != 1 || got[0].String() != tt.want {
			t.Errorf("%v: %v, want %s", tt.err, got, tt.want)
		}
	}
	for _, scopes := range [][]string{nil, {""}, {"a b"}, {`"`}, {"ü"}} {
		if _, err := bearer.New("api", &verifier{}, bearer.WithScopes(scopes...)); err == nil {
			t.Errorf("%q: no error", scopes)
		}
	}
	if _, err := bearer.New("api", &verifier{}, bearer.WithScopes("a"), bearer.WithScopes("b")); err == nil {
		t.Error("named twice: no error")
	}
}
