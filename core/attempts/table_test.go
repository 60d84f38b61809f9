package attempts

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"unicode"

	"github.com/sallyport-go/sallyport/core"
)

func TestTableForgetsTheLeastRecentlyUsed(t *testing.T) {
	table := newTable[int, int](shards) // one entry in each shard
	put := func(key int) { table.update(key, func(int, bool) (int, bool) { return key, true }) }
	home := table.shard(0)
	same := 1
	for table.shard(same) != home {
		same++
	}
	put(0)
	put(same)
	if _, ok := table.get(0); ok {
		t.Error("the older of two is still there")
	}
	if v, ok := table.get(same); !ok || v != same {
		t.Error("the newer of two is gone")
	}
	table.update(same, func(int, bool) (int, bool) { return 0, false })
	if _, ok := table.get(same); ok || table.len() != 0 {
		t.Error("what was removed is still there")
	}
}

// Whatever is done, a shard holds what a list of the keys last used would.
func TestShardIsTheKeysLastUsed(t *testing.T) {
	const capacity = 4
	table := newTable[int, int](capacity * shards)
	var keys []int // of one shard
	for key := 0; len(keys) < 3*capacity; key++ {
		if table.shard(key) == table.shard(0) {
			keys = append(keys, key)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	var held []int // keys, the one used last in front
	values := map[int]int{}
	for n := range 20_000 {
		key := keys[random.IntN(len(keys))]
		i := slices.Index(held, key)
		what := random.IntN(5)
		check := func(value int, ok bool) {
			if ok != (i >= 0) || ok && value != values[key] {
				t.Fatalf("step %d: key %d is %d, %v; held are %v, values %v", n, key, value, ok, held, values)
			}
		}
		switch what {
		case 0, 1:
			check(table.get(key))
		case 2, 3, 4:
			table.update(key, func(old int, ok bool) (int, bool) {
				check(old, ok)
				return n, what < 4
			})
		}
		if i >= 0 {
			held = slices.Delete(held, i, i+1)
		}
		if i >= 0 && what < 2 || what == 2 || what == 3 {
			held = slices.Insert(held, 0, key)
			held = held[:min(len(held), capacity)]
		}
		if what == 2 || what == 3 {
			values[key] = n
		}
		if table.len() != len(held) {
			t.Fatalf("step %d: %d entries, want %v", n, table.len(), held)
		}
	}
}

// TestAccountNamesAreNotKept: what is kept depends on a secret, so that nobody
// can tell a name from it.
func TestAccountNamesAreNotKept(t *testing.T) {
	var keys []accountKey
	for range 2 {
		l, err := New()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, l.keyOf("hunter2"))
	}
	if keys[0] == keys[1] {
		t.Error("two limiters keep the same for one name")
	}
}

// peer is a request that has an address and nothing else.
type peer struct {
	core.Request
	addr string
}

func (p peer) RemoteAddr() string          { return p.addr }
func (p peer) Header(string) (string, int) { return "", 0 }
func (p peer) TLS() *tls.ConnectionState   { return nil }
func numbered(n uint32) (addr netip.Addr) {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryIsBounded: 250,000 addresses, or 100,000 with -short, each at an
// account of its own, take no more than the capacity.
func TestMemoryIsBounded(t *testing.T) {
	const capacity, workers = 1 << 14, 8
	each := uint32(31_250)
	if testing.Short() {
		each = 12_500
	}
	l, err := New(WithMaxEntries(capacity))
	if err != nil {
		t.Fatal(err)
	}
	before := heap()
	ctx := context.Background()
	wrong := &core.CredentialError{Reason: core.ReasonWrongSecret}
	var wg sync.WaitGroup
	for w := range uint32(workers) {
		wg.Go(func() {
			for i := range each {
				addr := numbered(1<<24 + w*each + i).String()
				r := peer{addr: addr}
				if err := l.Allow(ctx, r, addr); err != nil {
					t.Errorf("the first attempt of %s: %v", addr, err)
				}
				if i%4 == 0 {
					l.Report(ctx, r, addr, nil)
				} else {
					l.Report(ctx, r, addr, wrong)
				}
			}
		})
	}
	wg.Wait()
	for name, n := range map[string]int{
		"addresses": l.addresses.buckets.len(), "accounts": l.accounts.buckets.len(), "failed pairs": l.tried.len(), "known pairs": l.known.len(),
	} {
		if n < capacity/2 || n > capacity {
			t.Errorf("%d %s are held, want up to %d", n, name, capacity)
		}
	}
	perEntry := float64(heap()-before) / capacity
	t.Logf("%.0f bytes for an address, an account and two pairs", perEntry)
	if perEntry > 2048 {
		t.Errorf("%.0f bytes are held for each of %d entries", perEntry, capacity)
	}
	runtime.KeepAlive(l)
}

func BenchmarkSuccess(b *testing.B) {
	l, err := New()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := peer{addr: "192.0.2.1:80"}
		for pb.Next() {
			if err := l.Allow(context.Background(), r, "alice"); err != nil {
				b.Fatal(err)
			}
			l.Report(context.Background(), r, "alice", nil)
		}
	})
}

func BenchmarkRefusal(b *testing.B) {
	l, err := New()
	if err != nil {
		b.Fatal(err)
	}
	r := peer{addr: "192.0.2.1:80"}
	for range 100 {
		l.Report(context.Background(), r, "alice", &core.CredentialError{Reason: core.ReasonWrongSecret})
	}
	b.ReportAllocs()
	for b.Loop() {
		if l.Allow(context.Background(), r, "alice") == nil {
			b.Fatal("allowed")
		}
	}
}

// A name in another letter case is the same account, whichever character it has: each
// "s" would otherwise double the guesses, by "ſ".
func TestAccountsHaveNoLetterCase(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b string) {
		if l.keyOf(a) != l.keyOf(b) {
			t.Errorf("%q and %q are counted apart", a, b)
		}
	}
	same(" Boss", "boſs\t")
	for r := rune(0); r <= unicode.MaxRune; r++ {
		for _, f := range []func(rune) rune{unicode.ToLower, unicode.ToUpper, unicode.ToTitle, unicode.SimpleFold} {
			if other := f(r); other != r {
				same("a"+string(r), "a"+string(other))
			}
		}
	}
	if l.keyOf("alice") == l.keyOf("alicé") {
		t.Error("two names are one account")
	}
}
