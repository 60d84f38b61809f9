package dpop_test

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

// TestRecheck: at a recheck, the proof of the request that opened a connection is used
// and too old, while the token is still valid. The proof remains valid for that purpose
// alone.
func TestRecheck(t *testing.T) {
	b := newBench(t, dpop.WithNonces(time.Minute, make([]byte, 32)))
	g, err := core.NewGuard([]core.Authenticator{b.Authenticator}, core.WithRecheck())
	if err != nil {
		t.Fatal(err)
	}
	gate, err := g.Authenticate()
	if err != nil {
		t.Fatal(err)
	}
	asked := gate.Check(t.Context(), request("/reports", b.key.Sign(t, b.proof())))
	p := b.proof()
	for _, f := range asked.Response.Fields {
		if f.Name == "DPoP-Nonce" {
			p.Claims["nonce"] = f.Value
		}
	}
	r := request("/reports", b.key.Sign(t, p))
	v := gate.Check(t.Context(), r)
	if v.Response != nil {
		t.Fatalf("%+v", v.Denial)
	}
	b.clock.set(b.clock.now().Add(24 * time.Hour))
	if err := core.Recheck(v.Context); err != nil {
		t.Errorf("a day later: %v", err)
	}
	if again := gate.Check(t.Context(), r); again.Response == nil {
		t.Error("the proof opens a second connection")
	}
	b.verifier.jkt = "another key"
	if err := core.Recheck(v.Context); err == nil {
		t.Error("the token is bound to another key")
	}
}
