package digest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func hex8(n int) string { return fmt.Sprintf("%08x", n) }

// idAt returns a nonce issued at a time.
func idAt(issued int64) nonceID {
	var id nonceID
	binary.BigEndian.PutUint64(id[:8], uint64(issued))
	return id
}

func TestWindow(t *testing.T) {
	type step struct {
		count uint32
		want  usability
	}
	for name, steps := range map[string][]step{
		"D13 in order":                 {{1, usable}, {2, usable}, {3, usable}},
		"D13 the same again":           {{1, usable}, {1, replayed}, {2, usable}, {1, replayed}, {2, replayed}},
		"D13 out of order":             {{3, usable}, {1, usable}, {2, usable}, {1, replayed}, {3, replayed}},
		"the first is not 1":           {{7, usable}, {7, replayed}, {1, usable}},
		"D13 the end of the window":    {{1, usable}, {257, usable}, {1, stale}, {2, usable}, {2, replayed}},
		"D13 beyond the window":        {{1000, usable}, {744, stale}, {745, usable}, {745, replayed}},
		"D13 a leap keeps what it can": {{1, usable}, {2, usable}, {250, usable}, {2, replayed}, {3, usable}},
		"a leap over the window":       {{5, usable}, {5 + 256*3, usable}, {5 + 256*3, replayed}, {5 + 256*2, stale}, {6 + 256*2, usable}},
		"the highest of all":           {{0xffffffff, usable}, {0xffffffff, replayed}, {0xfffffffe, usable}, {0xffffff00, usable}, {1, stale}},
		"up to the highest of all":     {{0xfffffff0, usable}, {0xffffffff, usable}, {0xfffffff1, usable}, {0xfffffff0, replayed}},
	} {
		t.Run(name, func(t *testing.T) {
			u := new(usage)
			for i, s := range steps {
				if got := u.use(s.count); got != s.want {
					t.Errorf("step %d, count %d: %d, want %d", i, s.count, got, s.want)
				}
			}
		})
	}
}

// TestWindowAgainstASet compares with a set that forgets nothing: no count passes twice,
// and none within the window is refused the first time.
func TestWindowAgainstASet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		u, seen, highest := new(usage), map[uint32]bool{}, uint32(0)
		for range 2000 {
			count := max(1, highest+uint32(r.IntN(40))) - uint32(r.IntN(int(min(highest, 400))+1))
			want := usable
			switch {
			case count+window <= highest:
				want = stale
			case seen[count]:
				want = replayed
			}
			if got := u.use(max(1, count)); count > 0 && got != want {
				t.Fatalf("count %d after %d: %d, want %d", count, highest, got, want)
			}
			seen[max(1, count)], highest = true, max(highest, count)
		}
	}
}

// TestFullTableFailsClosed: the oldest nonce in use becomes stale, and with it all of its
// age, used or not. None is accepted twice.
func TestFullTableFailsClosed(t *testing.T) {
	c := newCounts(3, time.Hour, 0)
	var ids []nonceID
	for range 6 {
		ids = append(ids, idAt(c.issue(100)))
	}
	for _, i := range []int{1, 2, 3, 4} {
		if got := c.use(ids[i], 1, 200); got != usable {
			t.Fatalf("nonce %d: %d", i, got)
		}
	}
	for i, want := range []usability{stale, stale, replayed, replayed, replayed, usable} {
		if got := c.use(ids[i], 1, 200); got != want {
			t.Errorf("nonce %d: %d, want %d", i, got, want)
		}
	}
	if len(c.used) != 3 {
		t.Errorf("%d nonces are kept", len(c.used))
	}
	if got := c.use(idAt(c.issue(100)), 1, 200); got != usable {
		t.Errorf("a new nonce: %d", got)
	}
}

func TestExpiredNoncesAreForgotten(t *testing.T) {
	c := newCounts(1000, time.Second, 0)
	for range 500 {
		c.use(idAt(c.issue(10)), 1, 20)
	}
	late := int64(20 + 2*time.Second)
	if got := c.use(idAt(c.issue(late)), 1, late); got != usable || len(c.used) != 1 {
		t.Errorf("%d; %d nonces are kept", got, len(c.used))
	}
	if c.first != c.last || c.first.next != nil {
		t.Error("the list holds more than the table")
	}
	if got := c.use(idAt(10), 1, 20); got != stale {
		t.Errorf("a forgotten nonce, when the clock is set back: %d", got)
	}
}

// Nonces without a valid response take no memory.
func TestUnusedNoncesTakeNoMemory(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob"))
	for range 100 {
		m := answers(t, a, SHA256)
		_, err := a.Authenticate(t.Context(), get(m.sign(t, SHA256, "bob", "wrong", "GET").String()))
		reason(t, err)
	}
	if n := len(a.counts.used); n != 0 {
		t.Errorf("%d nonces are kept", n)
	}
}
