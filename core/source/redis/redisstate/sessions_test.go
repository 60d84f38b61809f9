//go:build unix

package redisstate_test

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
	"github.com/sallyport-go/sallyport/core/tokens/tokenstest"
)

// TestSessions: sessions and refresh state in Redis; an outage is an error, not a missing
// entry.
func TestSessions(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	handle := func(t *testing.T) session.ContextStore { return open(t, s, "sessions").Sessions() }
	sessiontest.RunStore(t, handle)
	tokenstest.RunStore(t, handle)
	store := handle(t)
	if err := store.Commit("key", []byte("data"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if data, found, err := store.Find("key"); err == nil || found {
		t.Errorf("%q, %v, %v", data, found, err)
	}
	if store.Commit("key", []byte("more"), time.Now().Add(time.Hour)) == nil || store.Delete("key") == nil {
		t.Error("a write without a server")
	}
}
