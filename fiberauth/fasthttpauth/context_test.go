package fasthttpauth_test

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
)

var background = context.Background()

// fasthttpContext is the context of a request.
type fasthttpContext struct{ context.Context }

func (c *fasthttpContext) get() context.Context { return c.Context }

// TestWatched: a context whose Done was called is cancelled when the client disconnects,
// and after End behaves as its parent.
func TestWatched(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	type key struct{}
	parent := context.WithValue(background, key{}, "value")

	var left, ended fasthttpauth.Watched
	ended.Begin(parent, conn)
	done := ended.Done()
	ended.End()
	<-done
	if ended.Done() != nil || ended.Err() != nil || ended.Value(key{}) != "value" {
		t.Error("after End it is not its parent")
	}
	left.Begin(parent, conn)
	if left.Err() != nil {
		t.Error("it is cancelled before")
	}
	watched := left.Done()
	_ = client.Close()
	if runtime.GOOS != "windows" {
		select {
		case <-watched:
		case <-time.After(authtest.TimeLimit(time.Minute)):
			t.Fatal("it is not cancelled")
		}
		if left.Err() == nil || left.Value(key{}) != "value" {
			t.Errorf("%v, %v", left.Err(), left.Value(key{}))
		}
	}
	left.End()

	pipe, other := net.Pipe() // which nobody can look at
	defer pipe.Close()
	_ = other.Close()
	var blind fasthttpauth.Watched
	blind.Begin(parent, pipe)
	if blind.Done() != nil {
		t.Error("a pipe is watched")
	}
	blind.End()
}

// TestWatchedBehindUnreadBytes: a client disconnects after sending bytes that nothing has
// read, as with TLS.
func TestWatchedBehindUnreadBytes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems cannot see it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var w fasthttpauth.Watched
	w.Begin(background, conn)
	defer w.End()
	done := w.Done()
	if _, err := client.Write([]byte("GET /next")); err != nil {
		t.Fatal(err)
	}
	if w.Err() != nil {
		t.Error("it is cancelled before")
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(authtest.TimeLimit(10 * time.Second)):
		t.Error("it is not cancelled")
	}
}

// TestApps: cached data of an app is found again, and freed with the app.
func TestApps(t *testing.T) {
	type app struct{ keep func() }
	apps := fasthttpauth.NewApps[app, string](func(a *app, keep func()) { a.keep = keep })
	one, two := new(app), new(app)
	word := "kept"
	apps.Slot(one).Store(&word)
	runtime.GC()
	if got := apps.Slot(one).Load(); got == nil || *got != word {
		t.Errorf("got %v", got)
	}
	if apps.Slot(two).Load() != nil {
		t.Error("the second app has what is the first's")
	}
	gone := weak.Make(one)
	one = nil //nolint:ineffassign // lets go of the app
	for deadline := time.Now().Add(authtest.TimeLimit(time.Minute)); gone.Value() != nil; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatal("the app is still there")
		}
	}
	runtime.KeepAlive(two)
}
