package cache

import (
	"crypto/sha256"
	"strconv"
	"sync"
	"testing"
	"time"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func key(s string) Key { return sha256.Sum256([]byte(s)) }

func TestEntriesEndWithTheirTime(t *testing.T) {
	c := New[string](16)
	c.Put(key("a"), "one", start.Add(time.Minute), start)
	if v, ok := c.Get(key("a"), start.Add(time.Minute-1)); !ok || v != "one" {
		t.Errorf("just before its end: %q, %v", v, ok)
	}
	if v, ok := c.Get(key("a"), start.Add(time.Minute)); ok || v != "" {
		t.Errorf("at its end: %q, %v", v, ok)
	}
	c.Put(key("b"), "late", start, start)
	if _, ok := c.Get(key("b"), start.Add(-time.Second)); ok {
		t.Error("an entry that had ended was kept")
	}
}

func TestPeekLeavesTheTimeToTheCaller(t *testing.T) {
	c := New[string](16)
	if _, _, ok := c.Peek(key("a")); ok {
		t.Error("found what was never put in")
	}
	c.Put(key("a"), "one", start.Add(time.Minute), start)
	if v, expires, ok := c.Peek(key("a")); !ok || v != "one" || !expires.Equal(start.Add(time.Minute)) {
		t.Errorf("got %q until %v, %v", v, expires, ok)
	}
}

func TestAKeyHasOneEntry(t *testing.T) {
	c := New[int](4) // one set
	c.Put(key("x"), 0, start.Add(time.Minute), start)
	c.Put(key("a"), 1, start.Add(time.Hour), start)
	c.Put(key("a"), 2, start.Add(time.Hour), start.Add(time.Minute)) // where x was
	if v, ok := c.Get(key("a"), start); !ok || v != 2 {
		t.Errorf("got %d, %v", v, ok)
	}
	if c.Len() != 1 {
		t.Errorf("%d entries, with the older one of the key", c.Len())
	}
}

func TestTheOneThatEndsFirstMakesRoom(t *testing.T) {
	c := New[int](4)
	for n := 1; n <= 4; n++ {
		c.Put(key(strconv.Itoa(n)), n, start.Add(time.Duration(n)*time.Minute), start)
	}
	c.Put(key("5"), 5, start.Add(time.Hour), start)
	if _, ok := c.Get(key("1"), start); ok {
		t.Error("the first to end is still there")
	}
	for n := 2; n <= 5; n++ {
		if v, ok := c.Get(key(strconv.Itoa(n)), start); !ok || v != n {
			t.Errorf("%d: got %d, %v", n, v, ok)
		}
	}
	c.Clear()
	if _, ok := c.Get(key("5"), start); ok {
		t.Error("cleared and still there")
	}
}

func TestSizeBounds(t *testing.T) {
	c := New[int](1000)
	if got := len(c.sets) * ways; got != 1024 {
		t.Errorf("room for %d, want 1024", got)
	}
	for n := range 10_000 {
		c.Put(key(strconv.Itoa(n)), n, start.Add(time.Hour), start)
	}
	kept := 0
	for n := range 10_000 {
		if v, ok := c.Get(key(strconv.Itoa(n)), start); ok {
			kept++
			if v != n {
				t.Fatalf("key %d has the value of %d", n, v)
			}
		}
	}
	if kept > 1024 || kept < 900 {
		t.Errorf("%d of 1024 places used", kept)
	}
}

func TestConcurrentUse(t *testing.T) {
	c := New[int](64)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range 5_000 {
				k := key(strconv.Itoa(n % 100))
				c.Put(k, n%100, start.Add(time.Hour), start)
				if v, ok := c.Get(k, start); ok && v != n%100 {
					t.Errorf("key %d has the value %d", n%100, v)
				}
			}
		})
	}
	all.Wait()
}

func TestGetAllocatesNothing(t *testing.T) {
	c := New[string](16)
	c.Put(key("a"), "one", start.Add(time.Minute), start)
	k := key("a")
	if n := testing.AllocsPerRun(100, func() { c.Get(k, start) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a full cache takes for keys that it does not hold, each of which then
// goes in, and for keys that it holds.
func BenchmarkCache(b *testing.B) {
	const size = 4096
	keys := make([]Key, 16*size)
	for i := range keys {
		keys[i] = key(strconv.Itoa(i))
	}
	fill := func(c *Cache[*int]) {
		for i := range keys {
			c.Put(keys[i], new(int), start.Add(time.Hour+time.Duration(i)*time.Second), start)
		}
	}
	b.Run("new", func(b *testing.B) {
		c := New[*int](size)
		fill(c)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			k := &keys[i%len(keys)]
			if _, ok := c.Get(*k, start); ok {
				continue
			}
			c.Put(*k, nil, start.Add(24*time.Hour+time.Duration(i)*time.Second), start)
		}
	})
	b.Run("known", func(b *testing.B) {
		c := New[*int](size)
		fill(c)
		var held []Key
		for _, k := range keys {
			if _, ok := c.Get(k, start); ok {
				held = append(held, k)
			}
		}
		for i := 0; b.Loop(); i++ {
			if _, ok := c.Get(held[i*7%len(held)], start); !ok {
				b.Fatal("forgotten")
			}
		}
	})
}

// Entries are counted whatever becomes of them, also from many sides at once.
func TestEntriesAreCounted(t *testing.T) {
	t.Parallel()
	c := New[int](64)
	now := time.Now()
	var done sync.WaitGroup
	for w := range 4 {
		done.Go(func() {
			for i := range 5000 {
				k := key(strconv.Itoa((i + w) % 200))
				c.Put(k, i, now.Add(time.Duration(i%3)*time.Second), now)
				if i == 2500 {
					c.Clear()
				}
			}
		})
	}
	done.Wait()
	held := 0
	for i := range c.sets {
		for j := range c.sets[i] {
			if c.sets[i][j].Load() != nil {
				held++
			}
		}
	}
	if held == 0 || c.Len() != held {
		t.Errorf("%d entries are counted, and there are %d", c.Len(), held)
	}
}
