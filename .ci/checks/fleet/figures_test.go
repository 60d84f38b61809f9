//go:build linux

package fleet_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

var (
	page      = flag.String("page", "", "the page into which the figures are written; without it nothing is measured")
	instances = flag.Int("instances", 20, "how many processes share a store")
	pushes    = flag.Int("pushes", 100, "how many publications are timed")
	edits     = flag.Int("edits", 1000, "how many edits are made during faults")
	longest   = flag.Duration("cut", 20*time.Second, "how long the longest cut of the network is")
)

// figures are those of one kind of store.
type figures struct {
	small, large, alone *spread
	cuts                *cuts
	stored, filed       time.Duration
	endured             *endured
}

// shared are those that are not about a policy.
type shared struct {
	guesses  *guessing
	revoked  time.Duration // a check
	revoking uint64        // bytes of all entries
}

const smallPolicy, largePolicy, revocations = 1000, 100_000, 1_000_000

// pause is between two requests to an instance: with less, what is measured on a
// machine of two cores is who asks. rarely is for pushes, which are timed by the request
// at each change: 4,000 a second would take a third of such a machine.
const (
	pause  = 5 * time.Millisecond
	rarely = 50 * time.Millisecond
)

// TestFigures measures what the page says.
func TestFigures(t *testing.T) {
	if *page == "" {
		t.Skip("not run: it measures for many minutes; make fleet gives it the page to write")
	}
	others, began := load(), time.Now()
	all := make([]*figures, len(kinds))
	for i := range kinds {
		t.Run(kinds[i].name, func(t *testing.T) { all[i] = measure(t, &kinds[i]) })
	}
	var of shared
	t.Run("guesses", func(t *testing.T) {
		of.guesses = measureGuesses(t, *instances, 2000)
		of.guesses.check(t)
	})
	t.Run("revocations", func(t *testing.T) { of.revoked, of.revoking = measureRevocations(t, revocations) })
	if t.Failed() {
		return // and keep the page as it is
	}
	took := time.Since(began).Round(time.Minute)
	table, missed := figuresTable(all, &of, fmt.Sprintf("%s on %d cores%s, in %v", began.UTC().Format(time.DateOnly), runtime.NumCPU(), others, took))
	t.Logf("%d aims missed\n%s", missed, table)
	if err := writeFigures(*page, table); err != nil {
		t.Fatal(err)
	}
}

// measure takes all figures of a kind, one after the other.
func measure(t *testing.T, k *kind) *figures {
	f := new(figures)
	normal := scale{instances: *instances, pushes: *pushes, rules: smallPolicy, pause: pause}
	small := normal
	small.pause = rarely
	large := small
	large.rules, large.pushes = largePolicy, max(*pushes/10, 1)
	alone := large
	alone.instances, alone.pause = 1, time.Millisecond
	// Each gets a server of its own, so that none has the other's history.
	run := func(what string, measured func(t *testing.T, addr string) *account) {
		t.Run(what, func(t *testing.T) { measured(t, k.start(t).Addr()).faultless(t) })
	}
	push := func(into **spread, n scale) func(t *testing.T, addr string) *account {
		return func(t *testing.T, addr string) *account {
			*into = measurePushes(t, k, addr, n)
			return &(*into).account
		}
	}
	run("small", push(&f.small, small))
	run("large", push(&f.large, large))
	run("alone", push(&f.alone, alone))
	run("cuts", func(t *testing.T, addr string) *account {
		f.cuts = measureCuts(t, k, addr, normal, *longest/20, *longest/4, *longest)
		return &f.cuts.account
	})
	t.Run("cost", func(t *testing.T) {
		f.stored, f.filed = measureCost(t, k, k.start(t).Addr(), normal, 31, 50_000)
	})
	t.Run("faults", func(t *testing.T) {
		happen := slices.Clone(faults)
		at := &site{disk: mountDisk(t), clock: startClock(t)}
		if at.disk != "" {
			happen = append(happen, diskFull)
		}
		if at.clock != nil {
			happen = append(happen, stepped)
		}
		at.server = k.start(t)
		n := normal
		n.rules, n.pushes = 100, 20
		f.endured = measureFaults(t, k, at, n, *edits, happen)
		f.endured.account.faultless(t)
	})
	return f
}

// mountDisk makes a small file system in which the test has its files, or says
// why there is none.
func mountDisk(t *testing.T) string {
	t.Helper()
	dir := openFolder(t)
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=400m,mode=1777")
	if errors.Is(err, syscall.EPERM) {
		t.Log("no disk is filled: only root may make a small one")
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("TMPDIR", dir)
	return dir
}

// The figures are between these lines of the page.
const (
	begin = "<!-- figures: make fleet writes what follows -->\n"
	end   = "<!-- end of the figures -->\n"
)

// writeFigures puts a table in place of the one before.
func writeFigures(path, table string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("%s has no place for the figures: want the lines %q and %q", filepath.Base(path), begin, end)
	}
	return os.WriteFile(path, slices.Concat(before, []byte(begin+table+end), after), 0o644)
}
