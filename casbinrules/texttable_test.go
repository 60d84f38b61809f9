package casbinrules

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TestTextTableFindsWhatWasAdded adds texts below few parents, some of them
// often, and looks all of them up, and others.
func TestTextTableFindsWhatWasAdded(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	table := newTextTable[int](0)
	type key struct {
		text   string
		parent int32
	}
	known := map[key]int32{}
	for range 20_000 {
		if rnd.IntN(10) == 0 {
			table.reserve()
			continue
		}
		k := key{strconv.Itoa(rnd.IntN(5000)), rnd.Int32N(3)}
		number, isNew := table.add(k.parent, k.text)
		if before := known[k]; isNew != (before == 0) || !isNew && number != before || number <= 0 {
			t.Fatalf("%+v: number %d, new %v; it had %d", k, number, isNew, before)
		}
		known[k] = number
	}
	for parent := range int32(5) {
		for n := range 6000 {
			k := key{strconv.Itoa(n), parent}
			if got := table.find(k.parent, k.text); got != known[k] {
				t.Fatalf("%+v: number %d, want %d", k, got, known[k])
			}
		}
	}
}

// TestTrimmedTextTable: what is given back was nothing's.
func TestTrimmedTextTable(t *testing.T) {
	table := newTextTable[int](5000)
	for n := range 600 {
		table.add(1, strconv.Itoa(n))
	}
	before := len(table.slots)
	table.trim()
	if len(table.slots) >= before || cap(table.entries) > 1000 {
		t.Errorf("%d places, room for %d", len(table.slots), cap(table.entries))
	}
	for n := range 700 {
		if number, isNew := table.add(1, strconv.Itoa(n)); number != int32(n)+1 || isNew != (n >= 600) {
			t.Fatalf("%d has number %d, new %v", n, number, isNew)
		}
	}
}

func TestNamesOfRoles(t *testing.T) {
	model := strings.Replace(RBACWithTenants().Text(), "g = _, _, _", "g = _, _, _\ng2 = _, _, _", 1)
	p := newPolicyReader(readSchema("model.conf", model, &settings{}), &settings{})
	p.read("policy.csv", []byte("p, p1, acme, /a, GET\ng, ann, editor, acme\ng2, /a, files, acme\n"))
	n := textsOf(p.rules)
	for _, name := range []string{"editor", anonymous} {
		if !n.isRole(n.known(name)) {
			t.Errorf("%s is no role", name)
		}
	}
	for _, name := range []string{"ann", "p1", "files", "acme", "", nobody} {
		if n.isRole(n.known(name)) {
			t.Errorf("%q is a role", name)
		}
	}
	if n.role("ed", "itor") != n.known("editor") || n.role("", "editor") != n.known("editor") {
		t.Error("a prefixed role is not found")
	}
}
