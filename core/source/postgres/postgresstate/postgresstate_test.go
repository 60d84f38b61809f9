//go:build unix

package postgresstate_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgresstate"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
	"github.com/sallyport-go/sallyport/core/tokens/tokenstest"
)

// open returns the state of a service as an instance has it, with the rights of a role.
func open(t *testing.T, s *postgrestest.Server, role, name string) *postgresstate.State {
	t.Helper()
	state, err := postgresstate.New(s.URL(role), postgresstate.WithName(name), postgresstate.WithTimeout(min(authtest.TimeLimit(15*time.Second), time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	return state
}

// execute runs statements with the rights of a role.
func execute(t *testing.T, s *postgrestest.Server, role, sql string) error {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.URL(role))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	_, err = c.Exec(t.Context(), sql)
	return err
}

// TestState runs everything on one server, whose start takes longest.
func TestState(t *testing.T) {
	t.Parallel()
	// A default at which a write that waited for another would fail.
	server := postgrestest.Start(t, "default_transaction_isolation=serializable")
	admin := open(t, server, "sallyport", "none")
	if _, err := admin.Revocations().Read(t.Context(), revoke.Position{}, 1); err == nil || !strings.Contains(err.Error(), "sallyport state init") {
		t.Errorf("without tables: %v", err)
	}
	for range 2 { // the second does nothing
		if err := admin.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	grants, err := postgresstate.Grants("reader", "app")
	if err != nil {
		t.Fatal(err)
	}
	if err := execute(t, server, "sallyport", "create role reader login; create role app login;"+grants); err != nil {
		t.Fatal(err)
	}
	t.Run("revocations", func(t *testing.T) {
		revoketest.Run(t, func(t *testing.T, name string) revoke.Log { return open(t, server, "app", name).Revocations() })
	})
	t.Run("sessions", func(t *testing.T) {
		sessiontest.RunStore(t, func(t *testing.T) session.ContextStore { return open(t, server, "app", "sessions").Sessions() })
	})
	t.Run("encodings", func(t *testing.T) { encoded(t, server) })
	t.Run("refresh state", func(t *testing.T) {
		tokenstest.RunStore(t, func(t *testing.T) session.ContextStore { return open(t, server, "app", "refresh").Sessions() })
	})
	t.Run("rows that have expired are deleted", func(t *testing.T) { cleaned(t, server) })
	t.Run("an outage of the database is an error, and loses no session", func(t *testing.T) { outage(t, server) })
	t.Run("roles may do what they need and no more", func(t *testing.T) { roles(t, server) })
	t.Run("instances catch up after an outage", func(t *testing.T) { away(t, server) })
	t.Run("connections closed by the server cost no session", func(t *testing.T) { restarted(t, server) })
}

// instance follows revocations, and reports its status.
func instance(t *testing.T, l revoke.Log, statuses chan<- revoke.Status) *revoke.Follower {
	t.Helper()
	limit := authtest.TimeLimit(30 * time.Second)
	f, err := revoke.Follow(t.Context(), l, revoke.WithPollInterval(time.Hour), revoke.WithTimeout(limit), revoke.WithStartTimeout(limit),
		revoke.WithStatusObserver(func(s revoke.Status) {
			select {
			case statuses <- s:
			default:
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// roles: no one can undo a revocation, and a role that only reads revocations sees no
// session.
func roles(t *testing.T, s *postgrestest.Server) {
	app := open(t, s, "app", "roles").Revocations()
	for _, e := range []revoke.Entry{{ID: "old", Expires: time.Now().Add(-2 * time.Hour)}, {ID: "recent", Expires: time.Now().Add(-time.Minute)}, {ID: "kept"}} {
		if _, err := app.Append(t.Context(), "ann: a laptop was lost", e); err != nil {
			t.Fatal(err)
		}
	}
	reader := open(t, s, "reader", "roles").Revocations()
	f := instance(t, reader, nil)
	if err := f.Revoke(revoke.Entry{ID: "x"}); err == nil || !strings.Contains(err.Error(), "may not do that") {
		t.Errorf("a reader revokes: %v", err)
	}
	const of = " from sallyport_state.revocation where service = 'roles'"
	for _, tt := range []struct{ role, sql string }{
		{"reader", "select from sallyport_state.entry"}, {"reader", "delete" + of}, {"reader", "insert into sallyport_state.revocation (service, revision, tag, entry) values ('roles', 1, 't', 'jti x')"},
		{"app", "delete" + of + " and revision = 2"}, {"app", "delete" + of + " and revision = 3"}, {"app", "delete" + of},
		{"app", "update sallyport_state.revocation set entry = 'jti x'"}, {"app", "truncate sallyport_state.revocation"}, {"app", "drop table sallyport_state.revocation"},
		{"app", "insert into sallyport_state.version values (2)"}, {"app", "create table sallyport_state.mine (n int)"},
	} {
		if err := execute(t, s, tt.role, tt.sql); err == nil {
			t.Errorf("%s may %q", tt.role, tt.sql)
		}
	}
	// A record added by hand has the server's number, time and role.
	if err := execute(t, s, "app", "insert into sallyport_state.revocation (service, revision, tag, entry, added, db_user) values ('roles', 77, 't', 'jti hand', '2001-01-01', 'root')"); err != nil {
		t.Fatal(err)
	}
	records, err := reader.Read(t.Context(), revoke.Position{}, 10)
	if err != nil || len(records) != 3 {
		t.Fatalf("%v, %v", records, err)
	}
	if r := records[2]; r.ID != "hand" || r.Number != 4 || r.By != "app" || time.Since(r.Added).Abs() > 24*time.Hour {
		t.Errorf("added by hand: %+v", r)
	}
	if r := records[1]; r.ID != "kept" || r.By != "app" || r.Note != "ann: a laptop was lost" {
		t.Errorf("%+v", r)
	}
	if _, err := postgresstate.Grants("x; drop table y", ""); err == nil {
		t.Error("an invalid role name is accepted")
	}
}

// away: what was revoked while an instance was disconnected applies soon after it
// reconnects, and what it knew applies throughout.
func away(t *testing.T, s *postgrestest.Server) {
	statuses := make(chan revoke.Status, 1000)
	f := instance(t, open(t, s, "app", "away").Revocations(), statuses)
	limit := time.After(authtest.TimeLimit(time.Minute))
	until := func(what string, is func(revoke.Status) bool) {
		t.Helper()
		for {
			select {
			case st := <-statuses:
				if is(st) {
					return
				}
			case <-limit:
				t.Fatalf("never %s: %+v", what, f.Status())
			}
		}
	}
	if err := f.Revoke(revoke.Entry{ID: "before"}); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	until("cut off", func(st revoke.Status) bool { return st.ListenErr != nil })
	s.Start()
	p, err := open(t, s, "app", "away").Revocations().Append(t.Context(), "", revoke.Entry{ID: "meanwhile"})
	if err != nil {
		t.Fatal(err)
	}
	until("caught up", func(st revoke.Status) bool { return st.Read == p })
	for _, id := range []string{"before", "meanwhile"} {
		if is, err := f.Revoked(t.Context(), revoke.Token{ID: id}); !is || err != nil {
			t.Errorf("%s: %v, %v", id, is, err)
		}
	}
}

// restarted: connections closed by the server, as at a restart, cause an error on the
// listening one only, not on each idle one.
func restarted(t *testing.T, s *postgrestest.Server) {
	state := open(t, s, "app", "restarted")
	ended := make(chan revoke.Status, 1000)
	instance(t, state.Revocations(), ended)
	for st := range ended {
		if st.Listening {
			break
		}
	}
	if _, _, err := state.Sessions().Find("key"); err != nil {
		t.Fatal(err)
	}
	if err := execute(t, s, "sallyport", "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'"); err != nil {
		t.Fatal(err)
	}
	for st := range ended {
		if st.ListenErr != nil {
			break
		}
	}
	if _, _, err := state.Sessions().Find("key"); err != nil {
		t.Error(err)
	}
}

// encoded: whatever encoding a role's texts have, it revokes the same users as others.
func encoded(t *testing.T, s *postgrestest.Server) {
	if err := execute(t, s, "sallyport", "alter role app set client_encoding = 'LATIN1'"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := execute(t, s, "sallyport", "alter role app reset client_encoding"); err != nil {
			t.Error(err)
		}
	}()
	entry := revoke.Entry{Subject: "J\u00fcrgen", IssuedBefore: time.Now()}
	for writer, reader := range map[string]string{"app": "sallyport", "sallyport": "app"} {
		at, err := open(t, s, writer, "by"+writer).Revocations().Append(t.Context(), "", entry)
		if err != nil {
			t.Fatal(err)
		}
		f := instance(t, open(t, s, reader, "by"+writer).Revocations(), nil)
		if err := f.WaitFor(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if is, err := f.Revoked(t.Context(), revoke.Token{Subject: entry.Subject, IssuedAt: time.Now().Add(-time.Hour)}); !is || err != nil {
			t.Errorf("revoked by %s, at %s: %v, %v", writer, reader, is, err)
		}
	}
}

// cleaned: expired rows are deleted, and those of other services stay.
func cleaned(t *testing.T, s *postgrestest.Server) {
	store, other := open(t, s, "app", "cleaned").Sessions(), open(t, s, "app", "not-cleaned").Sessions()
	if err := other.Commit("old", []byte("x"), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for n := range 200 {
		if err := store.Commit(fmt.Sprint("old ", n), []byte("x"), time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	rows := func(service string) (n int) {
		c, err := pgx.Connect(t.Context(), s.URL("app"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
		if err := c.QueryRow(t.Context(), "select count(*) from sallyport_state.entry where service = $1", service).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := rows("cleaned"); n > 32 {
		t.Errorf("%d of 200 expired rows are left", n)
	}
	if n := rows("not-cleaned"); n != 1 {
		t.Errorf("another service has %d rows, want 1", n)
	}
}

// outage: an outage is an error, not a missing entry.
func outage(t *testing.T, s *postgrestest.Server) {
	store := open(t, s, "app", "outage").Sessions()
	if err := store.Commit("key", []byte("data"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if data, found, err := store.Find("key"); err == nil || found {
		t.Errorf("%q, %v, %v", data, found, err)
	}
	if err := store.Commit("key", []byte("more"), time.Now().Add(time.Hour)); err == nil {
		t.Error("a commit without a server")
	}
	if err := store.Delete("key"); err == nil {
		t.Error("a delete without a server")
	}
	s.Start()
	if data, found, err := store.Find("key"); err != nil || !found || string(data) != "data" {
		t.Errorf("afterwards: %q, %v, %v", data, found, err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	const here = "postgres://127.0.0.1/app"
	for i, o := range []postgresstate.Option{
		nil, postgresstate.WithName(""), postgresstate.WithName("a b"), postgresstate.WithTimeout(0), postgresstate.WithMaxConnections(0),
	} {
		if _, err := postgresstate.New(here, o); err == nil || !strings.HasPrefix(err.Error(), "postgresstate: ") {
			t.Errorf("option %d: %v", i, err)
		}
	}
	for url, good := range map[string]bool{
		here: true, "postgres://db.example/app?sslmode=verify-full": true, "postgres://db.example/app": false, "postgres://db.example/app?sslmode=require": false, "?": false,
	} {
		for _, unverified := range []bool{false, true} {
			var opts []postgresstate.Option
			if unverified {
				opts = append(opts, postgresstate.WithUnverifiedServer())
			}
			s, err := postgresstate.New(url, opts...)
			if want := good || unverified && url != "?"; (err == nil) != want {
				t.Errorf("%s, unverified %v: %v", url, unverified, err)
			}
			if s != nil {
				_ = s.Close()
			}
		}
	}
}

// TestFailover: of several servers the one that takes writes is used, also once it is
// another.
func TestFailover(t *testing.T) {
	t.Parallel()
	one, two := postgrestest.Start(t), postgrestest.Start(t)
	for _, s := range []*postgrestest.Server{one, two} {
		if err := open(t, s, "sallyport", "none").Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	state, err := postgresstate.New(strings.Replace(one.URL("sallyport"), one.Addr(), one.Addr()+","+two.Addr(), 1),
		postgresstate.WithTimeout(min(authtest.TimeLimit(15*time.Second), time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	use := func(server, standby *postgrestest.Server) error {
		setReadOnly(t, standby, "on")
		setReadOnly(t, server, "off")
		return state.Sessions().CommitCtx(t.Context(), "key", []byte(server.Addr()), time.Now().Add(time.Hour))
	}
	if err := use(two, one); err != nil {
		t.Error(err)
	}
	var several sync.WaitGroup
	for range 50 {
		several.Go(func() { _, _, _ = state.Sessions().Find("key") })
	}
	several.Wait()
	if err := use(one, two); err == nil {
		t.Error("a write on a connection to the standby succeeds")
	}
	for range 3 {
		if err := use(one, two); err != nil {
			t.Errorf("once a write has failed: %v", err)
		}
	}
	if data, _, err := state.Sessions().Find("key"); string(data) != one.Addr() || err != nil {
		t.Errorf("%q, %v", data, err)
	}
}

// setReadOnly makes a server refuse writes, as a standby does, or accept them.
func setReadOnly(t *testing.T, s *postgrestest.Server, value string) {
	t.Helper()
	for _, sql := range []string{"alter system set default_transaction_read_only = " + value, "select pg_reload_conf()"} {
		if err := execute(t, s, "sallyport", sql); err != nil {
			t.Fatal(err)
		}
	}
	for limit := time.Now().Add(authtest.TimeLimit(time.Minute)); ; time.Sleep(time.Millisecond) {
		err := execute(t, s, "sallyport", "do $$ begin assert current_setting('transaction_read_only') = '"+value+"'; end $$")
		switch {
		case err == nil:
			return
		case time.Now().After(limit):
			t.Fatal(err)
		}
	}
}
