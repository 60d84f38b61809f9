package kept

import (
	"strings"
	"sync"
	"testing"
)

type text struct {
	status int
	text   string
}

func (t text) Size() int { return len(t.text) }

func TestABodyIsRenderedOnce(t *testing.T) {
	var m Map[text, []byte]
	rendered := 0
	render := func(k text) []byte {
		rendered++
		return append(make([]byte, 0, 64), k.text...)
	}
	for range 3 {
		for _, key := range []text{{401, "x"}, {403, "x"}, {401, "y"}} {
			if got := string(Body(&m, key, render)); got != key.text {
				t.Errorf("got %q, want %q", got, key.text)
			}
		}
	}
	if rendered != 3 {
		t.Errorf("rendered %d times, want 3", rendered)
	}
	if n := testing.AllocsPerRun(100, func() { Body(&m, text{401, "x"}, render) }); n != 0 {
		t.Errorf("a kept body costs %v allocations", n)
	}
	if body := Body(&m, text{401, "x"}, render); len(body) != cap(body) {
		t.Errorf("appending to a body writes into it: len %d, cap %d", len(body), cap(body))
	}
}

func TestABoundedNumberIsKept(t *testing.T) {
	var m, long Map[text, []byte]
	render := func(k text) []byte { return []byte(k.text) }
	for i := range 10 * maxValues {
		if got := string(Body(&m, text{i, "m"}, render)); got != "m" {
			t.Fatalf("%d: %q", i, got)
		}
	}
	if n := len(*m.all.Load()); n != maxValues {
		t.Errorf("keeps %d bodies, want %d", n, maxValues)
	}
	key := text{401, strings.Repeat("x", maxText+1)}
	Body(&long, key, render)
	if _, ok := long.Get(key); ok {
		t.Error("a long text is kept")
	}
}

// A body that could not be made is tried again.
func TestNoFailureIsKept(t *testing.T) {
	var m Map[text, []byte]
	calls := 0
	render := func(text) []byte {
		if calls++; calls == 1 {
			return nil
		}
		return []byte("b")
	}
	for i, want := range []string{"", "b", "b"} {
		if got := string(Body(&m, text{401, "x"}, render)); got != want {
			t.Errorf("call %d: %q, want %q", i+1, got, want)
		}
	}
	if calls != 2 {
		t.Errorf("rendered %d times, want 2", calls)
	}
}

func TestMapIsSafeForConcurrentUse(t *testing.T) {
	var m Map[text, []byte]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2 * maxValues {
				if got := Body(&m, text{i, "m"}, func(k text) []byte { return []byte(k.text) }); string(got) != "m" {
					t.Errorf("%d: %s", i, got)
				}
			}
		})
	}
	wg.Wait()
}

func TestTargetsCaches(t *testing.T) {
	for name, want := range map[string]bool{
		"CDN-Cache-Control": true, "x-CACHE-CONTROL": true, "Edge-Control": true, "SURROGATE-CONTROL": true,
		"surrogate-control": true, "X-Accel-Expires": true, "X-ACCEL-EXPIRES": true,
		"": false, "o": false, "es": false, "Cache-Control": false, "-Cache-Control": false, "Expires": false,
		"X-Content-Type-Options": false, "Access-Control-Expose-Headers": false, "X-Cache-Contro1": false, "Control": false,
	} {
		if got := TargetsCaches(name); got != want || TargetsCaches([]byte(name)) != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
