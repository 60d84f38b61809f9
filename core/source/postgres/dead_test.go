//go:build unix

package postgres_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

// network forwards connections to a server, until they die silently.
type network struct {
	net.Listener
	dead atomic.Pointer[atomic.Bool] // of connections made from now on
	made atomic.Int32
	// asked counts the queries on dead connections.
	asked atomic.Int32
}

// swallow makes existing connections deliver nothing any more, without closing them.
func (n *network) swallow() { n.dead.Swap(new(atomic.Bool)).Store(true) }

func newNetwork(t *testing.T, to string) *network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{Listener: l}
	n.dead.Store(new(atomic.Bool))
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			n.made.Add(1)
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			dead := n.dead.Load()
			for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
				go func() {
					_, _ = io.Copy(gap{way[0], dead, n}, way[1])
					_, _ = client.Close(), server.Close()
				}()
			}
		}
	}()
	return n
}

type gap struct {
	io.Writer
	dead *atomic.Bool
	of   *network
}

func (g gap) Write(b []byte) (int, error) {
	if g.dead.Load() {
		if len(b) > 0 && b[0] == 'Q' {
			g.of.asked.Add(1)
		}
		return len(b), nil
	}
	return g.Writer.Write(b)
}

// dead: a connection that died during a query or while idle is given up long before the
// time limit for reading files, and the other idle ones with it.
func dead(t *testing.T, server *postgrestest.Server) {
	if _, err := opened(t, server.URL("sallyport"), postgres.WithName("dead")).Publish(t.Context(), publication(0, "one")); err != nil {
		t.Fatal(err)
	}
	n := newNetwork(t, server.Addr())
	s := opened(t, "postgres://sallyport@"+n.Addr().String()+"/postgres?sslmode=disable", postgres.WithName("dead"))
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	fetch := func() error {
		_, err := s.Fetch(ctx, source.State{})
		return err
	}
	if err := fetch(); err != nil {
		t.Fatal(err)
	}
	n.swallow()
	for fetch() != nil {
		if ctx.Err() != nil {
			t.Fatal("a dead connection is waited for")
		}
	}
	for n.made.Store(0); n.made.Load() == 0 && ctx.Err() == nil; { // until there are two
		both := make(chan error, 2)
		for range cap(both) {
			go func() { both <- fetch() }()
		}
		for range cap(both) {
			if err := <-both; err != nil {
				t.Fatal(err)
			}
		}
	}
	time.Sleep(1100 * time.Millisecond) // more than go untested
	n.asked.Store(0)
	n.swallow()
	if err := fetch(); err != nil {
		t.Error(err)
	}
	if asked := n.asked.Load(); asked != 1 {
		t.Errorf("%d dead connections were used, want one", asked)
	}
}

// slow: a busy server that answers late is waited for as long as a fetch may take.
func slow(t *testing.T, server *postgrestest.Server) {
	s := opened(t, server.URL("sallyport"), postgres.WithName("slow"))
	if _, err := s.Publish(t.Context(), publication(0, "one")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	admin, err := pgx.Connect(ctx, server.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	if _, err := admin.Exec(ctx, "begin; lock table sallyport.head"); err != nil {
		t.Fatal(err)
	}
	fetched := make(chan error, 1)
	go func() {
		_, err := s.Fetch(ctx, source.State{})
		fetched <- err
	}()
	for asking := map[int]bool{}; len(asking) < 2; { // until it has asked once more
		select {
		case err := <-fetched:
			t.Fatalf("a slow server is given up: %v", err)
		default:
		}
		rows, err := admin.Query(ctx, "select pid from pg_locks where relation = 'sallyport.head'::regclass and not granted")
		if err != nil {
			t.Fatal(err)
		}
		pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			t.Fatal(err)
		}
		for _, pid := range pids {
			asking[pid] = true
		}
	}
	if _, err := admin.Exec(ctx, "commit"); err != nil {
		t.Fatal(err)
	}
	if err := <-fetched; err != nil {
		t.Error(err)
	}
}
