//go:build linux

package fleet_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// table is the one of the page, as it is written.
type table struct {
	b      strings.Builder
	missed int
}

// cell is a figure, and whether it misses the aim.
type cell struct {
	text   string
	missed bool
}

// row writes a line, with a cell for each kind of store.
func (t *table) row(what, aim string, cells ...cell) {
	fmt.Fprintf(&t.b, "| %s | %s |", what, aim)
	for _, c := range cells {
		if c.missed {
			t.missed++
			c.text = "**missed:** " + c.text
		}
		fmt.Fprintf(&t.b, " %s |", c.text)
	}
	t.b.WriteString("\n")
}

// within is a time that is to be at most aim; 0 is none.
func within(d, aim time.Duration) cell { return cell{rounded(d), aim > 0 && d > aim} }

// none is a number that is to be 0.
func none(n, of int) cell { return cell{fmt.Sprintf("%d of %d", n, of), n > 0} }

// figuresTable is the table of the page, and how many aims were missed.
func figuresTable(all []*figures, of *shared, measured string) (text string, missed int) {
	var t table
	fmt.Fprintf(&t.b, "\nMeasured on %s. While pushes to all processes are timed, each asks %d times a second and at each change.\n", measured, time.Second/rarely)
	fmt.Fprintf(&t.b, "\n| with %d processes | aim |", *instances)
	for _, k := range kinds {
		fmt.Fprintf(&t.b, " %s |", k.title)
	}
	t.b.WriteString("\n|---|---|" + strings.Repeat("---|", len(kinds)) + "\n")
	each := func(what, aim string, figure func(k *kind, f *figures) cell) {
		cells := make([]cell, len(all))
		for i, f := range all {
			cells[i] = figure(&kinds[i], f)
		}
		t.row(what, aim, cells...)
	}
	each("from a push until the last process uses it, 1,000 rules, median", "10 ms; PostgreSQL 30 ms", func(k *kind, f *figures) cell {
		return within(f.small.percentile(50), k.half)
	})
	each("the same, 99th percentile", "50 ms; PostgreSQL 100 ms", func(k *kind, f *figures) cell { return within(f.small.percentile(99), k.nearlyAll) })
	each("the same with 100,000 rules, one of them changed, median", "–", func(_ *kind, f *figures) cell { return within(f.large.percentile(50), 0) })
	each(fmt.Sprintf("the same, the slowest of %d pushes", len(all[0].large.took)), "500 ms", func(_ *kind, f *figures) cell {
		return within(f.large.percentile(100), 500*time.Millisecond)
	})
	each("processor time of a push in each process, 1,000 rules and 100,000", "–", func(_ *kind, f *figures) cell {
		return cell{text: rounded(f.small.used) + ", " + rounded(f.large.used)}
	})
	each("the slowest of as many pushes with only one process, 100,000 rules", "500 ms", func(_ *kind, f *figures) cell { return within(f.alone.percentile(100), 500*time.Millisecond) })
	each("the slowest answer of that process during the pushes", "10 ms", func(_ *kind, f *figures) cell { return within(f.alone.account.Longest, 10*time.Millisecond) })
	for _, length := range slices.Sorted(maps.Keys(all[0].cuts.behind)) {
		each(fmt.Sprintf("behind after the network was cut for %v", length), "1 s", func(_ *kind, f *figures) cell { return within(f.cuts.behind[length], time.Second) })
	}
	each("until an edit is in force everywhere when all connections have silently died", "7 s", func(_ *kind, f *figures) cell { return within(f.cuts.unheard, 7*time.Second) })
	each("a decision, compared with the policy in files", "± 5 %", func(_ *kind, f *figures) cell {
		more := 100 * (float64(f.stored)/float64(f.filed) - 1)
		return cell{fmt.Sprintf("%+.1f %% (%v)", more, f.stored), math.Abs(more) > 5}
	})
	each(fmt.Sprintf("of %d edits by two editors during faults, lost", *edits), "0", func(_ *kind, f *figures) cell { return none(f.endured.lost, f.endured.edits) })
	each("the faults", "–", func(_ *kind, f *figures) cell { return cell{text: f.endured.happened()} })
	each("answers during the faults that were wrong, or a 5xx", "0", func(_ *kind, f *figures) cell {
		return none(f.endured.account.Wrong+f.endured.account.Unavailable, f.endured.account.Requests)
	})
	each("behind at most after a fault", "1 s", func(_ *kind, f *figures) cell { return within(f.endured.behind, time.Second) })
	// What follows is in one of them, or in neither.
	empty := cell{text: "–"}
	g := of.guesses
	t.row(fmt.Sprintf("guesses that pass at all processes, with a budget of %d", budget), fmt.Sprintf("at most %d", budget+g.instances),
		empty, cell{fmt.Sprint(g.passed), g.passed > budget+g.instances})
	t.row("what the store adds to an attempt by a client that has failed", "0.3 ms", empty, within(g.failure, 300*time.Microsecond))
	t.row("the same for a client that has not", "0", empty, cell{g.success.String(), g.success > 10*time.Microsecond})
	check, size := within(of.revoked, 100*time.Nanosecond), cell{fmt.Sprintf("%.0f MB", float64(of.revoking)/1e6), of.revoking > 60e6}
	t.row("checking whether a token was revoked, with 1,000,000 entries", "100 ns", check, check)
	t.row("the memory of these entries", "60 MB", size, size)
	t.b.WriteString("\n")
	return t.b.String(), t.missed
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
	case d < 10*time.Microsecond:
		return d.String()
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

// TestTable: what misses its aim is said to.
func TestTable(t *testing.T) {
	fine := func() *figures {
		s := &spread{took: []time.Duration{time.Millisecond}, account: account{Requests: 9, Longest: time.Millisecond}}
		return &figures{
			small: s, large: s, alone: s, cuts: &cuts{behind: map[time.Duration]time.Duration{time.Second: time.Millisecond}}, stored: 100, filed: 100,
			endured: &endured{edits: 9, account: account{Requests: 9}, faults: map[string]int{"cut": 2, "killed": 1}},
		}
	}
	good := &shared{&guessing{20, 30, time.Microsecond, 0}, 90, 50e6}
	if text, missed := figuresTable([]*figures{fine(), fine()}, good, "a day"); missed != 0 || strings.Contains(text, "missed") || !strings.Contains(text, "| 2 cut, 1 killed |") {
		t.Errorf("%d missed\n%s", missed, text)
	}
	bad := fine()
	bad.small, bad.stored = &spread{took: []time.Duration{time.Minute}}, 120
	bad.large, bad.alone = bad.small, &spread{took: bad.small.took, account: account{Longest: time.Second}}
	bad.cuts.unheard = time.Minute
	bad.cuts.behind[time.Second], bad.endured.lost, bad.endured.account.Wrong, bad.endured.behind = time.Minute, 1, 1, time.Minute
	worse := &shared{&guessing{20, 41, time.Second, time.Second}, time.Second, 1e9}
	text, missed := figuresTable([]*figures{fine(), bad}, worse, "a day")
	rows := 0
	for line := range strings.Lines(text) {
		columns := strings.Split(line, " | ")
		if len(columns) < 4 || columns[1] == "aim" {
			continue
		}
		if said, aimed := strings.Contains(line, "**missed:** "), columns[1] != "–"; said != aimed {
			t.Errorf("said %v: %s", said, line)
		} else if said {
			rows++
		}
	}
	if rows < 15 || missed < rows {
		t.Errorf("%d rows, %d missed\n%s", rows, missed, text)
	}
}
