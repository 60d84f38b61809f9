package bench

import (
	"flag"
	"runtime"
	"testing"
	"time"
)

// TestBenchmarksRun runs each benchmark once, cut down as far as it goes.
func TestBenchmarksRun(t *testing.T) {
	set(t, "test.benchtime", "1x")
	set(t, "maxrules", "100")
	set(t, "window", (time.Millisecond).String())
	set(t, "tokens", "2")
	set(t, "strangers", "10")
	for _, bm := range []struct {
		name string
		run  func(*testing.B)
	}{
		{"Decision", BenchmarkDecision},
		{"Shape", BenchmarkShape},
		{"Strangers", BenchmarkStrangers},
		{"Load", BenchmarkLoad},
		{"Reload", BenchmarkReload},
		{"Request", BenchmarkRequest},
		{"Observed", BenchmarkObserved},
	} {
		ran := false
		testing.Benchmark(func(b *testing.B) {
			bm.run(b)
			ran = !b.Failed()
		})
		if !ran {
			t.Errorf("Benchmark%s fails; run it by itself to see why", bm.name)
		}
	}
}

// TestSocketBenchmarksRun does the same for those with processes of their own.
func TestSocketBenchmarksRun(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: it starts a process for each app, and -short is given")
	}
	if runtime.GOOS != "linux" {
		t.Skip("not run: the client uses epoll, which only Linux has")
	}
	set(t, "test.benchtime", "1x")
	set(t, "frameworks", "gin")
	set(t, "slice", (10 * time.Millisecond).String())
	set(t, "athalf", (10 * time.Millisecond).String())
	for name, run := range map[string]func(*testing.B){"Socket": BenchmarkSocket, "SocketHalf": BenchmarkSocketHalf} {
		ran := false
		testing.Benchmark(func(b *testing.B) {
			run(b)
			ran = !b.Failed()
		})
		if !ran {
			t.Errorf("Benchmark%s fails; run it by itself to see why", name)
		}
	}
}

// set gives a flag another value for the test.
func set(t *testing.T, name, value string) {
	t.Helper()
	before := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := flag.Set(name, before); err != nil {
			t.Error(err)
		}
	})
}
