package tokenscheme_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/internal/tokenscheme"
)

func request(fields ...string) core.Request {
	r := httptest.NewRequest("GET", "/", nil)
	if len(fields) > 0 {
		r.Header["Authorization"] = fields
	}
	return httpauth.Request(r)
}

func TestToken(t *testing.T) {
	for _, tc := range []struct {
		fields []string
		want   string
		err    error  // what it is
		says   string // in the cause of a refusal
	}{
		{nil, "", core.ErrNoCredentials, ""},
		{[]string{"Other abc"}, "", core.ErrNoCredentials, ""},
		{[]string{"Scheme abc", "Other abc"}, "", core.ErrAmbiguousCredentials, ""},
		{[]string{"sCHEME  abc=="}, "abc==", nil, ""},
		{[]string{"Scheme"}, "", nil, "no token"},
		{[]string{"Scheme\tabc"}, "", nil, "spaces"},
		{[]string{"Scheme a b"}, "", nil, "b64token"},
		{[]string{"Scheme abcdefgh"}, "abcdefgh", nil, ""},
		{[]string{"Scheme abcdefghi"}, "", nil, "9 bytes"},
	} {
		token, err := tokenscheme.Token(request(tc.fields...), "Scheme", 8)
		var bad *core.CredentialError
		switch {
		case token != tc.want:
			t.Errorf("%q: token %q", tc.fields, token)
		case tc.err != nil && !errors.Is(err, tc.err):
			t.Errorf("%q: %v, want %v", tc.fields, err, tc.err)
		case tc.says != "" && (!errors.As(err, &bad) || bad.Reason != core.ReasonMalformed || bad.Code != core.CodeInvalidToken || !strings.Contains(err.Error(), tc.says)):
			t.Errorf("%q: %v, want %q", tc.fields, err, tc.says)
		case tc.want != "" && err != nil:
			t.Errorf("%q: %v", tc.fields, err)
		}
	}
}

func TestSent(t *testing.T) {
	for field, want := range map[string]bool{"Scheme x": true, "SCHEME": true, "Schemes x": false, "": false} {
		if got := tokenscheme.Sent(request(field), "Scheme"); got != want {
			t.Errorf("%q: %v", field, got)
		}
	}
}

func TestVerdict(t *testing.T) {
	down := errors.New("down")
	same := &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken}
	for _, err := range []error{down, same, core.ErrAmbiguousCredentials} {
		if got := tokenscheme.Verdict(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	var bad *core.CredentialError
	err := tokenscheme.Verdict(&core.CredentialError{Reason: core.ReasonRevoked, Code: "other", Description: "Gone", Err: down})
	if !errors.As(err, &bad) || bad.Code != core.CodeInvalidToken || bad.Reason != core.ReasonRevoked || bad.Description != "Gone" || !errors.Is(err, down) {
		t.Errorf("%#v", err)
	}
	var fault *core.InternalError
	if err := tokenscheme.Verdict(core.ErrNoCredentials); !errors.As(err, &fault) || errors.Is(err, core.ErrNoCredentials) {
		t.Errorf("no credentials became %v", err)
	}
}

func TestChallenges(t *testing.T) {
	last := []challenge.Param{{Name: "algs", Value: "ES256"}}
	c, err := tokenscheme.NewChallenges("Scheme", "r", last, "own_code")
	if err != nil {
		t.Fatal(err)
	}
	last[0].Value = "written"
	for _, tc := range []struct {
		err  error
		want string // between realm and algs; "-" for no challenge
	}{
		{core.ErrNoCredentials, ""},
		{core.ErrAmbiguousCredentials, `, error="invalid_request"`},
		{&core.CredentialError{Code: "own_code"}, `, error="own_code"`},
		{&core.CredentialError{Code: "own_code", Description: "Plain"}, `, error="own_code", error_description="Plain"`},
		{&core.CredentialError{Code: "foreign", Description: `"`}, `, error="invalid_token"`},
		{&core.CredentialError{Description: strings.Repeat("x", challenge.MaxBytes)}, `, error="invalid_token"`},
		{&core.ScopeError{Scopes: []string{"a", "b c", "d"}}, `, error="insufficient_scope", scope="a d"`},
		{&core.ScopeError{Scopes: []string{strings.Repeat("x", challenge.MaxBytes)}}, "-"},
		{&core.StepUpError{StepUp: core.StepUp{ACRValues: []string{strings.Repeat("x", challenge.MaxBytes)}}}, "-"},
		{&core.StepUpError{StepUp: core.StepUp{MaxAge: time.Hour}}, `, error="insufficient_user_authentication", error_description="A stronger or more recent authentication is needed", max_age="3600"`},
		{errors.New("down"), "-"},
	} {
		got := c.For(tc.err)
		switch {
		case tc.want == "-" && len(got) != 0:
			t.Errorf("%.80v: %v", tc.err, got)
		case tc.want != "-" && (len(got) != 1 || got[0].String() != `Scheme realm="r"`+tc.want+`, algs="ES256"`):
			t.Errorf("%.80v: %v, want %s", tc.err, got, tc.want)
		}
	}
	for _, bad := range [][]string{{"No Scheme", "r"}, {"Scheme", "a\nb"}} {
		if _, err := tokenscheme.NewChallenges(bad[0], bad[1], nil); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestResourceMetadata(t *testing.T) {
	p, err := tokenscheme.ResourceMetadata("https://api.example/x")
	if err != nil || p.Name != "resource_metadata" || p.Value != "https://api.example/x" {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := tokenscheme.ResourceMetadata("http://api.example/x"); err == nil {
		t.Error("plain http was taken")
	}
	for _, address := range []string{"http://localhost:8080/x", "http://127.0.0.1/x", "http://[::1]:8080/x"} {
		if p, err := tokenscheme.ResourceMetadata(address); err != nil || p.Value != address {
			t.Errorf("%s: %v, %v", address, p, err)
		}
	}
}
