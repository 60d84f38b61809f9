package session_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// during has f run before call number n of the store. What it returns ends that
// and says whether f ran.
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

// over fails the test if a request with the cookie is let in.
func (b *bench) over(cookie string) {
	b.t.Helper()
	if p, err := b.manager.Authenticate(b.t.Context(), request(http.MethodGet, cookie)); err == nil {
		b.t.Errorf("%s is still signed in", p.ID())
	}
}

// F08: a browser sends a logout and something that rotates its session at the
// same time. Whichever comes first at whichever step, nobody is signed in once
// both have ended.
func TestLogoutBesideRotation(t *testing.T) {
	const steps = 12 // more than either has
	rotate := func(b *bench, old string) string {
		fields, err := b.manager.Rotate(t.Context(), request(http.MethodPost, old), nil)
		if err != nil {
			return ""
		}
		return cookieFrom(t, fields)
	}
	logout := func(b *bench, old string) {
		if _, err := b.manager.Logout(t.Context(), request(http.MethodPost, old)); err != nil {
			t.Error(err)
		}
	}
	for step := 1; step <= steps; step++ {
		b := newBench(t)
		old := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
		ran := b.during(step, func() { logout(b, old) })
		rotated := rotate(b, old)
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
		ran := b.during(step, func() { rotated = rotate(b, old) })
		logout(b, old)
		if !ran() {
			rotated = rotate(b, old)
		}
		b.over(old)
		if rotated != "" {
			b.over(rotated)
		}
	}
}

// An id that was replaced at login is no handle on the session after it: who
// planted it could end what it cannot use.
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
