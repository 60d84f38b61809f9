package authclient_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authclient"
)

// fieldless is a source without fields.
type fieldless struct{ authclient.Source }

func (fieldless) Fields() []string { return nil }

func TestMistakesAreFoundAtAssembly(t *testing.T) {
	tokens := bearerSource(t, new(issuer).fetch)
	origins := []string{"https://api.example"}
	transport := func(source authclient.Source, opts ...authclient.Option) error {
		_, err := authclient.New(nil, source, origins, opts...)
		return err
	}
	bearerWith := func(fetch authclient.TokenFunc, opts ...authclient.TokenOption) error {
		_, err := authclient.Bearer(fetch, opts...)
		return err
	}
	passwords := func(make func(string, string, ...authclient.PasswordOption) (authclient.Source, error), user, secret string, opts ...authclient.PasswordOption) error {
		_, err := make(user, secret, opts...)
		return err
	}
	key := func(field, value string) error { _, err := authclient.APIKey(field, value); return err }
	_, noOrigins := authclient.New(nil, tokens, nil)
	_, noProof := authclient.DPoP(new(issuer).fetch, nil)
	_, noDPoPFetch := authclient.DPoP(nil, proof)
	for _, c := range []struct {
		err  error
		says string
	}{
		{transport(nil), "source is nil"},
		{transport(fieldless{tokens}), "header fields"},
		{noOrigins, "no origins"},
		{transport(tokens, nil), "option 1 is nil"},
		{transport(tokens, authclient.WithPlainHTTP(), authclient.WithWaiting(0, time.Second)), "WithoutWaiting"},
		{transport(tokens, authclient.WithWaiting(1, 0)), "positive"},
		{transport(tokens, authclient.WithClock(nil, nil)), "clock"},
		{bearerWith(nil), "no function"},
		{bearerWith(new(issuer).fetch, nil), "option 1 is nil"},
		{bearerWith(new(issuer).fetch, authclient.WithTimeout(0)), "positive"},
		{bearerWith(new(issuer).fetch, authclient.WithTokenClock(nil)), "clock"},
		{noProof, "proofs"},
		{noDPoPFetch, "DPoP: no function"},
		{passwords(authclient.Basic, "", "x"), "user is empty"},
		{passwords(authclient.Digest, "erin", ""), "password is empty"},
		{passwords(authclient.Basic, "erin", "hunter2\n"), "line break"},
		{passwords(authclient.Basic, "e:rin", "x"), "colon"},
		{passwords(authclient.Basic, "erin", "x", nil), "option 1 is nil"},
		{passwords(authclient.Basic, "erin", "x", authclient.WithMD5()), "algorithm of Digest"},
		{passwords(authclient.Digest, "erin", "x", authclient.WithPreemptiveCredentials()), "challenge first"},
		{passwords(authclient.Basic, "erin", "x", authclient.WithRealm("")), "realm is empty"},
		{passwords(authclient.Basic, "erin", "x", authclient.WithRealm("r"), authclient.WithPreemptiveCredentials()), "WithPreemptiveCredentials"},
		{key("X API", "k"), "header field"},
		{key("X-API-Key", ""), "empty"},
		{key("X-API-Key", "hunter2\n"), "line break"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) || !strings.HasPrefix(c.err.Error(), "authclient: ") || strings.Contains(c.err.Error(), "hunter2") {
			t.Errorf("%v does not say %q", c.err, c.says)
		}
	}
}

// idle is a transport that counts calls of CloseIdleConnections.
type idle struct {
	answers200
	closed int
}

func (i *idle) CloseIdleConnections() { i.closed++ }

func TestCloseIdleConnectionsReachesTheBase(t *testing.T) {
	base := new(idle)
	inner, err := authclient.New(base, bearerSource(t, new(issuer).fetch), []string{"https://a.example"})
	if err != nil {
		t.Fatal(err)
	}
	outer, err := authclient.New(inner, bearerSource(t, new(issuer).fetch), []string{"https://b.example"})
	if err != nil {
		t.Fatal(err)
	}
	(&http.Client{Transport: outer}).CloseIdleConnections()
	if base.closed != 1 {
		t.Errorf("closed %d times", base.closed)
	}
	outer, _ = authclient.New(answers200{}, bearerSource(t, new(issuer).fetch), []string{"https://b.example"})
	outer.CloseIdleConnections() // nothing to close
}

// broken is a transport that never answers.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

func TestErrorsOfTheBaseAreReturned(t *testing.T) {
	down := errors.New("connection refused")
	transport, err := authclient.New(broken{down}, bearerSource(t, new(issuer).fetch), []string{"https://a.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"https://a.example/x", "https://b.example/x"} {
		req, _ := http.NewRequestWithContext(context.Background(), "GET", url, nil)
		req.Header = nil
		if _, err := transport.RoundTrip(req); !errors.Is(err, down) || req.Header != nil {
			t.Errorf("%s: %v; header %v", url, err, req.Header)
		}
	}
}
