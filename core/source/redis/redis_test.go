//go:build unix

package redis_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/redis"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// durable is a server whose confirmed writes survive a kill.
func durable(t *testing.T) *redistest.Server {
	return redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
}

// opened returns a store on a server.
func opened(t *testing.T, server *redistest.Server, name string) *redis.Store {
	t.Helper()
	store, err := redis.New(server.URL(), redis.WithName(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestStore(t *testing.T) {
	s := durable(t)
	sourcetest.Run(t, func(t *testing.T, name string) source.Store { return opened(t, s, name) })
	t.Run("instances catch up after an outage", func(t *testing.T) { away(t, s) })
}

// TestStoreInCluster: any node of a cluster may be named.
func TestStoreInCluster(t *testing.T) {
	c := redistest.StartCluster(t)
	sourcetest.Run(t, func(t *testing.T, name string) source.Store { return opened(t, c.Nodes[1], name) })
}

// away: what was published while the server was unreachable is in force soon after it is
// back, and the previous revision stays until then.
func away(t *testing.T, server *redistest.Server) {
	publish := func(base source.Revision) {
		t.Helper()
		p := source.Publication{Base: base, Files: sourcetest.Files(fmt.Sprint(base)), Note: source.Note{Author: "ann"}}
		if _, err := opened(t, server, "away").Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	publish(0)
	failed := make(chan struct{}, 1)
	f, err := source.Follow(t.Context(), opened(t, server, "away"), func(context.Context, *source.Content) error { return nil },
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
	publish(1)
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	if err := f.WaitFor(ctx, 2); err != nil {
		t.Error(err)
	}
}

// TestSizesAreBounded: whoever can write to the server cannot make instances read more
// than a store may hold, from any key.
func TestSizesAreBounded(t *testing.T) {
	server := redistest.Start(t)
	// A value of 257 MB can take a busy machine seconds to make.
	admin := client.NewClient(&client.Options{Addr: server.Addr(), ReadTimeout: time.Minute})
	defer func() { _ = admin.Close() }()
	huge := strings.Repeat("x", 3<<20)
	for name, spoil := range map[string]func(key string) error{
		"head":  func(key string) error { return admin.Set(t.Context(), key+"head", "1 "+huge, 0).Err() },
		"entry": func(key string) error { return admin.HSet(t.Context(), key+"1", "entry", huge).Err() },
		"time":  func(key string) error { return admin.HSet(t.Context(), key+"1", "time", huge).Err() },
		"another revision's entry": func(key string) error {
			return admin.HSet(t.Context(), key+"1", "entry", `{"revision":2}`).Err()
		},
		"no files": func(key string) error { return admin.Del(t.Context(), key+"1:files").Err() },
		"half a file": func(key string) error {
			return admin.SetRange(t.Context(), key+"1:files", 0, "\x00\x00\x00\x00\x00\x01").Err()
		},
		"a long tail": func(key string) error {
			return admin.Append(t.Context(), key+"1:files", "\xff\xff\xff\xff\xff\xff\xff\xff").Err()
		},
		"a short tail": func(key string) error { return admin.Append(t.Context(), key+"1:files", "x").Err() },
		"files": func(key string) error {
			return admin.SetRange(t.Context(), key+"1:files", source.MaxSize+1<<20, "x").Err()
		},
	} {
		store := opened(t, server, strings.ReplaceAll(name, " ", "-"))
		if _, err := store.Publish(t.Context(), source.Publication{Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}}); err != nil {
			t.Fatal(err)
		}
		fetch := func() error { // and its time, since instances do not read entries
			_, err := store.Fetch(t.Context(), source.State{})
			_, _, atErr := store.At(t.Context(), 1)
			return errors.Join(err, atErr)
		}
		if err := fetch(); err != nil {
			t.Fatal(err)
		}
		if err := spoil("sallyport:{" + strings.ReplaceAll(name, " ", "-") + "}:"); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := fetch()
		runtime.ReadMemStats(&after)
		if err == nil || len(err.Error()) > 1000 {
			t.Errorf("%s: %.1000v", name, err)
		}
		if read := after.TotalAlloc - before.TotalAlloc; read > 1<<20 {
			t.Errorf("%s: %d bytes were read", name, read)
		}
	}
}

// TestLostAnswer: a client that repeats a publication because the answer was lost learns
// that it was published; others get a conflict.
func TestLostAnswer(t *testing.T) {
	store := opened(t, durable(t), "again")
	p := source.Publication{Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}}
	for range 2 {
		if e, err := store.Publish(t.Context(), p); err != nil || e.Revision != 1 || e.Published.IsZero() {
			t.Errorf("%+v, %v", e, err)
		}
	}
	var conflict *source.ConflictError
	p.Author = "bob"
	if _, err := store.Publish(t.Context(), p); !errors.As(err, &conflict) {
		t.Errorf("another editor: %v, want a conflict", err)
	}
	p.Author, p.Files = "ann", sourcetest.Files("y")
	if _, err := store.Publish(t.Context(), p); !errors.As(err, &conflict) {
		t.Errorf("other files: %v, want a conflict", err)
	}
}

// TestMemory: a server out of memory refuses a publication as a whole, and one that
// evicts keys (a policy other than noeviction) changes nothing in force.
func TestMemory(t *testing.T) {
	server := durable(t)
	admin := client.NewClient(&client.Options{Addr: server.Addr()})
	defer func() { _ = admin.Close() }()
	store := opened(t, server, "full")
	p := source.Publication{Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}}
	if _, err := store.Publish(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	f, err := source.Follow(t.Context(), store, func(context.Context, *source.Content) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	limit := func(bytes string) {
		t.Helper()
		if err := admin.ConfigSet(t.Context(), "maxmemory", bytes).Err(); err != nil {
			t.Fatal(err)
		}
	}
	limit("1")
	p.Base = 1
	if _, err := store.Publish(t.Context(), p); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("published to a full server: %v", err)
	}
	limit("0")
	if err := f.Refresh(t.Context()); err != nil || f.Status().Revision != 1 {
		t.Errorf("afterwards: %v, %+v", err, f.Status())
	}
	if _, err := store.Publish(t.Context(), p); err != nil {
		t.Errorf("with memory again: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	if err := f.WaitFor(ctx, 2); err != nil {
		t.Fatal(err)
	}
	// Files already in force are not read again.
	for _, dropped := range []struct {
		key  string
		want error
	}{{"2:files", nil}, {"head", source.ErrStepBack}} {
		if err := admin.Del(t.Context(), "sallyport:{full}:"+dropped.key).Err(); err != nil {
			t.Fatal(err)
		}
		if err := f.Refresh(t.Context()); !errors.Is(err, dropped.want) || f.Status().Revision != 2 {
			t.Errorf("without %s: %v, want %v; %+v", dropped.key, err, dropped.want, f.Status())
		}
	}
}

// acl is an ACL line of the page.
var acl = regexp.MustCompile(`(?m)^ACL SETUSER (app|publisher) +on >… (.*)$`)

// TestUsers: with the rights on the page, instances can read and publishers publish, and
// instances cannot write.
func TestUsers(t *testing.T) {
	s := durable(t)
	page, err := os.ReadFile("../../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	admin := client.NewClient(&client.Options{Addr: s.Addr()})
	defer func() { _ = admin.Close() }()
	lines := acl.FindAllStringSubmatch(string(page), -1)
	if len(lines) != 2 {
		t.Fatalf("%d users on the page", len(lines))
	}
	stores := map[string]*redis.Store{}
	for _, line := range lines {
		args := []any{"ACL", "SETUSER", line[1], "on", ">pw"}
		for rule := range strings.FieldsSeq(strings.ReplaceAll(line[2], "NAME", "default")) {
			args = append(args, rule)
		}
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		store, err := redis.New("redis://" + line[1] + ":pw@" + s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		stores[line[1]] = store
	}
	p := source.Publication{Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}}
	if _, err := stores["app"].Publish(t.Context(), p); err == nil || !strings.Contains(err.Error(), "NOPERM") {
		t.Errorf("an instance publishes: %v", err)
	}
	if _, err := stores["publisher"].Publish(t.Context(), p); err != nil {
		t.Error(err)
	}
	if h, err := stores["publisher"].History(t.Context(), 0, 5); err != nil || len(h) != 1 {
		t.Errorf("history: %+v, %v", h, err)
	}
	listening := make(chan error, 1)
	f, err := source.Follow(t.Context(), stores["app"], func(context.Context, *source.Content) error { return nil },
		source.WithStatusObserver(func(s source.Status) {
			if s.Listening || s.ListenErr != nil {
				select {
				case listening <- s.ListenErr:
				default:
				}
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := <-listening; err != nil {
		t.Errorf("an instance does not listen: %v", err)
	}
	other, err := redis.New("redis://app:pw@"+s.Addr(), redis.WithName("other"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := other.Fetch(t.Context(), source.State{}); err == nil || !strings.Contains(err.Error(), "see its ACL") {
		t.Errorf("an instance reads without a right to: %v", err)
	}
	p.Base = 1
	if _, err := stores["publisher"].Publish(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	if err := f.WaitFor(ctx, 2); err != nil {
		t.Error(err)
	}
}

// TestPublisherWhoMayNotNotify: what could not be notified is not published either, and the
// error says what is missing.
func TestPublisherWhoMayNotNotify(t *testing.T) {
	s := durable(t)
	admin := client.NewClient(&client.Options{Addr: s.Addr()})
	defer func() { _ = admin.Close() }()
	for user, rights := range map[string][]any{"silent": {"&sallyport:{default}:changed", "-publish"}, "elsewhere": {"&other"}} {
		args := append([]any{"ACL", "SETUSER", user, "on", ">pw", "~*", "resetchannels", "+@all"}, rights...)
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		store, err := redis.New("redis://" + user + ":pw@" + s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		_, err = store.Publish(t.Context(), source.Publication{Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}})
		if err == nil || !strings.Contains(err.Error(), "no right to do that") {
			t.Errorf("%s: %v", user, err)
		}
		if _, err := store.Fetch(t.Context(), source.State{}); !errors.Is(err, source.ErrEmpty) {
			t.Errorf("%s: it was published: %v", user, err)
		}
	}
}

// TestServerIsVerified: no connection goes to another machine unverified unless the URL
// says so. No error contains a password.
func TestServerIsVerified(t *testing.T) {
	for _, tt := range []struct {
		url  string
		good bool
	}{
		{"redis://:secret@cache.example:6379/0", false},
		{"redis://10.0.0.7", false},
		{"rediss://:secret@cache.example:6379/0?skip_verify=true", false},
		{"rediss://:secret@cache.example:6379/0", true},
		{"redis://127.0.0.1:6379", true},
		{"redis://[::1]:6379", true},
		{"redis://localhost", true},
		{"unix:///run/redis.sock", true},
		{"http://:secret@cache.example", false},
		{"redis://:sec%ret@cache.example", false},
	} {
		s, err := redis.New(tt.url)
		if (err == nil) != tt.good {
			t.Errorf("%s: %v, want good: %v", tt.url, err, tt.good)
		}
		if err != nil && strings.Contains(err.Error(), "sec") && !strings.Contains(tt.url, "skip_verify") && !strings.Contains(err.Error(), "rediss") {
			t.Errorf("%s: the error repeats the password: %v", tt.url, err)
		}
		if s != nil {
			_ = s.Close()
		}
	}
	s, err := redis.New("redis://cache.example", redis.WithUnverifiedServer())
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

// TestOldNotificationReadsNothing: a notified revision, followed by one that was not
// notified, is not read at each poll.
func TestOldNotificationReadsNothing(t *testing.T) {
	server := durable(t)
	admin := client.NewClient(&client.Options{Addr: server.Addr()})
	defer func() { _ = admin.Close() }()
	store := opened(t, server, "hints")
	publish := func(base source.Revision) {
		t.Helper()
		if _, err := store.Publish(t.Context(), source.Publication{Base: base, Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	hints, ended := make(chan bool, 10), make(chan bool)
	go func() {
		defer close(ended)
		_ = store.Listen(ctx, func() { hints <- true })
	}()
	<-hints // it listens
	publish(0)
	<-hints
	cancel()
	<-ended
	publish(1)
	got, err := store.Fetch(t.Context(), source.State{})
	if err != nil || got.Revision != 2 {
		t.Fatalf("%+v, %v", got.State, err)
	}
	if err := admin.ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Fetch(t.Context(), got.State); err != nil {
		t.Fatal(err)
	}
	if stats, err := admin.Info(t.Context(), "commandstats").Result(); err != nil || strings.Contains(stats, "cmdstat_strlen") || !strings.Contains(stats, "cmdstat_getrange:calls=1,") {
		t.Errorf("%s, %v", stats, err)
	}
}
