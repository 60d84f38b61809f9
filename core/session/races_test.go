package session_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// during runs f before call n of the store. The returned function undoes that and reports
// whether f ran.
func (b *bench) during(n int, f func()) (ran func() bool) {
	var calls atomic.Int32
	b.store.Before(func(context.Context, string) {
		if calls.Add(1) == int32(n) {
			f()
		}
	})
	return func() bool {
		b.store.Before(nil)
		return calls.Load() >= int32(n)
	}
}

// over fails the test if a request with the cookie passes.
func (b *bench) over(cookie string) {
	b.t.Helper()
	if p, err := b.manager.Authenticate(b.t.Context(), request(http.MethodGet, cookie)); err == nil {
		b.t.Errorf("%s is still signed in", p.ID())
	}
}

// rotate rotates the session of a cookie and returns the new cookie, or "" if it has ended.
// ends reports whether the answer clears the cookie.
func (b *bench) rotate(cookie string) (rotated string, ends bool) {
	b.t.Helper()
	r := request(http.MethodPost, cookie)
	fields, err := b.manager.Rotate(b.t.Context(), r, nil)
	if err != nil {
		return "", len(b.manager.Scheme().Inform(r, nil, err)) > 0
	}
	return cookieFrom(b.t, fields), false
}

// F08: a browser concurrently sends a logout and a request that rotates its session. In
// whatever order their steps are interleaved, no one is signed in after both.
func TestLogoutBesideRotation(t *testing.T) {
	const steps = 12 // more calls than either makes
	logout := func(b *bench, old string) {
		if _, err := b.manager.Logout(t.Context(), request(http.MethodPost, old)); err != nil {
			t.Error(err)
		}
	}
	for step := 1; step <= steps; step++ {
		b := newBench(t)
		old := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
		ran := b.during(step, func() { logout(b, old) })
		rotated, _ := b.rotate(old)
		if !ran() {
			logout(b, old)
		}
		b.over(old)
		if rotated != "" {
			b.over(rotated)
		}
	}
	for step := 1; step <= steps; step++ {
		b := newBench(t)
		old := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
		var rotated string
		ran := b.during(step, func() { rotated, _ = b.rotate(old) })
		logout(b, old)
		if !ran() {
			rotated, _ = b.rotate(old)
		}
		b.over(old)
		if rotated != "" {
			b.over(rotated)
		}
	}
}

// F07: the id from before a login is worthless after it, even with a concurrent rotation.
func TestLoginBesideRotation(t *testing.T) {
	const steps = 16 // more calls than either makes
	alice := principal(t, core.PrincipalInfo{ID: "alice"})
	for step := 1; step <= steps; step++ {
		b := newBench(t)
		old := b.login(alice, "")
		var rotated string
		var ends bool
		ran := b.during(step, func() { rotated, ends = b.rotate(old) })
		cookie := b.login(alice, old)
		if !ran() {
			rotated, ends = b.rotate(old)
		}
		b.onlyLogin(cookie, old, rotated, ends)
	}
	for step := 1; step <= steps; step++ {
		b := newBench(t)
		old := b.login(alice, "")
		var cookie string
		ran := b.during(step, func() { cookie = b.login(alice, old) })
		rotated, ends := b.rotate(old)
		if !ran() {
			cookie = b.login(alice, old)
		}
		b.onlyLogin(cookie, old, rotated, ends)
	}
}

// onlyLogin fails the test unless only the session of the login, among the three, is valid.
func (b *bench) onlyLogin(cookie, old, rotated string, ends bool) {
	b.t.Helper()
	if ends {
		b.t.Error("the answer to the rotation removes the login's cookie")
	}
	b.over(old)
	if rotated != "" {
		b.over(rotated)
	}
	if _, err := b.manager.Authenticate(b.t.Context(), request(http.MethodGet, cookie)); err != nil {
		b.t.Errorf("signed out by the rotation: %v", err)
	}
}

// An id replaced at login gives no access to the session after it, not even to end it: an
// attacker may have planted that id.
func TestLogoutWithTheIDBeforeALogin(t *testing.T) {
	b := newBench(t)
	planted := b.login(principal(t, core.PrincipalInfo{ID: "mallory"}), "")
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), planted)
	if _, err := b.manager.Logout(t.Context(), request(http.MethodPost, planted)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.manager.Authenticate(t.Context(), request(http.MethodGet, cookie)); err != nil {
		t.Errorf("alice was signed out: %v", err)
	}
}
