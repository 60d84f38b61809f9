package natsstore_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
	"github.com/sallyport-go/sallyport/examples/natsstore"
)

// start starts a server that keeps streams, and returns its URL.
func start(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(authtest.TimeLimit(time.Minute)) {
		t.Fatal("the server does not take connections")
	}
	return s.ClientURL()
}

// open is a store on a connection of its own, as the comment of New makes one.
func open(t *testing.T, url, name string, more ...nats.Option) *natsstore.Store {
	t.Helper()
	conn, err := nats.Connect(url, append(more, nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond),
		nats.ReconnectBufSize(-1), nats.PingInterval(5*time.Second))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	s, err := natsstore.New(conn, name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStore runs the suite of stores.
func TestStore(t *testing.T) {
	t.Parallel()
	url := start(t)
	sourcetest.Run(t, func(t *testing.T, name string) source.Store {
		s := open(t, url, name)
		if err := s.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	})
	if _, err := open(t, url, "none").Fetch(t.Context(), source.State{}); err == nil || errors.Is(err, source.ErrEmpty) {
		t.Errorf("a stream that nobody has created: %v", err)
	}
}

// network is one that can be cut.
type network struct {
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// Dial implements nats.CustomDialer.
func (n *network) Dial(kind, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut {
		return nil, errors.New("the network is cut")
	}
	c, err := net.Dial(kind, address)
	if err == nil {
		n.conns = append(n.conns, c)
	}
	return c, err
}

func (n *network) set(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
	for _, c := range n.conns {
		_ = c.Close()
	}
	n.conns = nil
}

// TestCut: what is published while an instance is cut off is in force there once the
// network is back, and each later publication is heard of.
func TestCut(t *testing.T) {
	t.Parallel()
	url := start(t)
	editor := open(t, url, "cut")
	if err := editor.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	publish := func(base source.Revision) {
		t.Helper()
		p := source.Publication{Base: base, Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}}
		if _, err := editor.Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	publish(0)
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	var between network
	changed := make(chan struct{}, 1)
	f, err := source.Follow(ctx, open(t, url, "cut", nats.SetCustomDialer(&between)),
		func(context.Context, *source.Content) error { return nil },
		source.WithPollInterval(time.Hour), // notifications alone are to be enough
		source.WithStatusObserver(func(source.Status) {
			select {
			case changed <- struct{}{}:
			default:
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	until := func(what string, is func(s *source.Status) bool) {
		t.Helper()
		for {
			if s := f.Status(); is(&s) {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				t.Fatalf("not seen that it %s: %+v", what, f.Status())
			}
		}
	}
	listens := func(s *source.Status) bool { return s.Listening }
	base := source.Revision(1)
	for range 3 {
		until("listens", listens)
		between.set(true)
		until("notices the cut", func(s *source.Status) bool { return !s.Listening })
		publish(base)
		publish(base + 1)
		base += 2
		between.set(false)
		until("is at what was published meanwhile", func(s *source.Status) bool { return s.Revision == base })
		until("listens again", listens)
		publish(base)
		base++
		until("hears of a publication", func(s *source.Status) bool { return s.Revision == base })
	}
}
