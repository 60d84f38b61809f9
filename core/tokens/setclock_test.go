package tokens_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/setclock"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/tokens"
)

// TestClockThatIsSet: however a server's clock is set, by up to half a day, before a
// login, between login and logout everywhere, or afterwards, no refresh token of the
// family is ever valid again.
func TestClockThatIsSet(t *testing.T) {
	steps := []time.Duration{-12 * time.Hour, 0, 12 * time.Hour}
	for _, atLogin := range steps {
		for _, atLogout := range steps {
			for _, afterwards := range steps {
				t.Run(fmt.Sprint(atLogin, " ", atLogout, " ", afterwards), func(t *testing.T) {
					start, passed, set := time.Now(), time.Duration(0), atLogin
					now := func() time.Time { return setclock.By(start.Add(passed), set) }
					store := sessiontest.NewStore(func() time.Time { return start.Add(passed).Round(0) })
					m, err := tokens.New(newSigner(t, jwtsign.WithClock(now)), tokens.WithStore(store), tokens.WithClock(now),
						tokens.WithAbsoluteTimeout(12*time.Hour), tokens.WithIdleTimeout(12*time.Hour))
					if err != nil {
						t.Fatal(err)
					}
					p := login(t, m)
					set = atLogout
					if err := m.LogoutEverywhere(t.Context(), "alice"); err != nil {
						t.Fatal(err)
					}
					set = afterwards
					for ; passed < 40*time.Hour; passed += time.Hour {
						if got := refresh(t, m, p.Refresh); got.Status == http.StatusOK {
							t.Fatalf("valid %v after the logout", passed)
						}
					}
				})
			}
		}
	}
}

// TestReuseWhenClockIsSet: however a server's clock was set since a refresh token was
// used, another use of it some time later ends the family. Clocks may differ a little.
func TestReuseWhenClockIsSet(t *testing.T) {
	for _, tc := range []struct {
		step, later time.Duration
		want        int
	}{
		{-11 * time.Hour, time.Minute, http.StatusUnauthorized},
		{-11 * time.Hour, time.Hour, http.StatusUnauthorized},
		{-10 * time.Minute, time.Minute, http.StatusUnauthorized},
		{-30 * time.Second, 5 * time.Second, http.StatusOK},
		{-30 * time.Second, time.Minute, http.StatusUnauthorized},
		{0, 5 * time.Second, http.StatusOK},
		{0, time.Minute, http.StatusUnauthorized},
		{11 * time.Hour, 5 * time.Second, http.StatusUnauthorized},
	} {
		t.Run(fmt.Sprint(tc.step, " ", tc.later), func(t *testing.T) {
			start, passed, set := time.Now(), time.Duration(0), time.Duration(0)
			now := func() time.Time { return setclock.By(start.Add(passed), set) }
			store := sessiontest.NewStore(func() time.Time { return start.Add(passed).Round(0) })
			m, err := tokens.New(newSigner(t, jwtsign.WithClock(now)), tokens.WithStore(store), tokens.WithClock(now),
				tokens.WithAbsoluteTimeout(12*time.Hour), tokens.WithIdleTimeout(12*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			first := login(t, m)
			second := gets(t, m, first.Refresh)
			set, passed = tc.step, tc.later
			if got := refresh(t, m, first.Refresh); got.Status != tc.want || got.Status == http.StatusOK && got.Refresh != second.Refresh {
				t.Errorf("the used token: %d, want %d", got.Status, tc.want)
			}
			if got := refresh(t, m, second.Refresh); got.Status != tc.want {
				t.Errorf("its successor: %d, want %d", got.Status, tc.want)
			}
		})
	}
}

// TestLogoutByClockThatIsBehind: a logout at a server whose clock is behind revokes the
// access tokens that others have issued at the login or a refresh, for their whole
// lifetime.
func TestLogoutByClockThatIsBehind(t *testing.T) {
	for _, behind := range []time.Duration{0, 30 * time.Minute, 12 * time.Hour} {
		for refreshes := range 3 {
			t.Run(fmt.Sprint(behind, " ", refreshes), func(t *testing.T) {
				b := newBench(t)
				list, err := revoke.New(revoke.WithClock(b.clock.Now))
				if err != nil {
					t.Fatal(err)
				}
				right := b.newManager(tokens.WithRevocation(list))
				late := b.newManager(tokens.WithRevocation(list), tokens.WithClock(func() time.Time { return b.clock.Now().Add(-behind) }))
				p := login(t, right)
				for range refreshes {
					b.clock.Advance(20 * time.Minute)
					p = gets(t, right, p.Refresh)
				}
				b.clock.Advance(time.Minute)
				if got := call(t, late.LogoutEndpoint(), "refresh_token", p.Refresh); got.Status != http.StatusNoContent {
					t.Fatalf("logout: %d", got.Status)
				}
				for range 20 {
					if _, err := b.verify(p.Access, jwtauth.WithRevocation(right.Revocation())); err == nil {
						t.Fatal("the access token is valid")
					}
					b.clock.Advance(time.Minute)
				}
			})
		}
	}
}
