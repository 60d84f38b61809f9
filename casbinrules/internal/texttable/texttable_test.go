package texttable

import (
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TestTextTableFindsWhatWasAdded adds texts below few parents, some of them repeatedly, and
// looks up all of them, and others.
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

// TestTextsOfAnyLength adds texts that are empty, fill a chunk, or are longer than one.
func TestTextsOfAnyLength(t *testing.T) {
	table := New[int](0)
	var texts []string
	add := func(table *Table[int], sizes ...int) {
		for _, size := range sizes {
			text := strings.Repeat(strconv.Itoa(len(texts)), size)[:size]
			texts = append(texts, text)
			if number, isNew := table.Add(int32(len(texts)), text); int(number) != len(texts) || !isNew {
				t.Fatalf("text %d: number %d, new %v", len(texts), number, isNew)
			}
		}
	}
	check := func(when string, table *Table[int]) {
		for i, text := range texts {
			number := int32(i + 1)
			if table.Find(number, text) != number || table.Text(number) != text || table.Find(number, text+"x") != 0 {
				t.Errorf("%s: text %d, of %d bytes, is not found, or another one is", when, number, len(text))
			}
		}
	}
	add(&table, 0, minChunk-1, 0, 1, minChunk, maxChunk-minChunk, minChunk, whole-1, 0, 1, whole, 0, 1, whole+1, 1, 0, 2*maxChunk, 0, 3)
	check("filled", &table)
	moved := table
	add(&moved, 2)
	check("moved", &moved)
	table = moved
	table.Trim()
	check("trimmed", &table)
	for range 3 {
		table = table.Clone()
		add(&table, 0, 2, whole, 1)
		check("cloned", &table)
	}
}

// TestTrimmedTextTable: trimming frees only unused memory.
func TestTrimmedTextTable(t *testing.T) {
	table := New[int](5000)
	for n := range 600 {
		table.Add(1, strconv.Itoa(n))
	}
	before := len(table.slots)
	table.Trim()
	if len(table.slots) >= before {
		t.Errorf("%d places", len(table.slots))
	}
	for n := range 700 {
		if number, isNew := table.Add(1, strconv.Itoa(n)); number != int32(n)+1 || isNew != (n >= 600) {
			t.Fatalf("%d has number %d, new %v", n, number, isNew)
		}
	}
}

// TestClonesAreTablesOfTheirOwn clones a table repeatedly, adds to the clones and changes
// values, and compares all of them with what was put in. The first table is as a load
// leaves it.
func TestClonesAreTablesOfTheirOwn(t *testing.T) {
	for _, first := range []int{0, 1, pageSize - 1, pageSize, 5*pageSize + 7} {
		t.Run(strconv.Itoa(first), func(t *testing.T) { testClones(t, first) })
	}
}

func testClones(t *testing.T, first int) {
	rnd := rand.New(rand.NewPCG(1, 3))
	tables, wanted := []Table[int]{New[int](0)}, []map[string]int{{}}
	for n := range first {
		text := strconv.Itoa(n * 7)
		number, _ := tables[0].Add(1, text)
		*tables[0].Change(number) = n + 1
		wanted[0][text] = n + 1
	}
	tables[0].Trim()
	for round := range 60 {
		table, want := tables[round].Clone(), maps.Clone(wanted[round])
		for range rnd.IntN(200) {
			text, value := strconv.Itoa(rnd.IntN(8000)), rnd.Int()
			number, isNew := table.Add(1, text)
			if _, known := want[text]; known == isNew || table.Find(1, text) != number {
				t.Fatalf("%s: number %d, new %v", text, number, isNew)
			}
			*table.Change(number) = value
			want[text] = value
		}
		tables, wanted = append(tables, table), append(wanted, want)
	}
	for i := range tables {
		if n := tables[i].Numbers(); n != len(wanted[i])+1 {
			t.Fatalf("table %d has %d numbers, want %d", i, n, len(wanted[i])+1)
		}
		for n := range 8000 {
			text := strconv.Itoa(n)
			want, known := wanted[i][text]
			number := tables[i].Find(1, text)
			if hash, ok := tables[i].Probe(1, text); known && !ok || tables[i].FindHashed(hash, 1, text) != number {
				t.Fatalf("table %d has %s: %v, its hash: %v", i, text, known, ok)
			}
			if known != (number != 0) || *tables[i].Of(number) != want || known && tables[i].Text(number) != text {
				t.Fatalf("table %d has %s: %v %d, want %v %d", i, text, number != 0, *tables[i].Of(number), known, want)
			}
		}
	}
}

// TestTextsWithOneHash: among thousands of texts, some share a hash. One of each pair is in
// the table when it is filled, trimmed, or cloned and added to.
func TestTextsWithOneHash(t *testing.T) {
	table := New[int](0)
	seen := map[uint32]string{}
	var pairs [][2]string // of the same hash
	for n := 0; len(pairs) < 6; n++ {
		text := strconv.Itoa(n)
		hash, _ := table.Probe(1, text)
		if other, ok := seen[hash]; ok {
			pairs = append(pairs, [2]string{other, text})
		}
		seen[hash] = text
	}
	check := func(when string, table *Table[int], known int) {
		for i, pair := range pairs {
			for j, text := range pair {
				want := i < known && j == i%2
				hash, ok := table.Probe(1, text)
				if number := table.FindHashed(hash, 1, text); ok != (i < known) || (number != 0) != want || number != table.Find(1, text) || want && table.Text(number) != text {
					t.Errorf("%s: %q, like %q: number %d, want one: %v; its hash %v", when, text, pair[1-j], number, want, ok)
				}
			}
		}
	}
	check("empty", &table, 0)
	for i, pair := range pairs[:3] {
		table.Add(1, pair[i%2])
	}
	check("filled", &table, 3)
	table.Trim()
	check("trimmed", &table, 3)
	clone := table.Clone()
	for i, pair := range pairs {
		clone.Add(1, pair[i%2])
	}
	check("cloned", &clone, len(pairs))
	check("cloned from", &table, 3)
	for _, pair := range pairs {
		for _, text := range pair {
			clone.Add(1, text)
		}
		if first, second := clone.Find(1, pair[0]), clone.Find(1, pair[1]); first == 0 || second == 0 || first == second {
			t.Errorf("%q have the numbers %d and %d", pair, first, second)
		}
	}
}
