package sessiontest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var fixationCases = []testCase{
	{"F07 the id changes at login", rotatedAtLogin},
}

// rotatedAtLogin: an attacker who knows the id from before the login, which may
// be a session of its own, has nothing of the one after it.
func rotatedAtLogin(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "mallory")
	before := b.id
	if b.login("alice") == before {
		t.Fatal("the id is the same after the login")
	}
	b.is("alice")
	b.isOver(before, session.ReasonReplaced)
	s.clock.Advance(2 * replacedFor)
	b.isOver(before, session.ReasonUnknown)
	b.is("alice")
}
