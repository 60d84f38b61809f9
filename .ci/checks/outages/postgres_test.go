//go:build unix

package outages_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgresstate"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

// maxConnections is how many a service may have, beside one that listens.
const maxConnections = 5

func postgresStores(url string, timeout time.Duration) stores {
	s := must(postgresstate.New(url, postgresstate.WithTimeout(timeout), postgresstate.WithMaxConnections(maxConnections)))
	return stores{sessions: s.Sessions(), log: s.Revocations(), close: func() { _ = s.Close() }}
}

// startPostgres starts a server with a role called app that may do what services do.
func startPostgres(t *testing.T, settings ...string) *postgrestest.Server {
	t.Helper()
	s := postgrestest.Start(t, settings...)
	state := must(postgresstate.New(s.URL("sallyport")))
	defer func() { _ = state.Close() }()
	if err := state.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	executes(t, s, "create role app login", must(postgresstate.Grants("", "app")))
	return s
}

// wayTo is a way to the server, and the URL by which user goes through it.
func wayTo(t *testing.T, s *postgrestest.Server, user string) (w *way, through string) {
	t.Helper()
	w = newWay(t, s.Addr(), false)
	u, err := url.Parse(s.URL(user))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = w.addr()
	return w, u.String()
}

// executes has the server do something as its superuser.
func executes(t *testing.T, s *postgrestest.Server, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, s.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	for _, statement := range statements {
		if _, err := c.Exec(ctx, statement); err != nil {
			t.Fatal(statement, err)
		}
	}
}

func TestPostgres(t *testing.T) {
	s := startPostgres(t)
	w, through := wayTo(t, s, "app")
	on := postgresStores(through, patience())
	defer on.close()
	a := newApp(t, newShared(t), on, patience())
	requests := ofSessions()
	recovers(t, a, requests)
	before := runtime.NumGoroutine()
	for _, f := range ofTheWay() {
		t.Run(f.name, func(t *testing.T) {
			fails(t, a, requests, func() { w.set(f) }, func() { w.set(fault{}) })
			settled(t, before+4*(maxConnections+1))
			if open, _ := w.made(); open > maxConnections+1 {
				t.Errorf("%d connections", open)
			}
		})
	}
}

// TestPostgresServer has the server itself fail.
func TestPostgresServer(t *testing.T) {
	s := startPostgres(t, "max_connections=20")
	on := postgresStores(s.URL("app"), patience())
	defer on.close()
	a := newApp(t, newShared(t), on, patience())
	requests := ofSessions()
	recovers(t, a, requests)
	var held []*pgx.Conn
	hold := func(t *testing.T, statements ...string) {
		c, err := pgx.Connect(t.Context(), s.URL("sallyport"))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
		for _, statement := range statements {
			if _, err := c.Exec(t.Context(), statement); err != nil {
				t.Fatal(statement, err)
			}
		}
	}
	release := func(t *testing.T) {
		for _, c := range held {
			_ = c.Close(context.WithoutCancel(t.Context()))
		}
		held = nil
	}
	const ofApp = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'"
	for _, o := range []struct {
		name       string
		begin, end func(t *testing.T)
	}{
		{"stopped", func(*testing.T) { s.Stop() }, func(*testing.T) { s.Start() }},
		{"crashed", func(*testing.T) { s.Crash() }, func(*testing.T) { s.Start() }},
		{"paused", func(t *testing.T) { signal(t, s, syscall.SIGSTOP) }, func(t *testing.T) { signal(t, s, syscall.SIGCONT) }},
		{"read-only", func(t *testing.T) { executes(t, s, "alter role app set default_transaction_read_only = on", ofApp) },
			func(t *testing.T) { executes(t, s, "alter role app reset default_transaction_read_only", ofApp) }},
		{"read-only for connections that are there", func(t *testing.T) {
			executes(t, s, "alter system set default_transaction_read_only = on", "select pg_reload_conf()")
		}, func(t *testing.T) {
			executes(t, s, "set default_transaction_read_only = off", "alter system reset default_transaction_read_only", "select pg_reload_conf()")
		}},
		{"without rights", func(t *testing.T) { executes(t, s, "revoke usage on schema sallyport_state from app") },
			func(t *testing.T) { executes(t, s, "grant usage on schema sallyport_state to app") }},
		{"without tables", func(t *testing.T) { executes(t, s, "alter schema sallyport_state rename to elsewhere") },
			func(t *testing.T) { executes(t, s, "alter schema elsewhere rename to sallyport_state") }},
		{"statements time out", func(t *testing.T) {
			hold(t, "begin", "lock table sallyport_state.entry, sallyport_state.revocation in access exclusive mode")
			executes(t, s, "alter role app set statement_timeout = '5ms'", ofApp)
		}, func(t *testing.T) {
			release(t)
			executes(t, s, "alter role app reset statement_timeout", ofApp)
		}},
		{"tables locked", func(t *testing.T) {
			hold(t, "begin", "lock table sallyport_state.entry, sallyport_state.revocation in access exclusive mode")
		}, release},
		{"writes locked", func(t *testing.T) {
			hold(t, "begin", "lock table sallyport_state.entry, sallyport_state.revocation in share mode")
		}, release},
		{"full", func(t *testing.T) {
			executes(t, s, "alter role app connection limit 0", ofApp)
		}, func(t *testing.T) { executes(t, s, "alter role app connection limit -1") }},
		{"connections are ended", func(t *testing.T) { executes(t, s, ofApp) }, func(t *testing.T) { executes(t, s, ofApp) }},
	} {
		t.Run(o.name, func(t *testing.T) {
			fails(t, a, requests, func() { o.begin(t) }, func() { o.end(t) })
		})
	}
}

// TestPostgresStandby: a standby takes over from a server that is killed. What was answered
// before holds, and the instance finds it by itself.
func TestPostgresStandby(t *testing.T) {
	s := startPostgres(t)
	standby := s.Standby()
	executes(t, s, "alter system set synchronous_standby_names = '*'", "select pg_reload_conf()")
	u, err := url.Parse(s.URL("app"))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = s.Addr() + "," + standby.Addr()
	on := postgresStores(u.String(), 10*patience())
	defer on.close()
	a := newApp(t, newShared(t), on, 10*patience())
	requests := ofSessions()
	recovers(t, a, requests)
	fails(t, a, requests, s.Crash, func() {
		executes(t, standby, "alter system set synchronous_standby_names = ''")
		standby.Promote()
	})
}

// signal sends a signal to all processes of a server.
func signal(t *testing.T, s *postgrestest.Server, sig syscall.Signal) {
	t.Helper()
	parent := s.Process().Pid
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(all) == 0 {
		t.Skip("not run: there is no /proc")
	}
	pids := []int{parent}
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, sig) // it may have ended
	}
}

// TestClientsThatLeave: whoever asks and leaves costs no connection, which a server is
// slow to make and has few of.
func TestClientsThatLeave(t *testing.T) {
	s := startPostgres(t)
	w, through := wayTo(t, s, "app")
	on := postgresStores(through, patience())
	defer on.close()
	a := newApp(t, newShared(t), on, min(authtest.TimeLimit(10*time.Second), time.Minute))
	cookie := a.signIn()
	w.set(fault{slow: 10 * time.Millisecond})
	_, before := w.made()
	const clients = 50
	for range clients {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		a.send(ctx, "GET", "/session", "", "Cookie", cookie)
		cancel()
	}
	if _, total := w.made(); total-before > clients/2 { // a slow machine may take one for dead
		t.Errorf("%d connections were made for %d clients that left", total-before, clients)
	}
	w.set(fault{})
}

// TestInstanceThatIsLost: an instance that vanishes in the middle of an append, with its
// connection open for all that the server knows, keeps nobody else from revoking.
func TestInstanceThatIsLost(t *testing.T) {
	s := startPostgres(t)
	w, through := wayTo(t, s, "app")
	lost := must(postgresstate.New(through))
	defer func() { _ = lost.Close() }()
	other := must(postgresstate.New(s.URL("app")))
	defer func() { _ = other.Close() }()
	for _, entries := range [][]revoke.Entry{{{ID: "a"}}, {{ID: "b"}, {ID: "c"}, {ID: "d"}}} {
		w.set(fault{slow: 100 * time.Millisecond})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := lost.Revocations().Append(ctx, "", entries...)
			done <- err
		}()
		await := func() bool { // the lock of appends, or the end
			c, err := pgx.Connect(t.Context(), s.URL("sallyport"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
			for {
				var locks int
				if err := c.QueryRow(t.Context(), "select count(*) from pg_locks where locktype = 'advisory' and granted").Scan(&locks); err != nil {
					t.Fatal(err)
				}
				if locks > 0 {
					return true
				}
				select {
				case err := <-done:
					done <- err
					return false
				default:
				}
			}
		}
		if await() {
			w.loses()
		}
		if _, err := other.Revocations().Append(t.Context(), "", revoke.Entry{ID: "e"}); err != nil {
			t.Errorf("%d entries: %v", len(entries), err)
		}
		cancel()
		<-done
		w.set(fault{})
	}
}

// TestPublisherThatIsLost: neither does one that vanishes while it publishes a policy keep
// others from it, for longer than the server waits for what is idle in a transaction.
func TestPublisherThatIsLost(t *testing.T) {
	if os.Getenv("SALLYPORT_LONG") == "" {
		t.Skip("not run: it waits for half a minute, and SALLYPORT_LONG is not set, as make long does")
	}
	s := startPostgres(t)
	w, through := wayTo(t, s, "sallyport")
	lost, other := must(postgres.New(through)), must(postgres.New(s.URL("sallyport")))
	defer func() { _, _ = lost.Close(), other.Close() }()
	if err := other.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	publication := source.Publication{Files: []source.File{{Name: "policy.csv", Content: []byte("p, alice, /, GET\n")}}, Note: source.Note{Author: "ann"}}
	first, err := other.Publish(t.Context(), publication)
	if err != nil {
		t.Fatal(err)
	}
	publication.Base, publication.Files = first.Revision, []source.File{{Name: "policy.csv", Content: []byte("p, bob, /, GET\n")}}
	w.set(fault{slow: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = lost.Publish(ctx, publication)
	}()
	c, err := pgx.Connect(t.Context(), s.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	for moved := 0; moved == 0; { // the row, which is locked then
		err := c.QueryRow(t.Context(), "select count(*) from pg_stat_activity where state = 'idle in transaction' and query like 'insert into sallyport.revision%'").Scan(&moved)
		if err != nil {
			t.Fatal(err)
		}
	}
	w.loses()
	waiting, stop := context.WithTimeout(t.Context(), authtest.TimeLimit(45*time.Second))
	defer stop()
	if _, err := other.Publish(waiting, publication); err != nil {
		t.Error(err)
	}
	cancel()
	<-done
	_ = c.Close(context.WithoutCancel(t.Context()))
}
