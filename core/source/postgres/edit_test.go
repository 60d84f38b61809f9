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

// edited: an instance with the previous revision applies the edit of a line without
// reading files, and reads all files if the edit is wrong, too large or missing.
func edited(t *testing.T, server *postgrestest.Server) {
	const name = "edit"
	publisher, instance := opened(t, server.URL("sallyport"), postgres.WithName(name)), opened(t, server.URL("sallyport"), postgres.WithName(name))
	admin, err := pgx.Connect(t.Context(), server.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(t.Context())) }()
	run := func(sql string) {
		t.Helper()
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	rules := strings.Repeat("p, ann, /, GET\n", 10_000)
	known := source.State{}
	publish := func(text string) (edit string) {
		t.Helper()
		p := source.Publication{Base: known.Revision, Files: sourcetest.Files(text), Note: source.Note{Author: "ann"}}
		if _, err := publisher.Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		p.Files[0].Content[0]++ // belongs to the caller
		err := admin.QueryRow(t.Context(), "select coalesce(string_agg(edit, ''), '') from sallyport.file where name = $1 and revision = $2", name, int64(known.Revision)+1).Scan(&edit)
		if err != nil {
			t.Fatal(err)
		}
		return edit
	}
	fetch := func(want string) {
		t.Helper()
		got, err := instance.Fetch(t.Context(), known)
		if err != nil {
			t.Fatal(err)
		}
		if got.Revision != known.Revision+1 || got.Content == nil || got.Content.Hash() != source.HashFiles(sourcetest.Files(want)) || got.Content.Hash() != got.Hash {
			t.Fatalf("revision %d differs from what was published", got.Revision)
		}
		known = got.State
	}
	if edit := publish(rules); edit != "" {
		t.Errorf("the first one has edit %.1000q", edit)
	}
	fetch(rules)
	more := rules + "p, bob, /, GET\n"
	if edit := publish(more); edit == "" || len(edit) > 1000 {
		t.Errorf("the second one has edit %.1000q", edit)
	}
	run("update sallyport.file set revision = 1, path = 'hidden-' || path, edit = null where name = 'edit' and revision = 2 and edit is null")
	if got, err := opened(t, server.URL("sallyport"), postgres.WithName(name)).Fetch(t.Context(), known); err == nil && got.Content.Hash() == got.Hash {
		t.Error("an instance without a revision read missing files")
	}
	fetch(more) // without its files
	// Someone replaces the edit.
	edit := publish(rules)
	if !strings.Contains(edit, `"cut":15`) {
		t.Fatalf("edit %q", edit)
	}
	run(`update sallyport.file set edit = replace(edit, '"cut":15', '"cut":14') where name = 'edit' and revision = 3`)
	fetch(rules)
	// One that is too large is not read, even beside others.
	publish(more)
	run(`update sallyport.file set edit = repeat('x', 70000) where name = 'edit' and revision = 4`)
	fetch(more)
	// Another publisher does not know the base.
	publisher = opened(t, server.URL("sallyport"), postgres.WithName(name))
	if edit := publish(rules); edit != "" {
		t.Errorf("a publisher without the base publishes edit %q", edit)
	}
	fetch(rules)
}

// oneConnection: an instance listens and queries on one connection, also after that was
// lost, and a silently dead one is given up.
func oneConnection(t *testing.T, server *postgrestest.Server, name, more string) {
	publisher := opened(t, server.URL("sallyport"), postgres.WithName(name))
	if _, err := publisher.Publish(t.Context(), publication(0, "one")); err != nil {
		t.Fatal(err)
	}
	n := newNetwork(t, server.Addr())
	s := opened(t, "postgres://sallyport@"+n.Addr().String()+"/postgres?application_name="+name+"&"+more, postgres.WithName(name))
	status := make(chan source.Status, 1000)
	f, err := source.Follow(t.Context(), s, func(context.Context, *source.Content) error { return nil },
		source.WithPollInterval(200*time.Millisecond), source.WithStatusObserver(func(s source.Status) {
			select {
			case status <- s:
			default:
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	listens := func(times uint64) {
		t.Helper()
		for f.Status().Listens < times {
			select {
			case <-status:
			case <-ctx.Done():
				t.Fatalf("%+v", f.Status())
			}
		}
	}
	admin, err := pgx.Connect(ctx, server.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	base := source.Revision(1)
	pushed := func() {
		t.Helper()
		for range 5 {
			if _, err := publisher.Publish(ctx, publication(base, strings.Repeat("x", int(base)))); err != nil { // #nosec G115 -- is small
				t.Fatal(err)
			}
			base++
			if err := f.WaitFor(ctx, base); err != nil {
				t.Fatal(err)
			}
		}
		for count := 0; count != 1; { // a lost one may take a moment to end
			err := admin.QueryRow(ctx, "select count(*) from pg_stat_activity where application_name = $1", name).Scan(&count)
			if err != nil {
				t.Fatalf("%d connections after %d, want one: %v", count, f.Status().Listens, err)
			}
		}
		if got := f.Status(); got.ListenErr != nil {
			t.Errorf("%+v", got)
		}
	}
	listens(1)
	pushed()
	execute(t, server.URL("sallyport"), "select pg_terminate_backend(pid) from pg_stat_activity where application_name = '"+name+"'")
	listens(2)
	pushed()
	n.swallow()
	listens(3)
	pushed()
}

// renewed: a connection that listens lives no longer than the pool's, and notifications
// meanwhile arrive.
func renewed(t *testing.T, server *postgrestest.Server) {
	const name = "renewed"
	publisher := opened(t, server.URL("sallyport"), postgres.WithName(name))
	if _, err := publisher.Publish(t.Context(), publication(0, "one")); err != nil {
		t.Fatal(err)
	}
	s := opened(t, server.URL("sallyport")+"&application_name="+name+"&pool_max_conn_lifetime=200ms", postgres.WithName(name))
	f, err := source.Follow(t.Context(), s, func(context.Context, *source.Content) error { return nil }, source.WithPollInterval(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	admin, err := pgx.Connect(ctx, server.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	seen := map[int]bool{}
	for base := source.Revision(1); len(seen) < 3; base++ {
		if _, err := publisher.Publish(ctx, publication(base, strings.Repeat("x", int(base)))); err != nil { // #nosec G115 -- is small
			t.Fatal(err)
		}
		if err := f.WaitFor(ctx, base+1); err != nil {
			t.Fatal(err)
		}
		rows, err := admin.Query(ctx, "select pid from pg_stat_activity where application_name = $1", name)
		if err != nil {
			t.Fatal(err)
		}
		pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			t.Fatal(err)
		}
		for _, pid := range pids {
			seen[pid] = true
		}
	}
	if got := f.Status(); got.ListenErr != nil || got.Listens != 1 {
		t.Errorf("%+v", got)
	}
}
