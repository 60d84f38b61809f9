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

// listening has a store hear of publications until the test ends. What it returns waits
// for the next one.
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

// TestEdit: who has the revision before reads nothing of the files of the next one, of
// which a line is new; and all of it where the notification says something else, or
// nothing.
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
	publish := func(text string) (message string) {
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
		return m.Payload
	}
	fetch := func(want string) {
		t.Helper()
		got, err := instance.Fetch(t.Context(), known)
		if err != nil {
			t.Fatal(err)
		}
		if got.Revision != known.Revision+1 || got.Content == nil || got.Content.Hash() != source.HashFiles(sourcetest.Files(want)) || got.Content.Hash() != got.Hash {
			t.Fatalf("revision %d is not what was published", got.Revision)
		}
		known = got.State
	}
	if m := publish(rules); m != "1" {
		t.Errorf("the first one is notified by %q", m)
	}
	fetch(rules)
	more := rules + "p, bob, /, GET\n"
	if m := publish(more); !strings.HasPrefix(m, "2 {") || len(m) > 1000 {
		t.Errorf("the second one is notified by %.1000q", m)
	}
	if err := admin.Rename(t.Context(), key+"2:files", "hidden").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := opened(t, server, "edit").Fetch(t.Context(), known); err == nil {
		t.Error("who has nothing has read what is not there")
	}
	fetch(more) // without its files
	if err := admin.Rename(t.Context(), "hidden", key+"2:files").Err(); err != nil {
		t.Fatal(err)
	}
	// Another publisher does not know the base, and somebody else makes an edit up.
	m := publish(rules)
	if err := admin.Publish(t.Context(), key+"changed", strings.Replace(m, `"cut":15`, `"cut":14`, 1)).Err(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(m, `"cut":15`) {
		t.Fatalf("notified by %q", m)
	}
	heard()
	if _, err := messages.ReceiveMessage(t.Context()); err != nil {
		t.Fatal(err)
	}
	fetch(rules)
	publisher = opened(t, server, "edit")
	if m := publish(more); m != "4" {
		t.Errorf("notified by %q", m)
	}
	fetch(more)
}
