package dpop_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

func TestNewRefusesWhatCannotWork(t *testing.T) { // invariant 14
	good := constant{"x"}
	var none *verifier
	memory, _ := newMemory(t, 1)
	for _, tc := range []struct {
		name, realm, address string
		verifier             dpop.TokenVerifier
		opts                 []dpop.Option
		says                 string
	}{
		{"no realm", "", address, good, nil, "realm is empty"},
		{"a realm with a line break", "a\nb", address, good, nil, "realm"},
		{"no verifier", "api", address, nil, nil, "verifier is nil"},
		{"a nil pointer", "api", address, none, nil, "verifier is nil"},
		{"no address", "api", "", good, nil, "address"},
		{"a host alone", "api", "api.example", good, nil, "address"},
		{"plain http", "api", "http://api.example", good, nil, "https is needed"},
		{"another scheme", "api", "ftp://api.example", good, nil, "https is needed"},
		{"a query", "api", address + "?x", good, nil, "address"},
		{"a fragment", "api", address + "#x", good, nil, "address"},
		{"a user", "api", "https://u@api.example", good, nil, "address"},
		{"a host outside ASCII", "api", "https://\u00e4.example", good, nil, "authority"},
		{"a bad escape", "api", address + "/%zz", good, nil, "address"},
		{"a backslash", "api", address + `/a\b`, good, nil, "path"},
		{"a nil option", "api", address, good, []dpop.Option{nil}, "option 1 is nil"},
		{"no algorithm", "api", address, good, []dpop.Option{dpop.WithAlgorithms()}, "no algorithm"},
		{"a secret's algorithm", "api", address, good, []dpop.Option{dpop.WithAlgorithms("HS256")}, `"HS256"`},
		{"none", "api", address, good, []dpop.Option{dpop.WithAlgorithms("none")}, `"none"`},
		{"an algorithm twice", "api", address, good, []dpop.Option{dpop.WithAlgorithms("ES256", "ES256")}, "twice"},
		{"no age", "api", address, good, []dpop.Option{dpop.WithProofAge(0)}, "proof age"},
		{"a long age", "api", address, good, []dpop.Option{dpop.WithProofAge(11 * time.Minute)}, "proof age"},
		{"a negative leeway", "api", address, good, []dpop.Option{dpop.WithLeeway(-1)}, "leeway"},
		{"a long leeway", "api", address, good, []dpop.Option{dpop.WithLeeway(time.Hour)}, "leeway"},
		{"no token fits", "api", address, good, []dpop.Option{dpop.WithMaxTokenSize(0)}, "max token size"},
		{"no store", "api", address, good, []dpop.Option{dpop.WithReplays(nil)}, "replay store is nil"},
		{"two stores", "api", address, good, []dpop.Option{dpop.WithReplays(memory), dpop.WithReplays(memory)}, "replay store is given twice"},
		{"a short key", "api", address, good, []dpop.Option{dpop.WithNonces(time.Minute, nonceKey[1:])}, "too short"},
		{"a short previous key", "api", address, good, []dpop.Option{dpop.WithNonces(time.Minute, nonceKey, nil)}, "nonce key 2"},
		{"a short life", "api", address, good, []dpop.Option{dpop.WithNonces(time.Second, nonceKey)}, "lifetime"},
		{"a long life", "api", address, good, []dpop.Option{dpop.WithNonces(2*time.Hour, nonceKey)}, "lifetime"},
		{"nonces twice", "api", address, good, []dpop.Option{dpop.WithNonces(time.Minute, nonceKey), dpop.WithNonces(time.Minute, nonceKey)}, "twice"},
		{"metadata elsewhere", "api", address, good, []dpop.Option{dpop.WithResourceMetadata("/x")}, "https URL"},
		{"metadata twice", "api", address, good, []dpop.Option{dpop.WithResourceMetadata(address), dpop.WithResourceMetadata(address)}, "twice"},
		{"algorithms twice", "api", address, good, []dpop.Option{dpop.WithAlgorithms("ES256"), dpop.WithAlgorithms("EdDSA")}, "WithAlgorithms is given twice"},
		{"leeway twice", "api", address, good, []dpop.Option{dpop.WithLeeway(0), dpop.WithLeeway(0)}, "WithLeeway is given twice"},
		{"no clock", "api", address, good, []dpop.Option{dpop.WithClock(nil)}, "clock is nil"},
		{"an address twice", "api", address, good, []dpop.Option{dpop.WithAddress("https://API.example:443/")}, "twice"},
		{"a further address that is none", "api", address, good, []dpop.Option{dpop.WithAddress("x")}, "address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, err := dpop.New(tc.realm, tc.address, tc.verifier, tc.opts...)
			if a != nil || err == nil || !strings.HasPrefix(err.Error(), "dpop: ") || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, %v, want %q", a, err, tc.says)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	b := newBench(t, dpop.WithProofAge(5*time.Second), dpop.WithLeeway(0), dpop.WithAlgorithms("ES256"), dpop.WithMaxTokenSize(len(token)))
	field := b.key.Sign(t, b.proof())
	b.clock.set(noon.Add(6 * time.Second))
	p, err := b.Authenticate(t.Context(), request("/reports", field))
	refused(t, p, err, core.CodeInvalidProof, core.ReasonExpired)
	if _, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, b.proof()))); err != nil {
		t.Error(err)
	}
	r := request("/reports", b.key.Sign(t, b.proof()))
	r.Request.Header.Set("Authorization", "DPoP "+token+"A")
	p, err = b.Authenticate(t.Context(), r)
	refused(t, p, err, core.CodeInvalidToken, core.ReasonMalformed)

	only := newBench(t, dpop.WithAlgorithms("EdDSA"))
	p, err = only.Authenticate(t.Context(), request("/reports", only.key.Sign(t, only.proof())))
	refused(t, p, err, core.CodeInvalidProof, core.ReasonBadAlgorithm)
}

// RFC 9449 §7.1; B21, B23.
func TestChallenges(t *testing.T) {
	a, err := dpop.New("api", address, constant{"x"}, dpop.WithAlgorithms("ES256", "PS256"),
		dpop.WithResourceMetadata(address+"/.well-known/oauth-protected-resource"))
	if err != nil {
		t.Fatal(err)
	}
	const (
		first = `DPoP realm="api"`
		last  = `, algs="ES256 PS256", resource_metadata="https://api.example/.well-known/oauth-protected-resource"`
	)
	for _, tc := range []struct {
		name string
		err  error
		want string // between first and last
	}{
		{"no credentials", core.ErrNoCredentials, ``},
		{"B23 two ways", core.ErrAmbiguousCredentials, `, error="invalid_request"`},
		{"a bad token", &core.CredentialError{Code: core.CodeInvalidToken, Description: "The access token expired"}, `, error="invalid_token", error_description="The access token expired"`},
		{"a code of another scheme", &core.CredentialError{Code: core.CodeInvalidCredentials}, `, error="invalid_token"`},
		{"a bad proof", &core.CredentialError{Code: core.CodeInvalidProof, Description: "The DPoP proof is malformed"}, `, error="invalid_dpop_proof", error_description="The DPoP proof is malformed"`},
		{"B21 a nonce", &core.CredentialError{Code: core.CodeUseNonce}, `, error="use_dpop_nonce"`},
		{"a scope", &core.ScopeError{Scopes: []string{"a", "b"}}, `, error="insufficient_scope", scope="a b"`},
		{"B16 step-up", &core.StepUpError{StepUp: core.StepUp{MaxAge: time.Minute}}, `, error="insufficient_user_authentication", error_description="A stronger or more recent authentication is needed", max_age="60"`},
	} {
		got := a.Challenges(request("/"), tc.err)
		if len(got) != 1 || got[0].String() != first+tc.want+last {
			t.Errorf("%s: %v, want %s", tc.name, got, first+tc.want+last)
		}
	}
	if got := a.Challenges(request("/"), errors.New("down")); len(got) != 0 {
		t.Errorf("an outage has a challenge: %v", got)
	}
	if s := a.Scheme(); s.Name != "DPoP" || s.Sender != core.SentByClient || strings.Join(s.Vary, " ") != "Authorization DPoP" {
		t.Errorf("scheme %+v", s)
	}
}
