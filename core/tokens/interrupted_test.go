package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/tokens"
)

// sharedLog is a log of revocations that fails at one append, or from that on.
type sharedLog struct {
	list     *revoke.List
	appended int
	failsAt  int // 0 for never
	lasting  bool
}

// instance follows a log like [revoke.Follower]: it knows what it appends, even if the
// log fails.
type instance struct {
	own *revoke.List
	log *sharedLog
}

func (i instance) Revoke(e revoke.Entry) error {
	if err := i.own.Revoke(e); err != nil {
		return err
	}
	i.log.appended++
	if n := i.log.appended; n == i.log.failsAt || i.log.lasting && i.log.failsAt > 0 && n > i.log.failsAt {
		return errors.New("the log is away")
	}
	return i.log.list.Revoke(e)
}

func (i instance) Revoked(ctx context.Context, t revoke.Token) (bool, error) {
	if revoked, err := i.own.Revoked(ctx, t); revoked || err != nil {
		return revoked, err
	}
	return i.log.list.Revoked(ctx, t)
}

// TestInterruptedEnd: whichever read or write fails while a family is ended, once the
// operation was repeated and succeeded, neither refresh nor access tokens of the family
// are valid at any server, and none becomes valid again when the list has forgotten the
// revocation.
func TestInterruptedEnd(t *testing.T) {
	gone := false
	reload := tokens.WithReload(func(_ context.Context, p *core.Principal) (*core.Principal, error) {
		if gone {
			return nil, &core.CredentialError{Reason: core.ReasonRevoked, Code: core.CodeInvalidCredentials}
		}
		return p, nil
	})
	for name, way := range map[string]struct {
		done int
		end  func(t *testing.T, m *tokens.Manager, used, next string) int
	}{
		"logout": {http.StatusNoContent, func(t *testing.T, m *tokens.Manager, _, next string) int {
			return call(t, m.LogoutEndpoint(), "refresh_token", next).Status
		}},
		"reuse": {http.StatusUnauthorized, func(t *testing.T, m *tokens.Manager, used, _ string) int {
			return refresh(t, m, used).Status
		}},
		"user is gone": {http.StatusUnauthorized, func(t *testing.T, m *tokens.Manager, _, next string) int {
			gone = true
			return refresh(t, m, next).Status
		}},
	} {
		for _, elsewhere := range []bool{false, true} {
			for _, lasting := range []bool{false, true} {
				for _, logFails := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, repeated elsewhere %v, lasting %v, log fails %v", name, elsewhere, lasting, logFails), func(t *testing.T) {
						for n, failed := 1, true; failed; n++ {
							gone = false
							b := newBench(t)
							list := func() *revoke.List {
								l, err := revoke.New(revoke.WithClock(b.clock.Now))
								if err != nil {
									t.Fatal(err)
								}
								return l
							}
							log := &sharedLog{list: list(), lasting: lasting}
							one := b.newManager(tokens.WithRevocation(instance{list(), log}), reload)
							other := b.newManager(tokens.WithRevocation(instance{list(), log}), reload)
							first := login(t, one)
							second := gets(t, one, first.Refresh)
							b.clock.Advance(time.Minute)

							calls := 0
							if logFails {
								log.failsAt = n
							} else {
								set := func() { // the result of the next call
									switch {
									case calls == n-1:
										b.store.Fail(sessiontest.ErrDown)
									case calls == n && !lasting:
										b.store.Fail(nil)
									}
								}
								set()
								b.store.Before(func(context.Context, string) {
									calls++
									set()
								})
							}
							status := way.end(t, one, first.Refresh, second.Refresh)
							b.store.Before(nil)
							b.store.Fail(nil)
							log.failsAt = 0
							failed = calls >= n || log.appended >= n
							switch {
							case failed && status != http.StatusServiceUnavailable:
								t.Errorf("failure %d: %d", n, status)
							case failed && elsewhere:
								status = way.end(t, other, first.Refresh, second.Refresh)
							case failed:
								status = way.end(t, one, first.Refresh, second.Refresh)
							}
							if status != way.done {
								t.Errorf("failure %d, repeated: %d, want %d", n, status, way.done)
							}
							gone = false
							for _, m := range []*tokens.Manager{one, other} {
								for i, access := range []string{first.Access, second.Access} {
									if _, err := b.verify(access, jwtauth.WithRevocation(m.Revocation())); err == nil {
										t.Errorf("failure %d: access token %d is valid", n, i)
									}
								}
							}
							if got := refresh(t, other, second.Refresh); got.Status != http.StatusUnauthorized {
								t.Errorf("failure %d: refresh: %d", n, got.Status)
							}
							b.clock.Advance(time.Hour)
							if got := refresh(t, other, second.Refresh); got.Status != http.StatusUnauthorized {
								t.Errorf("failure %d: refresh when the list has forgotten: %d", n, got.Status)
							}
						}
					})
				}
			}
		}
	}
}
