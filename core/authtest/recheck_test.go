package authtest

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

var recheckSemantics = []testCase{
	{"an outage ends a connection after its grace", longLived(outageEnds)},
	{"a connection of two guards ends with either", longLived(eitherEnds)},
}

// outageEnds: while credentials cannot be rechecked, a connection stays open for a bounded
// time, and is checked again afterwards.
func outageEnds(t *testing.T, f Framework) {
	users := newAccounts()
	g, _ := guardOf(t, []core.Authenticator{users}, core.WithRecheck())
	addr := f.liveApp(t, func(keep func(Exchange, func(io.Writer)) error) Route {
		return Route{Gates: []Gate{{Kind: "Authenticate", Guard: g}}, Handler: live(keep, TimeLimit(time.Hour))}
	})
	for name := range f.LongLived {
		c := open(t, addr, "/"+name+"/7", "Authorization: Account "+name)
		users.fails(name, errors.New("no route to host"))
		users.rechecked(t, name, 3)
		users.fails(name, &core.CredentialError{Reason: core.ReasonRevoked})
		c.ends("over 4401 revoked")
	}
}

// eitherEnds: behind gates of two guards, the connection ends when either of them would
// refuse.
func eitherEnds(t *testing.T, f Framework) {
	apps, users := newAccounts(), newAccounts()
	for name := range f.LongLived {
		for _, revoked := range []*accounts{apps, users} {
			app, _ := guardOf(t, []core.Authenticator{apps}, core.WithRecheck())
			user, _ := guardOf(t, []core.Authenticator{users}, core.WithRecheck())
			addr := f.liveApp(t, func(keep func(Exchange, func(io.Writer)) error) Route {
				return Route{Gates: []Gate{{Kind: "Authenticate", Guard: app}, {Kind: "Authenticate", Guard: user}}, Handler: live(keep, 0)}
			})
			c := open(t, addr, "/"+name+"/7", "Authorization: Account x")
			apps.rechecked(t, "x", 2)
			users.rechecked(t, "x", 2)
			revoked.fails("x", &core.CredentialError{Reason: core.ReasonRevoked})
			c.ends("over 4401 revoked")
			revoked.change(func() { delete(revoked.proves, "x") })
		}
	}
}
