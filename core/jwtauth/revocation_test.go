package jwtauth_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// checkerFunc adapts a function to a checker.
type checkerFunc func(t revoke.Token) (bool, error)

func (f checkerFunc) Revoked(_ context.Context, t revoke.Token) (bool, error) { return f(t) }

// A user or client can be revoked by the sub, and by the ID that logs show.
func TestRevocationByEitherName(t *testing.T) {
	for _, c := range []struct {
		claims string
		opts   []jwtauth.Option
		ids    []string
	}{
		{`"jti":"j"`, []jwtauth.Option{jwtauth.WithIDPrefix("partner:")}, []string{"alice", "partner:alice"}},
		{`"email":"a@app.example"`, []jwtauth.Option{jwtauth.WithID("email")}, []string{"alice", "a@app.example"}},
		{`"client_id":"alice"`, nil, []string{"alice", "client:alice"}},
	} {
		for _, id := range append(c.ids, "bob") {
			list, err := revoke.New(revoke.WithClock(func() time.Time { return time.Unix(1800000000, 0) }))
			if err == nil {
				err = list.Revoke(revoke.Entry{Subject: id, Issuer: "https://issuer.example", IssuedBefore: time.Unix(1800000000, 0)})
			}
			if err != nil {
				t.Fatal(err)
			}
			want := core.ReasonRevoked
			if id == "bob" {
				want = ""
			}
			v := newVerifier(t, hmacSet(t, "", "HS256"), append(slices.Clone(c.opts), jwtauth.WithRevocation(list))...)
			token := hs256(t, with(`"iat":1799999990`, c.claims))
			wantReason(t, v, token, want)
			wantReason(t, v, token, want) // from the cache
		}
	}
}

// Revocation is checked at each request, with the token's own claims.
func TestRevocationIsAskedAboutEachToken(t *testing.T) {
	var asked []revoke.Token
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithClientPrefix("client:"), jwtauth.WithRevocation(checkerFunc(func(tok revoke.Token) (bool, error) {
		asked = append(asked, tok)
		return len(asked) > 4, nil // twice for each request, by the sub and by the ID
	})))
	token := hs256(t, with(`"jti":"j-1"`, `"iat":1799999990`, `"client_id":"alice"`))
	wantReason(t, v, token, "")
	wantReason(t, v, token, "")
	wantReason(t, v, token, core.ReasonRevoked)
	want := revoke.Token{Issuer: "https://issuer.example", ID: "j-1", Subject: "alice",
		IssuedAt: time.Unix(1799999990, 0), Expires: time.Unix(1800000060, 0)}
	for i, got := range asked {
		if want.Subject = "alice"; i%2 == 1 {
			want.Subject = "client:alice"
		}
		if got != want {
			t.Errorf("asked about %+v, want %+v", got, want)
		}
	}
}

func TestRevocationIsNotAskedAboutBadTokens(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithRevocation(checkerFunc(func(revoke.Token) (bool, error) {
		t.Error("asked")
		return false, nil
	})))
	wantReason(t, v, hs256(t, with(`"exp":1`)), core.ReasonExpired)
	wantReason(t, v, hs256(t, with(`"jti":7`)), core.ReasonBadClaim)
	wantReason(t, v, hs256(t, with(`"jti":"a\u0000b"`)), core.ReasonBadClaim)
	wantReason(t, v, sign(t, "HS256", []byte("another secret, just as long as ours"), `{"alg":"HS256"}`, goodClaims), core.ReasonBadSignature)
}

// Any error of a checker is an outage, not a verdict on the token.
func TestRevocationOutage(t *testing.T) {
	for _, cause := range []error{errors.New("database is down"), core.ErrAmbiguousCredentials, &core.CredentialError{Reason: core.ReasonRevoked}} {
		v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithRevocation(checkerFunc(func(revoke.Token) (bool, error) { return true, cause })))
		p, err := v.VerifyToken(context.Background(), hs256(t, goodClaims))
		var down *core.UnavailableError
		if p != nil || !errors.As(err, &down) || !errors.Is(err, cause) {
			t.Errorf("%v: principal %v, error %v", cause, p, err)
		}
	}
}

// The result is not cached if a checker refused a token or failed.
func TestRevocationIsNotRemembered(t *testing.T) {
	answer := errors.New("down")
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithRevocation(checkerFunc(func(revoke.Token) (bool, error) { return false, answer })))
	token := hs256(t, goodClaims)
	if _, err := v.VerifyToken(context.Background(), token); err == nil {
		t.Error("passed")
	}
	answer = nil
	wantReason(t, v, token, "")
}
