//go:build linux

package fleet_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
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
	diskFull            bool
}

const smallPolicy, largePolicy = 1000, 100_000

// TestFigures measures what the page says.
func TestFigures(t *testing.T) {
	if *page == "" {
		t.Skip("not run: it measures for many minutes; make fleet gives it the page to write")
	}
	others := load()
	all := make([]*figures, len(kinds))
	for i := range kinds {
		t.Run(kinds[i].name, func(t *testing.T) { all[i] = measure(t, &kinds[i]) })
	}
	if t.Failed() {
		return // and keep the page as it is
	}
	if err := writeFigures(*page, all, others); err != nil {
		t.Fatal(err)
	}
}

// measure takes all figures of a kind, one after the other.
func measure(t *testing.T, k *kind) *figures {
	f := new(figures)
	normal := scale{instances: *instances, pushes: *pushes, rules: smallPolicy, pause: 2 * time.Millisecond}
	large := normal
	large.rules, large.pushes, large.pause = largePolicy, max(*pushes/5, 1), 10*time.Millisecond
	alone := large
	alone.instances, alone.pause = 1, time.Millisecond
	// Each gets a server of its own, so that none has the other's history.
	run := func(what string, measured func(t *testing.T, addr string)) {
		t.Run(what, func(t *testing.T) { measured(t, k.start(t).Addr()) })
	}
	run("small", func(t *testing.T, addr string) { f.small = measurePushes(t, k, addr, normal) })
	run("large", func(t *testing.T, addr string) { f.large = measurePushes(t, k, addr, large) })
	run("alone", func(t *testing.T, addr string) { f.alone = measurePushes(t, k, addr, alone) })
	run("cuts", func(t *testing.T, addr string) {
		f.cuts = measureCuts(t, k, addr, normal, *longest/20, *longest/4, *longest)
	})
	run("cost", func(t *testing.T, addr string) { f.stored, f.filed = measureCost(t, k, addr, normal, 31, 50_000) })
	t.Run("faults", func(t *testing.T) {
		disk := mountDisk(t)
		happen := faults
		if f.diskFull = disk != ""; f.diskFull {
			happen = append(slices.Clone(faults), diskFull)
		}
		n := normal
		n.rules, n.pushes = 100, 20
		f.endured = measureFaults(t, k, k.start(t), disk, n, *edits, happen)
	})
	for what, a := range map[string]*account{"small": &f.small.account, "large": &f.large.account, "alone": &f.alone.account, "cuts": &f.cuts.account, "faults": &f.endured.account} {
		if a.Requests == 0 || a.Wrong > 0 || a.Unavailable > 0 {
			t.Errorf("%s: %+v", what, *a)
		}
	}
	return f
}

// mountDisk makes a small file system in which the test has its files, or says
// why there is none.
func mountDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
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

// writeFigures puts the figures in place of those before.
func writeFigures(path string, all []*figures, others string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("%s has no place for the figures: want the lines %q and %q", filepath.Base(path), begin, end)
	}
	return os.WriteFile(path, slices.Concat(before, []byte(begin+figuresTable(all, others)+end), after), 0o644)
}

// figuresTable is the table of the page.
func figuresTable(all []*figures, others string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeasured on %s on %d cores%s.\n", time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), others)
	fmt.Fprintf(&b, "\n| with %d processes | aim |", *instances)
	for _, k := range kinds {
		fmt.Fprintf(&b, " %s |", k.title)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(kinds)) + "\n")
	row := func(what, aim string, cell func(f *figures) string) {
		fmt.Fprintf(&b, "| %s | %s |", what, aim)
		for _, f := range all {
			fmt.Fprintf(&b, " %s |", cell(f))
		}
		b.WriteString("\n")
	}
	row("from the push until the last process decides by it, 1,000 rules, half of pushes", "10 ms; PostgreSQL 30 ms", func(f *figures) string { return rounded(f.small.percentile(50)) })
	row("the same, 99 of 100 pushes", "50 ms; PostgreSQL 100 ms", func(f *figures) string { return rounded(f.small.percentile(99)) })
	row("the same with 100,000 rules, one of them changed, half of pushes", "–", func(f *figures) string { return rounded(f.large.percentile(50)) })
	row(fmt.Sprintf("the same, the slowest of %d pushes", len(all[0].large.took)), "500 ms", func(f *figures) string { return rounded(f.large.percentile(99)) })
	row("the same with one process in place of all", "500 ms", func(f *figures) string { return rounded(f.alone.percentile(99)) })
	row("the slowest answer of that process meanwhile", "10 ms", func(f *figures) string { return rounded(f.alone.account.Longest) })
	for _, length := range slices.Sorted(maps.Keys(all[0].cuts.behind)) {
		row(fmt.Sprintf("behind after the network was cut for %v", length), "1 s", func(f *figures) string { return rounded(f.cuts.behind[length]) })
	}
	row("a decision, beside one with the policy in files", "± 5 %", func(f *figures) string {
		return fmt.Sprintf("%+.1f %% (%v)", 100*(float64(f.stored)/float64(f.filed)-1), f.stored)
	})
	row(fmt.Sprintf("of %d edits by two editors during faults, lost", *edits), "0", func(f *figures) string { return fmt.Sprint(f.endured.lost) })
	row("answers meanwhile that were wrong, or a 5xx", "0", func(f *figures) string {
		return fmt.Sprintf("%d of %d", f.endured.account.Wrong+f.endured.account.Unavailable, f.endured.account.Requests)
	})
	row("behind at most after a fault", "1 s", func(f *figures) string { return rounded(f.endured.behind) })
	b.WriteString("\n")
	return b.String()
}

// load says how busy the machine is with other things, where the system tells.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 0 {
		return ", while other programs gave them a load of " + fields[0]
	}
	return ""
}

// rounded has two digits or three.
func rounded(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
