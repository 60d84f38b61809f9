package issuer_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/examples/shared/issuer"
)

// provide starts a provider of a new issuer.
func provide(t *testing.T) (*issuer.Provider, string) {
	t.Helper()
	own, err := issuer.New("https://issuer.example", "reports")
	if err != nil {
		t.Fatal(err)
	}
	p := issuer.NewProvider(own, "reports", "s3cret")
	mux := http.NewServeMux()
	mux.HandleFunc(issuer.KeysPath, p.Keys)
	mux.HandleFunc(issuer.IntrospectPath, p.Introspect)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return p, server.URL
}

func TestPublishedKeysVerifyTokens(t *testing.T) {
	p, url := provide(t)
	keys, err := jwtauth.Fetch(url + issuer.KeysPath)
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	verifier, err := jwtauth.New(keys, jwtauth.WithIssuer(p.Name()), jwtauth.WithAudience(p.Audience()))
	if err != nil {
		t.Fatal(err)
	}
	token, err := p.Token("pam", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := verifier.VerifyToken(t.Context(), token); err != nil || got.ID() != "pam" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestIntrospection(t *testing.T) {
	p, url := provide(t)
	ask := func(secret, token string) (*core.Principal, error) {
		v, err := introspect.New(url+issuer.IntrospectPath, introspect.Secret("reports", secret),
			introspect.WithIssuer(p.Name()), introspect.WithAudience(p.Audience()))
		if err != nil {
			t.Fatal(err)
		}
		return v.VerifyToken(t.Context(), token)
	}
	good, err := p.Opaque("pam", time.Hour, map[string]any{"scope": "reports:read"})
	if err != nil {
		t.Fatal(err)
	}
	old, err := p.Opaque("pam", -time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ask("s3cret", good); err != nil || got.ID() != "pam" || !got.HasScope("reports:read") {
		t.Errorf("got %v, %v", got, err)
	}
	for _, token := range []string{old, "unknown"} {
		var bad *core.CredentialError
		if _, err := ask("s3cret", token); !errors.As(err, &bad) || bad.Reason != introspect.ReasonInactive {
			t.Errorf("%s: got %v", token, err)
		}
	}
	var down *core.UnavailableError
	if _, err := ask("guess", good); !errors.As(err, &down) {
		t.Errorf("another client: got %v", err)
	}
}
