//go:build unix

package redis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/redis"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// listening makes a store listen for publications until the test ends. The returned
// function waits for the next one.
func listening(t *testing.T, store *redis.Store) (heard func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), authtest.TimeLimit(30*time.Second))
	hints, ended := make(chan bool, 10), make(chan bool)
	go func() {
		defer close(ended)
		_ = store.Listen(ctx, func() { hints <- true })
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	heard = func() {
		t.Helper()
		select {
		case <-hints:
		case <-ended:
			t.Fatal("no notification")
		}
	}
	heard() // it listens
	return heard
}

// TestEdit: an instance with the previous revision applies the edit of a line without
// reading files, and reads all files if the edit is wrong or missing. Notifications
// contain no content, since a server may let anyone listen.
func TestEdit(t *testing.T) {
	server := durable(t)
	admin := client.NewClient(&client.Options{Addr: server.Addr()})
	defer func() { _ = admin.Close() }()
	const key = "sallyport:{edit}:"
	messages := admin.Subscribe(t.Context(), key+"changed")
	defer func() { _ = messages.Close() }()
	if _, err := messages.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	publisher, instance := opened(t, server, "edit"), opened(t, server, "edit")
	heard := listening(t, instance)
	rules := strings.Repeat("p, ann, /, GET\n", 10_000)
	known := source.State{}
	publish := func(text string) (message, edit string) {
		t.Helper()
		_, err := publisher.Publish(t.Context(), source.Publication{Base: known.Revision, Files: sourcetest.Files(text), Note: source.Note{Author: "ann"}})
		if err != nil {
			t.Fatal(err)
		}
		heard()
		m, err := messages.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		edit, err = admin.Get(t.Context(), key+"edit").Result()
		if err != nil {
			t.Fatal(err)
		}
		return m.Payload, edit
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
	if m, edit := publish(rules); m != "1" || edit != "" {
		t.Errorf("the first one is notified by %q, with edit %q", m, edit)
	}
	fetch(rules)
	more := rules + "p, bob, /, GET\n"
	if m, edit := publish(more); m != "2 edit" || edit == "" || len(edit) > 1000 {
		t.Errorf("the second one is notified by %.1000q, with edit %.1000q", m, edit)
	}
	if err := admin.Rename(t.Context(), key+"2:files", "hidden").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := opened(t, server, "edit").Fetch(t.Context(), known); err == nil {
		t.Error("an instance without a revision read missing files")
	}
	fetch(more) // without its files
	if err := admin.Rename(t.Context(), "hidden", key+"2:files").Err(); err != nil {
		t.Fatal(err)
	}
	// Someone replaces the edit.
	_, edit := publish(rules)
	if !strings.Contains(edit, `"cut":15`) {
		t.Fatalf("edit %q", edit)
	}
	if err := admin.Set(t.Context(), key+"edit", strings.Replace(edit, `"cut":15`, `"cut":14`, 1), 0).Err(); err != nil {
		t.Fatal(err)
	}
	fetch(rules)
	// Another publisher does not know the base.
	publisher = opened(t, server, "edit")
	if m, edit := publish(more); m != "4" || edit != "" {
		t.Errorf("notified by %q, with edit %q", m, edit)
	}
	fetch(more)
}
