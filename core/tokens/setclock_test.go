package tokens_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/setclock"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/tokens"
)

// TestClockThatIsSet: however the clock of a server is set, by up to half a day, before a
// login, between that and a logout everywhere, and after it, no refresh token of the family
// is ever good again.
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
							t.Fatalf("good %v after the logout", passed)
						}
					}
				})
			}
		}
	}
}
