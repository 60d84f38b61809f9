//go:build linux

// Package fleet_test measures many instances that share one policy: each is a
// process of its own, which guards a service and asks it at a constant rate, and
// the stores are real ones.
//
// Without further flags it is a test that all of it works, with few instances.
// make fleet measures, and writes the figures into the page.
package fleet_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// limited bounds the wait for what is certain to come.
func limited(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), authtest.TimeLimit(2*time.Minute))
}

// server is a store's server.
type server interface {
	Addr() string
	Process() *os.Process
	Start()
	// Crash ends the server as a crash does.
	Crash()
}

// kind is a kind of store.
type kind struct {
	name  string
	title string // as the page has it
	start func(t *testing.T) server
	url   func(addr string) string
	// half and nearlyAll are within what half of pushes, and 99 of 100, are to be
	// everywhere.
	half, nearlyAll time.Duration
}

var kinds = []kind{
	{"postgres", "PostgreSQL", func(t *testing.T) server {
		// A test is not to wait for a disk; what is measured is.
		s := postgrestest.Start(t, fmt.Sprintf("fsync=%t", *page != ""), "max_connections=200", "max_wal_size=64MB")
		db, err := postgres.New(s.URL("sallyport"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}, func(addr string) string { return "postgres://sallyport@" + addr + "/postgres?sslmode=disable" }, 30 * time.Millisecond, 100 * time.Millisecond},
	{"redis", "Redis", func(t *testing.T) server { return redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always") }, func(addr string) string { return "redis://" + addr }, 10 * time.Millisecond, 50 * time.Millisecond},
}

// open is a store on a server, or behind the proxy at addr.
func (k *kind) open(t *testing.T, addr, name string) source.Store {
	t.Helper()
	s, err := openStore(k.name, k.url(addr), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// publish publishes the next revision after base.
func publish(t *testing.T, s source.Store, base source.Revision, files []source.File) {
	t.Helper()
	ctx, cancel := limited(t)
	defer cancel()
	if _, err := s.Publish(ctx, source.Publication{Base: base, Files: files, Note: source.Note{Author: "fleet"}}); err != nil {
		t.Fatal(err)
	}
}

// scale is how much is measured.
type scale struct {
	instances, pushes, rules int
	pause                    time.Duration
}

// spread is how long pushes took until the last instance decided by them.
type spread struct {
	took    []time.Duration
	account account
	// used is the processor time that an instance took for a push, with the requests
	// meanwhile.
	used time.Duration
}

// percentile is the time within which p of a hundred pushes were everywhere.
func (s *spread) percentile(p int) time.Duration {
	sorted := slices.Sorted(slices.Values(s.took))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// measurePushes publishes one revision after another.
func measurePushes(t *testing.T, k *kind, addr string, n scale) *spread {
	t.Helper()
	name := "pushes"
	store := k.open(t, addr, name)
	publish(t, store, 0, files(1, n.rules))
	all := startFleet(t, n.instances, assignment{Kind: k.name, URL: k.url(addr), Name: name, Pause: n.pause})
	all.account(t) // leaves out what was counted while the others started
	var s spread
	for base := source.Revision(1); int(base) <= n.pushes; base++ {
		next := files(base+1, n.rules)
		began := time.Now()
		publish(t, store, base, next)
		s.took = append(s.took, all.wait(t, base+1).Sub(began))
	}
	s.account = all.account(t)
	s.used = s.account.Used / time.Duration(n.instances*n.pushes)
	return &s
}

// faultless fails if an answer was wrong, or a 5xx.
func (a *account) faultless(t *testing.T) {
	t.Helper()
	if a.Requests == 0 || a.Wrong > 0 || a.Unavailable > 0 {
		t.Errorf("%d requests, %d wrong, %d unavailable: %s", a.Requests, a.Wrong, a.Unavailable, a.First)
	}
}

// TestSharedBudget: an address that guesses at many instances at once has the budget,
// and one guess more at each.
func TestSharedBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: it starts a server and many processes")
	}
	t.Parallel()
	measureGuesses(t, 5, 20).check(t)
}

// TestFleet: what is published decides on all instances, every decision is by one
// revision as a whole, and no fault of the store costs an answer or an edit.
func TestFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: it starts servers and many processes, and -short is given")
	}
	t.Parallel()
	few := scale{instances: 3, pushes: 5, rules: 100, pause: time.Millisecond}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			server := k.start(t)
			t.Run("pushes", func(t *testing.T) {
				s := measurePushes(t, &k, server.Addr(), few)
				s.account.faultless(t)
			})
			t.Run("cuts", func(t *testing.T) {
				c := measureCuts(t, &k, server.Addr(), few, 100*time.Millisecond)
				c.account.faultless(t)
			})
			t.Run("faults", func(t *testing.T) {
				n := few
				n.pushes = len(faults)
				e := measureFaults(t, &k, &site{server: server}, n, 20, faults)
				if e.lost > 0 {
					t.Errorf("%d of %d edits lost", e.lost, e.edits)
				}
				e.account.faultless(t)
			})
		})
	}
}
