//go:build unix

package postgres_test

import (
	"context"
	"slices"
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

// edited: who has the revision before reads nothing of the files of the next one, of
// which a line is new; and all of it where the notification says something else, or
// nothing. Who knows nothing of edits is notified as ever.
func edited(t *testing.T, server *postgrestest.Server) {
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	admin, err := pgx.Connect(ctx, server.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	if _, err := admin.Exec(ctx, "listen sallyport_source"); err != nil {
		t.Fatal(err)
	}
	open := func() *postgres.Store { return opened(t, server.URL("sallyport"), postgres.WithName("edit")) }
	publisher, instance := open(), open()
	hints, ended := make(chan bool, 10), make(chan bool)
	go func() {
		defer close(ended)
		_ = instance.Listen(ctx, func() { hints <- true })
	}()
	defer func() {
		cancel()
		<-ended
	}()
	heard := func() {
		t.Helper()
		select {
		case <-hints:
		case <-ended:
			t.Fatal("no notification")
		}
	}
	heard() // it listens
	rules := strings.Repeat("p, ann, /, GET\n", 10_000)
	known := source.State{}
	publish := func(text string) (payloads []string) {
		t.Helper()
		if _, err := publisher.Publish(ctx, publication(known.Revision, text)); err != nil {
			t.Fatal(err)
		}
		heard()
		for !slices.Contains(payloads, "edit") {
			n, err := admin.WaitForNotification(ctx)
			if err != nil {
				t.Fatal(err)
			}
			payloads = append(payloads, n.Payload)
		}
		return payloads
	}
	fetch := func(want string) {
		t.Helper()
		got, err := instance.Fetch(ctx, known)
		if err != nil {
			t.Fatal(err)
		}
		if got.Revision != known.Revision+1 || got.Content == nil || got.Content.Hash() != source.HashFiles(sourcetest.Files(want)) || got.Content.Hash() != got.Hash {
			t.Fatalf("revision %d is not what was published", got.Revision)
		}
		known = got.State
	}
	if p := publish(rules); len(p) != 1 {
		t.Errorf("the first one is notified by %.1000q", p)
	}
	fetch(rules)
	more := rules + "p, bob, /, GET\n"
	if p := publish(more); len(p) != 2 || !strings.HasPrefix(p[0], "edit {") || len(p[0]) > 1000 {
		t.Errorf("the second one is notified by %.1000q", p)
	}
	if _, err := admin.Exec(ctx, "delete from sallyport.file where name = 'edit' and revision = 2"); err != nil {
		t.Fatal(err)
	}
	if _, err := open().Fetch(ctx, known); err == nil {
		t.Error("who has nothing has read what is not there")
	}
	fetch(more) // without its files
	// Somebody makes an edit up, and another publisher does not know the base.
	p := publish(rules)
	if len(p) != 2 || !strings.Contains(p[0], `"cut":15`) {
		t.Fatalf("notified by %q", p)
	}
	for _, payload := range []string{strings.Replace(p[0], `"cut":15`, `"cut":14`, 1), "edit"} {
		if _, err := admin.Exec(ctx, "select pg_notify('sallyport_source', $1)", payload); err != nil {
			t.Fatal(err)
		}
	}
	heard()
	for range 2 {
		if _, err := admin.WaitForNotification(ctx); err != nil {
			t.Fatal(err)
		}
	}
	fetch(rules)
	publisher = open()
	if p := publish(more); len(p) != 1 {
		t.Errorf("notified by %.1000q", p)
	}
	fetch(more)
}
