package dpop_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/internal/prove"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

func TestDevelopmentKeysAreForCallersOnThisMachine(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	development, err := jwtsign.GenerateKey(jwtsign.WithDevelopment())
	must(err)
	clock := clock{at: noon}
	signer, err := jwtsign.New(development, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("r"), jwtsign.WithClock(clock.now))
	must(err)
	key := prove.NewKey(t)
	token, err := signer.Sign(jwtsign.Token{Subject: "alice", Claims: map[string]any{"cnf": map[string]string{"jkt": key.Thumbprint()}}})
	must(err)
	verifier, err := jwtauth.New(signer, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("r"), jwtauth.WithClock(clock.now))
	must(err)
	scheme, err := dpop.New("api", address, verifier, dpop.WithClock(clock.now))
	must(err)
	for _, tc := range []struct {
		peer, host, field string
		good              bool
	}{
		{"127.0.0.1:4711", "localhost:8080", "", true},
		{"192.0.2.7:4711", "localhost:8080", "", false},
		{"127.0.0.1:4711", "api.example", "", false},
		{"127.0.0.1:4711", "localhost:8080", "X-Forwarded-For", false},
		{"127.0.0.1", "localhost:8080", "", false}, // not a socket address
		{"", "localhost:8080", "", false},
	} {
		r := httptest.NewRequest("GET", address+"/reports", nil)
		r.RemoteAddr, r.Host = tc.peer, tc.host
		r.Header.Set("Authorization", "DPoP "+token)
		r.Header.Set("Dpop", key.Sign(t, key.Proof("GET", address+"/reports", token, clock.now())))
		if tc.field != "" {
			r.Header.Set(tc.field, "127.0.0.1")
		}
		p, err := scheme.Authenticate(t.Context(), &adapter.View{Request: r})
		var down *core.UnavailableError
		if tc.good && (err != nil || p.ID() != "alice") {
			t.Errorf("%v: %v", tc, err)
		}
		if !tc.good && (!errors.As(err, &down) || down.Reason != core.ReasonDevelopmentKey) {
			t.Errorf("%v: %v", tc, err)
		}
	}
}
