package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
)

// failingAt makes call n of the store fail, and all later ones if lasting is true, and
// reports whether there were n calls.
func (b *bench) failingAt(n int, lasting bool, f func()) (failed bool) {
	var calls atomic.Int32
	next := func(i int32) { // sets what happens to the calls after number i
		switch {
		case i == int32(n)-1:
			b.store.Fail(sessiontest.ErrDown)
		case i == int32(n) && !lasting:
			b.store.Fail(nil)
		}
	}
	next(0)
	b.store.Before(func(context.Context, string) { next(calls.Add(1)) })
	f()
	b.store.Before(nil)
	b.store.Fail(nil)
	return calls.Load() >= int32(n)
}

// TestInterruptedLogout: whichever call of the store fails, repeating the logout or login
// with the same id ends everything that it would have ended without the failure.
func TestInterruptedLogout(t *testing.T) {
	alice := principal(t, core.PrincipalInfo{ID: "alice"})
	ways := map[string]func(b *bench, r core.Request) error{
		"logout": func(b *bench, r core.Request) error {
			_, err := b.manager.Logout(b.t.Context(), r)
			return err
		},
		"login": func(b *bench, r core.Request) error {
			_, err := b.manager.Login(b.t.Context(), r, alice)
			return err
		},
		"logout everywhere": func(b *bench, _ core.Request) error { return b.manager.LogoutEverywhere(b.t.Context(), "alice") },
		"logout of a group": func(b *bench, _ core.Request) error { return b.manager.LogoutGroup(b.t.Context(), "group") },
	}
	for name, leave := range ways {
		for rotations := range 4 {
			for _, lasting := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %d rotations, lasting %v", name, rotations, lasting), func(t *testing.T) {
					for n, failed := 1, true; failed; n++ {
						b := newBench(t)
						fields, err := b.manager.Login(t.Context(), request(http.MethodPost, ""), alice, session.WithGroup("group"))
						if err != nil {
							t.Fatal(err)
						}
						cookies := []string{cookieFrom(t, fields)}
						for range rotations {
							next, _ := b.rotate(cookies[len(cookies)-1])
							cookies = append(cookies, next)
						}
						r := request(http.MethodPost, cookies[0])
						var down *core.UnavailableError
						failed = b.failingAt(n, lasting, func() { err = leave(b, r) })
						switch {
						case failed && !errors.As(err, &down):
							t.Errorf("call %d fails: %v", n, err)
						case failed:
							err = leave(b, r)
						}
						if err != nil {
							t.Error(err)
						}
						for _, c := range cookies {
							b.over(c)
						}
					}
				})
			}
		}
	}
}
