package issuer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/examples/shared/issuer"
)

func TestTokens(t *testing.T) {
	own, err := issuer.New("https://issuer.example", "reports")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := issuer.New(own.Name(), own.Audience())
	if err != nil {
		t.Fatal(err)
	}
	set, err := own.KeySet()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwtauth.KeySetFromJWKS("set", set)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jwtauth.New(keys, jwtauth.WithIssuer(own.Name()), jwtauth.WithAudience(own.Audience()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		sign     func(string, time.Duration, map[string]any) (string, error)
		lifetime time.Duration
		reason   core.Reason // "" for a good token
	}{
		{"good", own.Token, time.Hour, ""},
		{"expired", own.Token, -time.Hour, core.ReasonExpired},
		{"unsigned", own.Unsigned, time.Hour, core.ReasonBadAlgorithm},
		{"signed with the public key", own.SignedWithPublicKey, time.Hour, core.ReasonBadAlgorithm},
		{"with an unknown key", own.WithUnknownKey, time.Hour, core.ReasonUnknownKey},
		{"of a stranger with its key", stranger.WithItsOwnKey, time.Hour, core.ReasonBadSignature},
		{"of a stranger", stranger.Token, time.Hour, core.ReasonBadSignature},
		{"for another service", own.For("invoices").Token, time.Hour, core.ReasonWrongAudience},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := c.sign("pam", c.lifetime, map[string]any{"roles": []string{"viewer"}, "plan": "pro", "sub": "mallory"})
			if err != nil {
				t.Fatal(err)
			}
			p, err := verifier.VerifyToken(t.Context(), token)
			if c.reason != "" {
				var bad *core.CredentialError
				if !errors.As(err, &bad) || bad.Reason != c.reason {
					t.Errorf("got %v, want reason %q", err, c.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if plan, _ := p.Claim("plan"); p.ID() != "pam" || !p.HasRole("viewer") || plan != "pro" {
				t.Errorf("the token proves %s with plan %v", p.ID(), plan)
			}
		})
	}
}
