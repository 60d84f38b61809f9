//go:build unix

package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// opened returns a store on a database with its tables.
func opened(t *testing.T, url string, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.New(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// execute runs statements as the superuser.
func execute(t *testing.T, url, sql string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// TestStore runs everything on one server, whose start takes longest.
func TestStore(t *testing.T) {
	// A default at which a write that waited for another would fail.
	server := postgrestest.Start(t, "default_transaction_isolation=serializable")
	admin := opened(t, server.URL("sallyport"))
	if _, err := admin.Fetch(t.Context(), source.State{}); err == nil || !strings.Contains(err.Error(), "sallyport store init") {
		t.Errorf("without tables: %v", err)
	}
	for range 2 { // the second does nothing
		if err := admin.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sourcetest.Run(t, func(t *testing.T, name string) source.Store {
		return opened(t, server.URL("sallyport"), postgres.WithName(name))
	})
	t.Run("roles may do what they need and no more", func(t *testing.T) { roles(t, server) })
	t.Run("instances catch up after an outage", func(t *testing.T) { away(t, server) })
	t.Run("dead connections are not waited for", func(t *testing.T) { dead(t, server) })
	t.Run("a slow server is waited for", func(t *testing.T) { slow(t, server) })
	t.Run("an edit is read instead of files", func(t *testing.T) { edited(t, server) })
	t.Run("an instance has one connection", func(t *testing.T) { oneConnection(t, server, "one", "sslmode=disable") })
	t.Run("a connection is not used for ever", func(t *testing.T) { renewed(t, server) })
	t.Run("connections are encrypted and the server verified", func(t *testing.T) { encrypted(t, server) })
}

func publication(base source.Revision, text string) source.Publication {
	return source.Publication{Base: base, Files: sourcetest.Files(text), Note: source.Note{Author: "ann"}}
}

// roles: instances can only read, publishers cannot change history.
func roles(t *testing.T, server *postgrestest.Server) {
	grants, err := postgres.Grants("reader", "writer")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, server.URL("sallyport"), "create role reader login; create role writer login; create role nobody login;"+grants)
	if _, err := opened(t, server.URL("nobody")).Fetch(t.Context(), source.State{}); err == nil || !strings.Contains(err.Error(), "sallyport store schema") {
		t.Errorf("a role without grants: %v", err)
	}
	execute(t, server.URL("sallyport"), "alter table sallyport.revision rename hash to digest")
	if _, err := opened(t, server.URL("sallyport")).Fetch(t.Context(), source.State{}); err == nil || !strings.Contains(err.Error(), "have another version") {
		t.Errorf("tables of another version: %v", err)
	}
	execute(t, server.URL("sallyport"), "alter table sallyport.revision rename digest to hash")
	reader := opened(t, server.URL("reader"), postgres.WithName("roles"))
	writer := opened(t, server.URL("writer"), postgres.WithName("roles"))
	if _, err := reader.Publish(t.Context(), publication(0, "x")); err == nil || !strings.Contains(err.Error(), "may not do that") {
		t.Errorf("a reader publishes: %v", err)
	}
	// Every role of a database may listen.
	stranger, err := pgx.Connect(t.Context(), server.URL("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Close(context.WithoutCancel(t.Context())) }()
	if _, err := stranger.Exec(t.Context(), "listen sallyport_source"); err != nil {
		t.Fatal(err)
	}
	for base, text := range []string{"ann:hash\n", "ann:hash\nbob:secret\n"} {
		if _, err := writer.Publish(t.Context(), publication(source.Revision(base), text)); err != nil { // #nosec G115 -- 0 or 1
			t.Errorf("a writer publishes: %v", err)
		}
		if n, err := stranger.WaitForNotification(t.Context()); err != nil || n.Payload != "roles" {
			t.Errorf("a role without grants hears %+v, %v", n, err)
		}
	}
	if got, err := reader.Fetch(t.Context(), source.State{}); err != nil || got.Revision != 2 {
		t.Errorf("a reader reads: %+v, %v", got, err)
	}
	c, err := pgx.Connect(t.Context(), server.URL("writer"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	for _, sql := range []string{
		"delete from sallyport.revision", "delete from sallyport.file", "update sallyport.file set content = ''",
		"update sallyport.revision set author = 'bob'", "delete from sallyport.head",
		"update sallyport.head set revision = 1", "update sallyport.head set revision = 0", "update sallyport.head set name = 'x'",
		"insert into sallyport.head values ('other', 7)",
		"insert into sallyport.file values ('roles', 1, 'more.csv', 'p, bob, /*, *')", "insert into sallyport.file values ('roles', 2, 'more.csv', '')",
		"insert into sallyport.revision values ('roles', 9, now(), 'x', '', '', '', '', '', 0)", "truncate sallyport.file", "drop table sallyport.file",
		"update sallyport.head set revision = 9223372036854775807",
	} {
		if _, err := c.Exec(t.Context(), sql); err == nil {
			t.Errorf("a writer may %q", sql)
		}
	}
	if got, err := reader.Fetch(t.Context(), source.State{}); err != nil || got.Revision != 2 || len(got.Content.Files) != 2 {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
	forgedEntry(t, c)
	if _, err := postgres.Grants(`x; drop table y`, ""); err == nil {
		t.Error("an invalid role name is accepted")
	}
}

// forgedEntry: a publisher's entry has the server's time and role, and a revision larger
// than a source may have is not read.
func forgedEntry(t *testing.T, c *pgx.Conn) {
	t.Helper()
	const sql = `begin; insert into sallyport.head values ('forged', 0); update sallyport.head set revision = 1 where name = 'forged';
		insert into sallyport.revision values ('forged', 1, '2001-01-01', 'sallyport', '', '', '', '', '', 0);
		insert into sallyport.file select 'forged', 1, 'f' || n, '' from generate_series(1, 2000) n; commit`
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	var user string
	var published time.Time
	if err := c.QueryRow(t.Context(), "select db_user, published from sallyport.revision where name = 'forged'").Scan(&user, &published); err != nil {
		t.Fatal(err)
	}
	if user != "writer" || time.Since(published) > 24*time.Hour {
		t.Errorf("the entry is by %s at %v", user, published)
	}
	s, err := postgres.New(c.Config().ConnString(), postgres.WithName("forged"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Fetch(t.Context(), source.State{}); err == nil || !strings.Contains(err.Error(), "or more than 1000") {
		t.Errorf("2000 files: %v", err)
	}
}

// away: what was published while the server was unreachable is in force soon after it is
// back, and the previous revision stays until then.
func away(t *testing.T, server *postgrestest.Server) {
	s := opened(t, server.URL("sallyport"), postgres.WithName("away"))
	if _, err := s.Publish(t.Context(), publication(0, "one")); err != nil {
		t.Fatal(err)
	}
	failed := make(chan struct{}, 1)
	f, err := source.Follow(t.Context(), opened(t, server.URL("sallyport"), postgres.WithName("away")),
		func(context.Context, *source.Content) error { return nil },
		source.WithPollInterval(time.Minute), source.WithStatusObserver(func(s source.Status) {
			if s.ListenErr != nil {
				select {
				case failed <- struct{}{}:
				default:
				}
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	server.Stop()
	<-failed
	if st := f.Status(); st.Revision != 1 {
		t.Errorf("in force: %+v", st)
	}
	server.Start()
	s = opened(t, server.URL("sallyport"), postgres.WithName("away")) // the connections of the other were ended
	if _, err := s.Publish(t.Context(), publication(1, "two")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	if err := f.WaitFor(ctx, 2); err != nil {
		t.Error(err)
	}
}

// TestServerIsVerified: no connection goes to another machine unverified unless the URL
// says so.
func TestServerIsVerified(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for _, tt := range []struct {
		url  string
		good bool
	}{
		{"postgres://db.example/app", false},
		{"postgres://db.example/app?sslmode=disable", false},
		{"postgres://db.example/app?sslmode=allow", false},
		{"postgres://db.example/app?sslmode=prefer", false},
		{"postgres://db.example/app?sslmode=require", false},
		{"postgres://db.example/app?sslmode=verify-ca", true},
		{"postgres://db.example/app?sslmode=verify-full", true},
		{"postgres://127.0.0.1,db.example/app", false},
		{"postgres://127.0.0.1/app", true},
		{"postgres://[::1]/app", true},
		{"host=/run/postgresql", true},
		{"host=10.0.0.7 sslmode=disable", false},
	} {
		s, err := postgres.New(tt.url)
		if (err == nil) != tt.good {
			t.Errorf("%s: %v, want good: %v", tt.url, err, tt.good)
		}
		if err == nil {
			_ = s.Close()
			continue
		}
		s, err = postgres.New(tt.url, postgres.WithUnverifiedServer())
		if err != nil {
			t.Errorf("%s, unverified: %v", tt.url, err)
			continue
		}
		_ = s.Close()
	}
}
