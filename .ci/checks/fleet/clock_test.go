//go:build linux

package fleet_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgresstate"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
)

// clock is that of a server, which goes by another time than the machine.
type clock struct{ file string }

// libraries are where the library of libfaketime can be, which Debian's package
// libfaketime has.
var libraries = []string{"/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1", "/usr/local/lib/faketime/libfaketime.so.1"}

// startClock has the programs that the test starts from now on go by a clock of its own;
// nil where the library for that is not installed. The programs of this test itself do
// not: Go asks the system.
func startClock(t *testing.T) *clock {
	t.Helper()
	for _, pattern := range libraries {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			continue
		}
		c := &clock{filepath.Join(openFolder(t), "offset")}
		c.step(t, "+0")
		// With an allocator of its own, as Redis has one, each would ask for the other.
		t.Setenv("LD_PRELOAD", found[0]+" libc.so.6")
		t.Setenv("FAKETIME_TIMESTAMP_FILE", c.file)
		t.Setenv("FAKETIME_NO_CACHE", "1")
		t.Setenv("DONT_FAKE_MONOTONIC", "1") // as when the clock of a machine is stepped
		return c
	}
	if os.Getenv("CI") != "" {
		t.Fatal("CI is set, and there is no libfaketime: install Debian's package libfaketime")
	}
	return nil
}

// openFolder is a folder that servers can read which run as another user, unlike those
// of the test.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fleet") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// step moves the clock to an offset from that of the machine, such as "+1d".
func (c *clock) step(t *testing.T, offset string) {
	t.Helper()
	next := c.file + ".next" // the file is read all the time, and never half
	if err := os.WriteFile(next, []byte(offset+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, c.file); err != nil {
		t.Fatal(err)
	}
}

// stepped needs a server with a clock of its own.
var stepped = fault{"clock stepped", func(t *testing.T, at *site) {
	for _, offset := range []string{"+1d", "-1d", "+0"} {
		at.clock.step(t, offset)
		time.Sleep(lasting / 3)
	}
}}

// eachClock runs a test for each kind of store, with a clock for its server.
func eachClock(t *testing.T, test func(t *testing.T, k *kind, c *clock)) {
	if testing.Short() {
		t.Skip("not run with -short: it starts servers and processes")
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			c := startClock(t)
			if c == nil {
				t.Skip("not run: it needs libfaketime, and there is none on this machine")
			}
			test(t, &k, c)
		})
	}
}

// TestServerClock: the clock of a store's server may be set to another day, and back.
func TestServerClock(t *testing.T) {
	eachClock(t, func(t *testing.T, k *kind, c *clock) {
		at := &site{server: k.start(t), clock: c}
		store := k.open(t, at.server.Addr(), "clock")
		c.step(t, "+1d")
		e, err := store.Publish(t.Context(), source.Publication{Files: files(1, 1), Note: source.Note{Author: "fleet"}})
		if ahead := time.Until(e.Published); err != nil || ahead < 12*time.Hour {
			t.Fatalf("published %v ahead, %v: the server does not go by its own clock", ahead, err)
		}
		c.step(t, "+0")
		got := measureFaults(t, k, at, scale{instances: 2, pushes: 2, rules: 100, pause: time.Millisecond}, 10, []fault{stepped})
		if got.lost > 0 {
			t.Errorf("%d of %d edits lost", got.lost, got.edits)
		}
		got.account.faultless(t)
	})
}

// TestRevocationsByServerClock: what has expired by the clock of the server alone is not
// dropped, since tokens expire by those of the instances.
func TestRevocationsByServerClock(t *testing.T) {
	eachClock(t, func(t *testing.T, k *kind, c *clock) {
		log := openLog(t, k, k.start(t).Addr())
		entry := func(id string) revoke.Entry { return revoke.Entry{ID: id, Expires: time.Now().Add(time.Hour)} }
		if _, err := log.Append(t.Context(), "", entry("a")); err != nil {
			t.Fatal(err)
		}
		c.step(t, "+1d")
		for _, id := range []string{"b", "c"} {
			if _, err := log.Append(t.Context(), "", entry(id)); err != nil {
				t.Fatal(err)
			}
		}
		f, err := revoke.Follow(t.Context(), log)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		for _, id := range []string{"a", "b", "c"} {
			if is, err := f.Revoked(t.Context(), revoke.Token{ID: id}); !is || err != nil {
				t.Errorf("%s is revoked: %v, %v", id, is, err)
			}
		}
	})
}

// openLog is the log of revocations on a server.
func openLog(t *testing.T, k *kind, addr string) revoke.Log {
	t.Helper()
	if k.name == "redis" {
		s, err := redisstate.New(k.url(addr), redisstate.WithTimeout(10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s.Revocations()
	}
	s, err := postgresstate.New(k.url(addr), postgresstate.WithTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Revocations()
}
