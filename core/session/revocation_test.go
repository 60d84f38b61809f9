package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
)

// brokenList is a list of revocations that is unavailable.
type brokenList struct{}

func (brokenList) Revoked(context.Context, revoke.Token) (bool, error) {
	return false, errors.New("down")
}

// TestRevocationEndsSessions: a revocation of a subject, or of all, ends the sessions
// that began before it, rotated ones included, and no others.
func TestRevocationEndsSessions(t *testing.T) {
	for name, entry := range map[string]revoke.Entry{"subject": {Subject: "alice"}, "all": {All: true}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			list, err := revoke.New(revoke.WithClock(b.clock.Now))
			if err != nil {
				t.Fatal(err)
			}
			if b.manager, err = session.New(session.WithStore(b.store), session.WithClock(b.clock.Now), session.WithRevocation(list)); err != nil {
				t.Fatal(err)
			}
			alice, bob := principal(t, core.PrincipalInfo{ID: "alice"}), principal(t, core.PrincipalInfo{ID: "bob"})
			before, rotated, other := b.login(alice, ""), b.login(alice, ""), b.login(bob, "")
			b.clock.Advance(time.Minute)
			entry.IssuedBefore = b.clock.Now()
			b.clock.Advance(time.Minute)
			// A later id can belong to an earlier session.
			fields, err := b.manager.Rotate(t.Context(), request("POST", rotated), alice)
			if err != nil {
				t.Fatal(err)
			}
			rotated = cookieFrom(t, fields)
			if err := list.Revoke(entry); err != nil {
				t.Fatal(err)
			}
			later := b.login(alice, "")
			for what, tt := range map[string]struct {
				cookie string
				over   bool
			}{"before": {before, true}, "rotated": {rotated, true}, "bob's": {other, entry.All}, "later": {later, false}} {
				_, err := b.manager.Authenticate(t.Context(), request("GET", tt.cookie))
				var refused *core.CredentialError
				if over := errors.As(err, &refused) && refused.Reason == core.ReasonRevoked; over != tt.over || !over && err != nil {
					t.Errorf("%s: %v, want it over: %v", what, err, tt.over)
				}
			}
		})
	}
	b := newBench(t)
	var err error
	if b.manager, err = session.New(session.WithStore(b.store), session.WithClock(b.clock.Now), session.WithRevocation(brokenList{})); err != nil {
		t.Fatal(err)
	}
	var unavailable *core.UnavailableError
	if _, err := b.manager.Authenticate(t.Context(), request("GET", b.login(principal(t, core.PrincipalInfo{ID: "alice"}), ""))); !errors.As(err, &unavailable) {
		t.Errorf("unavailable revocations: %v", err)
	}
	if _, err := session.New(session.WithRevocation((*revoke.List)(nil))); err == nil {
		t.Error("nil is accepted")
	}
}

// TestRevocationByEitherName: who has signed in at a provider can be revoked by the
// provider's name for them, as their tokens can, and by the ID that logs show.
func TestRevocationByEitherName(t *testing.T) {
	for entry, want := range map[revoke.Entry]bool{
		{Subject: "erin"}: true, {Subject: "partner:erin"}: true, {Subject: "bob"}: false,
		{Subject: "erin", Issuer: "https://partner.example"}: true, {Subject: "erin", Issuer: "https://other.example"}: false,
		{Subject: "partner:erin", Issuer: "https://partner.example"}: true,
		{All: true, Issuer: "https://partner.example"}:               true, {All: true, Issuer: "https://other.example"}: false,
	} {
		b := newBench(t)
		list, err := revoke.New(revoke.WithClock(b.clock.Now))
		if err == nil {
			b.manager, err = session.New(session.WithStore(b.store), session.WithClock(b.clock.Now), session.WithRevocation(list))
		}
		if err != nil {
			t.Fatal(err)
		}
		cookie := b.login(principal(t, core.PrincipalInfo{ID: "partner:erin", Claims: map[string]any{"iss": "https://partner.example", "sub": "erin"}}), "")
		entry.IssuedBefore = b.clock.Now()
		if err := list.Revoke(entry); err != nil {
			t.Fatal(err)
		}
		_, err = b.manager.Authenticate(t.Context(), request("GET", cookie))
		var refused *core.CredentialError
		if over := errors.As(err, &refused) && refused.Reason == core.ReasonRevoked; over != want || !over && err != nil {
			t.Errorf("%v: %v, want it over: %v", entry, err, want)
		}
	}
}
