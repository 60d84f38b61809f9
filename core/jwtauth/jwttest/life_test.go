package jwttest

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
)

var lifeCases = []testCase{
	{"E29 a token that passed before is judged again", judgedAgain},
	{"a revoked token is 401, and not knowing is 503", revocation},
}

// passesAs fails the test unless a token proves id.
func (s *service) passesAs(path, token, id string) {
	s.t.Helper()
	a := authtest.Send(s.t, s.addr, authtest.Request("GET", path, authorization(token)))
	if a.Status != http.StatusOK || a.Body != id {
		s.t.Errorf("%s: %d %q, want %s", path, a.Status, a.Body, id)
	}
}

// judgedAgain: CVE-2021-32701. A token that passed on one route, at one time or under one
// key may not pass on another.
func judgedAgain(t *testing.T, b bench) {
	var now atomic.Int64
	now.Store(noon)
	clock := func() time.Time { return time.Unix(now.Load(), 0) }
	p := publish(t, b.keys.jwks(t))
	source := p.remote(t)
	s := b.serveFor(t, verifierBy(t, clock, source))
	other := b.serveFor(t, verifierBy(t, clock, source, jwtauth.WithAudience("payroll")))
	narrow, err := jwtauth.New(source, jwtauth.WithIssuer(issuer), jwtauth.WithAudience("payroll"), jwtauth.WithClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	payroll := b.serveFor(t, narrow)
	token := s.keys.good(t, "ES256", `"scope":"read"`)
	for range 3 {
		s.try(onPublic, attempt{"passes", token, ""})
		other.try(onPublic, attempt{"at another service it was issued for", token, ""})
		payroll.try(onPublic, attempt{"at one it was not", token, core.ReasonWrongAudience})
		s.refuse(onScope, refusal{http.StatusForbidden, core.CodeInsufficientScope, core.ReasonMissingScope, token}, authorization(token))
	}
	now.Store(noon + 89)
	s.try(onPublic, attempt{"within the leeway", token, ""})
	now.Store(noon + 90)
	s.try(onPublic, attempt{"expired", token, core.ReasonExpired})
	now.Store(noon)
	s.try(onPublic, attempt{"not yet expired", token, ""})
	p.serves(setOf(t, b.keys.jwk(t, "EdDSA")))
	unknown := s.keys.token(t, "ES256", `{"alg":"ES256","kid":"made-up"}`, claims())
	s.try(onPublic, attempt{"makes the keys come anew", unknown, core.ReasonUnknownKey}, attempt{"key removed", token, core.ReasonUnknownKey})
}

// switchable is a list that can be unavailable.
type switchable struct {
	*revoke.List
	down atomic.Bool
}

func (c *switchable) Revoked(ctx context.Context, t revoke.Token) (bool, error) {
	if c.down.Load() {
		return false, errors.New("the revocation store is down")
	}
	return c.List.Revoked(ctx, t)
}

func revocation(t *testing.T, b bench) {
	list, err := revoke.New()
	if err != nil {
		t.Fatal(err)
	}
	c := &switchable{List: list}
	s := b.serve(t, jwtauth.WithRevocation(c))
	one, two := s.keys.good(t, "ES256", `"jti":"1"`, `"iat":1799999000`), s.keys.good(t, "ES256", `"jti":"2"`, `"iat":1799999900`)
	s.try(onPublic, attempt{"one", one, ""}, attempt{"two", two, ""})
	if err := list.Revoke(revoke.Entry{Subject: subject, IssuedBefore: time.Unix(1799999000, 0)}); err != nil {
		t.Fatal(err)
	}
	s.try(onPublic, attempt{"issued before", one, core.ReasonRevoked}, attempt{"issued after", two, ""})
	s.try(onOptional, attempt{"at a gate that lets nobody pass too", one, core.ReasonRevoked})
	c.down.Store(true)
	s.unavailable(onPublic, one)
	s.unavailable(onPublic, two)
	s.try(onPublic, attempt{"a bad token meanwhile", s.keys.good(t, "ES256", `"exp":1`), core.ReasonExpired})
	c.down.Store(false)
	s.try(onPublic, attempt{"issued before", one, core.ReasonRevoked}, attempt{"issued after", two, ""})
}
