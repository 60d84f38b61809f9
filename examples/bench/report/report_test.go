package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden page anew")

// TestPagesOfTheFixture compares the pages made of a small raw output with those
// that were looked at.
func TestPagesOfTheFixture(t *testing.T) {
	files := report(t, filepath.Join("testdata", "raw"))
	for _, name := range []string{"performance.md", "details.md"} {
		t.Run(name, func(t *testing.T) { compare(t, name, files[name]) })
	}
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	golden := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the page is another; look at the difference after go test -update\n%s", got)
	}
}

// TestSameOutputForSameInput: nothing may depend on the order of a map or on
// the clock.
func TestSameOutputForSameInput(t *testing.T) {
	one, two := report(t, filepath.Join("testdata", "raw")), report(t, filepath.Join("testdata", "raw"))
	if len(one) != 6 {
		t.Errorf("%d files", len(one))
	}
	for name := range one {
		if !bytes.Equal(one[name], two[name]) {
			t.Errorf("%s differs from run to run", name)
		}
	}
}

// TestPlotsNameWhatTheyShow: each has its title and its curves in the legend.
func TestPlotsNameWhatTheyShow(t *testing.T) {
	files := report(t, filepath.Join("testdata", "raw"))
	for name, texts := range map[string][]string{
		"decisions-rbac.svg":  {"Roles and keyMatch2", ">sallyport<", ">casbin<", ">1,000,000<", "µs<"},
		"decisions-exact.svg": {"Exact match", ">sallyport<"},
		"shapes.svg":          {">one-role<", ">stars<"},
		"requests.svg":        {">gin, sallyport<", ">gin, gin-jwt+casbin<", ">403<"},
	} {
		for _, text := range texts {
			if !strings.Contains(string(files[name]), text) {
				t.Errorf("%s does not say %q", name, text)
			}
		}
	}
}

// TestNothingMeasured: a report of a part of the benchmarks says so.
func TestNothingMeasured(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, t.TempDir()); err == nil || !strings.Contains(err.Error(), "make bench") {
		t.Errorf("no raw output: %v", err)
	}
	raw := "goos: linux\nBenchmarkOther-2 \t 100 \t 5 ns/op\n"
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	page := string(report(t, dir)["details.md"])
	if got := strings.Count(page, "| not measured |"); got != len(targets) {
		t.Errorf("%d targets are not measured, want %d", got, len(targets))
	}
	if strings.Contains(page, "| reached |") {
		t.Error("something is reached that was not measured")
	}
}

// TestVerdicts holds each target to its limits.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		target    int
		want      string
	}{
		{"within", "BenchmarkLoad/engine=sallyport/rules=100000-2 1 300000000 ns/op 60000000 live-B", 3, "reached"},
		{"too slow", "BenchmarkLoad/engine=sallyport/rules=100000-2 1 300000001 ns/op 60000000 live-B", 3, "**missed**"},
		{"too large", "BenchmarkLoad/engine=sallyport/rules=100000-2 1 300000000 ns/op 60000001 live-B", 3, "**missed**"},
		{"stalled", "BenchmarkReload/engine=sallyport/rules=10000-2 1 1000000000 ns/op 10000000 decisions/s 10000001 stall-ns", 4, "**missed**"},
		{"fast enough", "BenchmarkReload/engine=sallyport/rules=10000-2 1 1000000000 ns/op 10000000 decisions/s 10000000 stall-ns", 4, "reached"},
		{"no growth known", "BenchmarkDecision/model=exact/engine=sallyport/rules=1000/case=allow-2 1 50 ns/op 0 allocs/op", 1, "**missed**"},
		{"flat", "BenchmarkDecision/model=exact/engine=sallyport/rules=1000/case=allow-2 1 46 ns/op 0 allocs/op\n" +
			"BenchmarkDecision/model=exact/engine=sallyport/rules=1000000/case=allow-2 1 69 ns/op 0 allocs/op", 1, "reached"},
		{"allocates", "BenchmarkDecision/model=exact/engine=sallyport/rules=1000/case=allow-2 1 46 ns/op 0 allocs/op\n" +
			"BenchmarkDecision/model=exact/engine=sallyport/rules=1000000/case=allow-2 1 46 ns/op 1 allocs/op", 1, "**missed**"},
		{"over bare", "BenchmarkRequest/framework=gin/guard=bare/case=bare-2 1 100 ns/op 1 allocs/op\n" +
			"BenchmarkRequest/framework=gin/guard=sallyport/case=missing-2 1 600 ns/op 3 allocs/op", 8, "reached"},
		{"one framework too slow", "BenchmarkRequest/framework=gin/guard=bare/case=bare-2 1 100 ns/op 1 allocs/op\n" +
			"BenchmarkRequest/framework=gin/guard=sallyport/case=missing-2 1 600 ns/op 3 allocs/op\n" +
			"BenchmarkRequest/framework=chi/guard=bare/case=bare-2 1 100 ns/op 1 allocs/op\n" +
			"BenchmarkRequest/framework=chi/guard=sallyport/case=missing-2 1 601 ns/op 3 allocs/op", 8, "**missed**"},
		{"slower, on Fiber", "BenchmarkRequest/framework=fiber3/guard=bare/case=bare-2 1 100 ns/op 1 allocs/op\n" +
			"BenchmarkRequest/framework=fiber3/guard=sallyport/case=cached-2 1 1600 ns/op 3 allocs/op", 6, "reached"},
		{"as slow, elsewhere", "BenchmarkRequest/framework=gin/guard=bare/case=bare-2 1 100 ns/op 1 allocs/op\n" +
			"BenchmarkRequest/framework=gin/guard=sallyport/case=cached-2 1 1600 ns/op 3 allocs/op", 6, "**missed**"},
		{"a verdict", "BenchmarkVerdict/allowed-2 1 50 ns/op 50 cpu-ns/op 0 allocs/op\nBenchmarkVerdict/forbidden-2 1 99 ns/op 100 cpu-ns/op 0 allocs/op", 12, "reached"},
		{"a slow verdict", "BenchmarkVerdict/allowed-2 1 50 ns/op 50 cpu-ns/op 0 allocs/op\nBenchmarkVerdict/forbidden-2 1 99 ns/op 101 cpu-ns/op 0 allocs/op", 12, "**missed**"},
		{"a verdict that allocates", "BenchmarkVerdict/allowed-2 1 50 ns/op 50 cpu-ns/op 1 allocs/op", 12, "**missed**"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(c.raw+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := readResults(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := targets[c.target].measure(r).verdict(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// report makes all files of a report.
func report(t *testing.T, raw string) map[string][]byte {
	t.Helper()
	folder, out := t.TempDir(), t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(raw)); err != nil {
		t.Fatal(err)
	}
	if err := run(folder, out); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, pattern := range []string{filepath.Join(out, "*.md"), filepath.Join(folder, "*.md"), filepath.Join(folder, "performance", "*.svg")} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// TestPartsOfARequest: what a gate or a seal calls is not all theirs.
func TestPartsOfARequest(t *testing.T) {
	const gate = own + "echoauth.mount.func1.1"
	for _, tt := range []struct {
		want  string
		stack []string
	}{
		{"framework and server", []string{"net/http.Header.Clone", "net/http.(*response).WriteHeader", own + "core/adapter.(*Seal).WriteHeader", gate}},
		{"framework and server", []string{"net/http.(*chunkWriter).writeHeader", "net/http.(*chunkWriter).Write", own + "core/adapter.(*Seal).Write", gate}},
		{"framework and server", []string{"github.com/labstack/echo/v4.(*context).NoContent", own + "examples/bench/stacks.echoApp.func1", own + "echoauth.pass", gate}},
		{"framework and server", []string{own + "examples/bench/stacks.init.func1", own + "core/httpauth.mount.func1"}},
		{"memory: allocation and garbage collection", []string{"runtime.mallocgc", "net/http.(*response).WriteHeader", own + "core/adapter.(*Seal).WriteHeader", gate}},
		{"kernel", []string{"syscall.Syscall", "net/http.(*response).Flush", gate}},
		{"event", []string{own + "examples/bench/stacks.(*World).guard.func1", own + "core.observeOne", gate}},
		{"route", []string{"github.com/labstack/echo/v4.(*Router).Find", own + "echoauth.(*view).finds", gate}},
		{"route", []string{"strings.Cut", own + "echoauth/echov5.(*view).matchesRoute", own + "echoauth/echov5.(*view).Route", gate}},
		{"context and seal", []string{own + "core/adapter.(*Seal).WriteHeader", gate}},
		{"gates", []string{"sync.(*Pool).Get", gate}},
	} {
		if got := parts[partOf(tt.stack)].name; got != tt.want {
			t.Errorf("%v belongs to %q, want %q", tt.stack, got, tt.want)
		}
	}
}
