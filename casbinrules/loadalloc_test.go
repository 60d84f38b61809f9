package casbinrules

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// spellings are ways to write the same lines.
var spellings = map[string]func(line string) string{
	"plain":            func(line string) string { return line },
	"quoted":           func(line string) string { return `"` + strings.ReplaceAll(line, ", ", `", "`) + `"` },
	"carriage returns": func(line string) string { return line + "\r" },
	"comments between": func(line string) string { return "# p, a, comment\n" + line },
	"accents":          func(line string) string { return strings.ReplaceAll(line, "group", "gruppé") },
	"tabs":             func(line string) string { return strings.ReplaceAll(line, ", ", ",\t") },
	"indented":         func(line string) string { return "  " + line },
	"one quoted": func(line string) string {
		first, rest, _ := strings.Cut(line, ", ")
		second, rest, _ := strings.Cut(rest, ", ")
		return first + `, "` + second + `", ` + rest
	},
	"doubled quotes": func(line string) string {
		first, rest, _ := strings.Cut(line, ", ")
		second, rest, _ := strings.Cut(rest, ", ")
		return first + `, "` + second + `""", ` + rest
	},
}

// TestLoadsAllocateInPieces is the budget of a load: rules are cut from larger blocks, so
// that few lines cost an allocation, however they are written.
func TestLoadsAllocateInPieces(t *testing.T) {
	const rules, budget = 10_000, 8000
	for _, l := range loads {
		for spelling, spell := range spellings {
			if testing.Short() && spelling != "plain" {
				continue
			}
			var b strings.Builder
			for line := range strings.Lines(l.policy(rules)) {
				b.WriteString(spell(strings.TrimSuffix(line, "\n")) + "\n")
			}
			fsys := files("policy.csv", b.String())
			n := testing.AllocsPerRun(2, func() {
				if _, err := OpenFS(fsys, RBAC(), []string{"policy.csv"}, WithLogger(slog.New(slog.DiscardHandler))); err != nil {
					t.Fatal(err)
				}
			})
			t.Logf("%s, %s: %v allocations", l.name, spelling, n)
			if n > budget {
				t.Errorf("%s, %s: %v allocations for %d rules and as many role links, want at most %d", l.name, spelling, n, rules, budget)
			}
		}
	}
}

// TestPoliciesAreLittleToCollect is the budget of what the garbage collector has to look
// at in each cycle for a policy in force, also for one with a warning for each rule.
func TestPoliciesAreLittleToCollect(t *testing.T) {
	const rules, perLine, perWarning = 10_000, 20, 250 // bytes with pointers
	held := func() (scanned, objects int) {
		liveHeap()
		m := []metrics.Sample{{Name: "/gc/scan/heap:bytes"}, {Name: "/gc/heap/objects:objects"}}
		metrics.Read(m)
		return int(m[0].Value.Uint64()), int(m[1].Value.Uint64())
	}
	for name, lines := range map[string]string{"paths": loads[0].policy(rules), "groups": loads[1].policy(rules), "findings": large(rules)} {
		fsys := files("policy.csv", lines)
		scannedBefore, objectsBefore := held()
		a, err := OpenFS(fsys, RBAC(), []string{"policy.csv"}, WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		scanned, objects := held()
		scanned, objects = scanned-scannedBefore, objects-objectsBefore
		most := perLine*2*rules + perWarning*len(a.Warnings())
		if scanned > most || objects > rules/10 {
			t.Errorf("%s: %d bytes with pointers in %d objects, want at most %d in %d", name, scanned, objects, most, rules/10)
		}
		runtime.KeepAlive(a)
	}
}

// TestReloadsAllocateForChanges is the budget of a reload in which one rule of many has
// changed, and has a finding.
func TestReloadsAllocateForChanges(t *testing.T) {
	const rules, perLine = 10_000, 120 // bytes
	text := loads[0].policy(rules)
	fsys := files("policy.csv", text)
	a, err := OpenFS(fsys, RBAC(), []string{"policy.csv"}, WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	for i := range 2 {
		fsys["policy.csv"].Data = fmt.Appendf(nil, "p, edition%d, /x/*, GET\n%s", i, text)
		runtime.ReadMemStats(&before)
		if err := a.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := int(after.TotalAlloc-before.TotalAlloc) / (2 * rules); got > perLine {
		t.Errorf("%d bytes for each line, want at most %d", got, perLine)
	}
}

// TestRowsAllocateInPieces is the same for rows of an adapter, not counting Casbin's own
// model, into which adapters load.
func TestRowsAllocateInPieces(t *testing.T) {
	const rules = 10_000
	s := model.ReadSchema("model.conf", RBAC().Text(), &model.Settings{Casbin: casbinv2.Casbin})
	var rows [][]string
	for line := range strings.Lines(loads[1].policy(rules)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), ", "))
	}
	n := testing.AllocsPerRun(2, func() {
		policy.NewReader(s, &model.Settings{Casbin: casbinv2.Casbin}).ReadRows("adapter", rows)
	})
	if n > rules/10 {
		t.Errorf("%v allocations for %d rows, want at most %d", n, len(rows), rules/10)
	}
}
