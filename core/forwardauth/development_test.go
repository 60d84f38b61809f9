package forwardauth_test

import (
	"context"
	"net/http"
	"net/netip"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// hiding shows the scheme behind it nothing of a request but what every request
// has to have.
type hiding struct{ core.Authenticator }

func (h hiding) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	return h.Authenticator.Authenticate(ctx, struct{ core.Request }{r})
}

// A proxy on the same machine asks from loopback, and for hosts of its choice.
func TestDevelopmentKeysDoNotPassProxies(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := jwtsign.GenerateKey(jwtsign.WithDevelopment())
	must(err)
	signer, err := jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("r"))
	must(err)
	token, err := signer.Sign(jwtsign.Token{Subject: "alice"})
	must(err)
	verifier, err := jwtauth.New(signer, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("r"))
	must(err)
	scheme, err := bearer.New("r", verifier)
	must(err)
	for _, c := range []core.Authenticator{scheme, hiding{scheme}} {
		rec := new(authtest.Recorder)
		guard, err := core.NewGuard([]core.Authenticator{c}, core.WithAuthorizer(authtest.AuthorizerFunc(policy)), core.WithObserver(rec))
		must(err)
		gate, err := guard.Authorize()
		must(err)
		trust, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
		must(err)
		s, err := forwardauth.New(gate, trust, forwardauth.Envoy("/check"))
		must(err)
		r := asks("envoy", "GET", "/reports/7", "Authorization: Bearer "+token)
		r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
		if w := send(s.Check, r); w.Code != http.StatusServiceUnavailable || rec.Last(t).Reason != core.ReasonDevelopmentKey {
			t.Errorf("%T: %d, reason %s", c, w.Code, rec.Last(t).Reason)
		}
	}
}
