package casbinrules

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// TestTextTableFindsWhatWasAdded adds texts below few parents, some of them
// often, and looks all of them up, and others.
func TestTextTableFindsWhatWasAdded(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	table := texttable.New[int](0)
	type key struct {
		text   string
		parent int32
	}
	known := map[key]int32{}
	for range 20_000 {
		if rnd.IntN(10) == 0 {
			table.Reserve()
			continue
		}
		k := key{strconv.Itoa(rnd.IntN(5000)), rnd.Int32N(3)}
		number, isNew := table.Add(k.parent, k.text)
		if before := known[k]; isNew != (before == 0) || !isNew && number != before || number <= 0 {
			t.Fatalf("%+v: number %d, new %v; it had %d", k, number, isNew, before)
		}
		known[k] = number
	}
	for parent := range int32(5) {
		for n := range 6000 {
			k := key{strconv.Itoa(n), parent}
			if got := table.Find(k.parent, k.text); got != known[k] {
				t.Fatalf("%+v: number %d, want %d", k, got, known[k])
			}
		}
	}
}

// TestTrimmedTextTable: what is given back was nothing's.
func TestTrimmedTextTable(t *testing.T) {
	table := texttable.New[int](5000)
	for n := range 600 {
		table.Add(1, strconv.Itoa(n))
	}
	before := len(table.Slots)
	table.Trim()
	if len(table.Slots) >= before || cap(table.Entries) > 1000 {
		t.Errorf("%d places, room for %d", len(table.Slots), cap(table.Entries))
	}
	for n := range 700 {
		if number, isNew := table.Add(1, strconv.Itoa(n)); number != int32(n)+1 || isNew != (n >= 600) {
			t.Fatalf("%d has number %d, new %v", n, number, isNew)
		}
	}
}

func TestNamesOfRoles(t *testing.T) {
	modelValue := strings.Replace(RBACWithTenants().Text(), "g = _, _, _", "g = _, _, _\ng2 = _, _, _", 1)
	p := policy.NewReader(model.ReadSchema("model.conf", modelValue, &model.Settings{}), &model.Settings{})
	p.Read("policy.csv", []byte("p, p1, acme, /a, GET\ng, ann, editor, acme\ng2, /a, files, acme\n"))
	n := policy.TextsOf(p.Rules)
	for _, name := range []string{"editor", policy.Anonymous} {
		if !n.IsRole(n.Known(name)) {
			t.Errorf("%s is no role", name)
		}
	}
	for _, name := range []string{"ann", "p1", "files", "acme", "", engine.Unmatchable} {
		if n.IsRole(n.Known(name)) {
			t.Errorf("%q is a role", name)
		}
	}
	if n.Role("ed", "itor") != n.Known("editor") || n.Role("", "editor") != n.Known("editor") {
		t.Error("a prefixed role is not found")
	}
}
