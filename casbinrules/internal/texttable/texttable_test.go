package texttable

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestTextTableFindsWhatWasAdded adds texts below few parents, some of them
// often, and looks all of them up, and others.
func TestTextTableFindsWhatWasAdded(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	table := New[int](0)
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
	table := New[int](5000)
	for n := range 600 {
		table.Add(1, strconv.Itoa(n))
	}
	before := len(table.slots)
	table.Trim()
	if len(table.slots) >= before || cap(table.Entries) > 1000 {
		t.Errorf("%d places, room for %d", len(table.slots), cap(table.Entries))
	}
	for n := range 700 {
		if number, isNew := table.Add(1, strconv.Itoa(n)); number != int32(n)+1 || isNew != (n >= 600) {
			t.Fatalf("%d has number %d, new %v", n, number, isNew)
		}
	}
}
