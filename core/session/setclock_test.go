package session_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/setclock"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
)

// TestClockThatIsSet: however a server's clock is set, by up to half a day, before a
// login, between login and logout, or afterwards, a session that was logged out is never
// valid again, however often it is tried, and whether entries expire by the same clock or
// by the right one.
func TestClockThatIsSet(t *testing.T) {
	steps := []time.Duration{-12 * time.Hour, 0, 12 * time.Hour}
	alice := principal(t, core.PrincipalInfo{ID: "alice"})
	for name, logout := range map[string]func(b *bench, cookie string) error{
		"logout": func(b *bench, cookie string) error {
			_, err := b.manager.Logout(b.t.Context(), request(http.MethodPost, cookie))
			return err
		},
		"logout everywhere": func(b *bench, _ string) error { return b.manager.LogoutEverywhere(b.t.Context(), "alice") },
		"logout of a group": func(b *bench, _ string) error { return b.manager.LogoutGroup(b.t.Context(), "group") },
	} {
		for _, elsewhere := range []bool{false, true} {
			for _, atLogin := range steps {
				for _, atLogout := range steps {
					for _, afterwards := range steps {
						t.Run(fmt.Sprintf("%s, store elsewhere %v, %v, %v, %v", name, elsewhere, atLogin, atLogout, afterwards), func(t *testing.T) {
							start, passed, set := time.Now(), time.Duration(0), atLogin
							now := func() time.Time { return setclock.By(start.Add(passed), set) }
							opts := []session.Option{session.WithClock(now)}
							if elsewhere {
								opts = append(opts, session.WithStore(sessiontest.NewStore(func() time.Time { return start.Add(passed).Round(0) })))
							}
							m, err := session.New(opts...)
							if err != nil {
								t.Fatal(err)
							}
							b := &bench{t: t, manager: m}
							fields, err := m.Login(t.Context(), request(http.MethodPost, ""), alice, session.WithGroup("group"))
							if err != nil {
								t.Fatal(err)
							}
							cookie := cookieFrom(t, fields)
							set = atLogout
							if err := logout(b, cookie); err != nil {
								t.Fatal(err)
							}
							set = afterwards
							for ; passed < 40*time.Hour; passed += 20 * time.Minute {
								if _, err := m.Authenticate(t.Context(), request(http.MethodGet, cookie)); err == nil {
									t.Fatalf("signed in %v after the logout", passed)
								}
							}
						})
					}
				}
			}
		}
	}
}
