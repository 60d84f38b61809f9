package decisionlog_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// serve sends one request through a guard.
func serve(t testing.TB, g *core.Guard, user string) {
	t.Helper()
	gate := httpauth.Authorize(g)
	mux := http.NewServeMux()
	mux.Handle("GET /reports/{id}", gate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	r := httptest.NewRequest("GET", "/reports/7", nil)
	r.Header.Set("Authorization", "Name "+user)
	mux.ServeHTTP(httptest.NewRecorder(), r)
}

func newKey(t testing.TB) *decisionlog.Key {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	k, err := decisionlog.SigningKey(private)
	must(t, err)
	return k
}

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// files returns the files of a log.
func files(t testing.TB, name string) []string {
	t.Helper()
	all, err := decisionlog.Files(name)
	must(t, err)
	return all
}

// read returns the content of all files.
func read(t testing.TB, names []string) []byte {
	t.Helper()
	var all []byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		must(t, err)
		all = append(all, text...)
	}
	return all
}

// TestRotation: by size and age, with a limited number of files, and one hash chain
// through all.
func TestRotation(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	c := &clock{t: time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC)}
	k := newKey(t)
	l, err := decisionlog.Open(name, decisionlog.WithChainKey(k), decisionlog.WithClock(c.now),
		decisionlog.WithMaxFileSize(4096), decisionlog.WithMaxFileAge(time.Hour), decisionlog.WithMaxFiles(3))
	must(t, err)
	e := eventsOf(t, "/reports/7", "bob")[0]
	write := func(n int) {
		for range n {
			l.Observe(t.Context(), e)
		}
		must(t, l.Flush(t.Context()))
	}
	write(1)
	if n := len(files(t, name)); n != 1 {
		t.Fatalf("%d files at the beginning", n)
	}
	c.add(time.Hour) // age
	write(1)
	if got := files(t, name); len(got) != 2 || filepath.Base(got[0]) != "decisions-20261129T020203.000Z.jsonl" {
		t.Fatalf("files: %v", got)
	}
	write(20) // by size, within the same second: a number
	if got := files(t, name); len(got) != 3 || !strings.HasSuffix(got[1], "Z-001.jsonl") {
		t.Fatalf("files: %v", got)
	}
	whole, err := decisionlog.Verify(files(t, name), decisionlog.WithVerificationKeys(k))
	must(t, err)
	if len(whole.Findings) > 0 || whole.First != 1 || whole.Signed < whole.Last-1 {
		t.Errorf("verification: %+v", whole)
	}
	for range 4 {
		write(20)
	}
	must(t, l.Close())
	kept := files(t, name)
	if len(kept) != 4 {
		t.Fatalf("files: %v", kept)
	}
	v, err := decisionlog.Verify(kept, decisionlog.WithVerificationKeys(k))
	must(t, err)
	if len(v.Findings) > 0 || v.First == 1 || v.Signed != v.Last-1 {
		t.Errorf("verification: %+v", v)
	}
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	older, err := decisionlog.Verify(kept[:2], decisionlog.WithVerificationKeys(k), decisionlog.WithoutEnd())
	must(t, err)
	if len(older.Findings) > 0 {
		t.Errorf("the older files alone: %v", older.Findings)
	}
}

// TestRotationWithAClockSetBack: renamed files stay in the order in which they were
// written, so the oldest are removed and the next run continues after the newest.
func TestRotationWithAClockSetBack(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	c := &clock{t: time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC)}
	e := eventsOf(t, "/reports/7", "bob")[0]
	run := func(size int64) {
		t.Helper()
		l, err := decisionlog.Open(name, decisionlog.WithHashChain(), decisionlog.WithClock(c.now),
			decisionlog.WithMaxFileSize(size), decisionlog.WithMaxFiles(1003))
		must(t, err)
		for range 20 { // more than the smallest file may have
			l.Observe(t.Context(), e)
		}
		must(t, l.Flush(t.Context()))
		must(t, l.Close())
	}
	run(1 << 20)
	run(4096) // renames existing files
	stem := strings.TrimSuffix(name, ".jsonl") + "-20261129T010203.000Z"
	must(t, os.Rename(stem+".jsonl", stem+"-998.jsonl"))
	for range 4 {
		c.add(-time.Hour)
		run(4096)
	}
	all := files(t, name)
	if len(all) != 6 || all[1] != stem+"-999.jsonl" || all[2] != stem+"-1000.jsonl" {
		t.Fatalf("files: %v", all)
	}
	must(t, os.Remove(name)) // as after a kill between renaming and opening
	run(1 << 20)
	v, err := decisionlog.Verify(files(t, name))
	must(t, err)
	// Lines of the removed file are missing; none is repeated or out of order.
	for _, f := range v.Findings {
		if f.Code == decisionlog.FindingOrder || f.Code == decisionlog.FindingChanged {
			t.Errorf("verification: %v", f)
		}
	}
	if at := parsed(t, read(t, []string{name}))[0].Seq; at != parsed(t, read(t, []string{all[4]}))[0].Seq+uint64(len(parsed(t, read(t, []string{all[4]})))) {
		t.Errorf("the next run begins with number %d", at)
	}
	c.add(24 * time.Hour)
	run(4096)
	if all := files(t, name); all[len(all)-2] != strings.TrimSuffix(name, ".jsonl")+"-20261129T210203.000Z.jsonl" {
		t.Errorf("once the clock is right: %v", all)
	}
}

// TestLastGoodFileFromTheFuture: a file begun by a clock that was far ahead is rotated, and
// one that was a little ahead is not.
func TestLastGoodFileFromTheFuture(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	c := &clock{t: time.Date(2036, 11, 29, 1, 2, 3, 0, time.UTC)}
	for _, step := range []struct {
		by    time.Duration
		files int
	}{{0, 1}, {-10 * time.Minute, 1}, {-10 * 365 * 24 * time.Hour, 2}} {
		c.add(step.by)
		l, err := decisionlog.Open(name, decisionlog.WithClock(c.now), decisionlog.WithMaxFileAge(time.Hour))
		must(t, err)
		l.Observe(t.Context(), eventsOf(t, "/reports/7", "bob")[0])
		must(t, l.Flush(t.Context()))
		must(t, l.Close())
		if n := len(files(t, name)); n != step.files {
			t.Errorf("%d files after a step of %v", n, step.by)
		}
	}
}

// TestReopen: another program renames the file.
func TestReopen(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "decisions.log")
	l, err := decisionlog.Open(name, decisionlog.WithHashChain())
	must(t, err)
	e := eventsOf(t, "/reports/7", "bob")[0]
	l.Observe(t.Context(), e)
	must(t, os.Rename(name, name+".1"))
	must(t, l.Reopen(t.Context()))
	l.Observe(t.Context(), e)
	must(t, l.Close())
	both := []string{name, name + ".1"} // in either order
	v, err := decisionlog.Verify(both)
	must(t, err)
	if len(v.Findings) > 0 || len(decisions(parsed(t, read(t, both)))) != 2 {
		t.Errorf("verification: %+v", v)
	}
	if err := l.Reopen(t.Context()); err == nil {
		t.Error("a closed log is reopened")
	}
}

// TestResume: the next run continues at the end of the file, and records how the last one
// ended.
func TestResume(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	e := eventsOf(t, "/reports/7", "bob")[0]
	k := newKey(t)
	run := func() *decisionlog.Opening {
		t.Helper()
		l, err := decisionlog.Open(name, decisionlog.WithChainKey(k), decisionlog.WithQueueSize(100))
		must(t, err)
		l.Observe(t.Context(), e)
		must(t, l.Close())
		var last *decisionlog.Opening
		for _, r := range parsed(t, read(t, []string{name})) {
			if r.Open != nil {
				last = r.Open
			}
		}
		return last
	}
	run()
	if o := run(); o.Unclean || o.LostAtMost != 0 {
		t.Errorf("after a clean end: %+v", o)
	}
	text := read(t, []string{name})
	lines := bytes.SplitAfter(text, []byte("\n"))
	killed := append(bytes.Join(lines[:len(lines)-4], nil), `{"v":1,"kind":"dec`...) // at a decision
	must(t, os.WriteFile(name, killed, 0o600))
	must(t, os.Remove(name+".head")) // which is ahead of the remaining lines
	o := run()
	if !o.Unclean || o.LostAtMost != 356 || o.Cut != `{"v":1,"kind":"dec` {
		t.Errorf("after a kill: %+v", o)
	}
	v, err := decisionlog.Verify([]string{name}, decisionlog.WithVerificationKeys(k))
	must(t, err)
	if len(v.Findings) > 0 || v.LostAtMost != 356 {
		t.Errorf("verification: %+v", v)
	}
	must(t, os.Rename(name, strings.TrimSuffix(name, ".jsonl")+"-20261129T020203.000Z.jsonl"))
	run() // killed between renaming and opening
	if v, err := decisionlog.Verify(files(t, name), decisionlog.WithVerificationKeys(k)); err != nil || len(v.Findings) > 0 {
		t.Errorf("verification: %+v, %v", v, err)
	}
}

// TestForeignFile: nothing is appended to a file that is not a log.
func TestForeignFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "notes")
	for _, text := range []string{"my notes", "my notes\n", "{}\n", "{\"v\":1,\"kind\":\"open\",\"seq\":1,\"open\":{}}\nnotes\n", "{\"v\":2,\"kind\":\"open\",\"seq\":1}\n"} {
		must(t, os.WriteFile(name, []byte(text), 0o600))
		if l, err := decisionlog.Open(name); err == nil {
			t.Errorf("%q was opened", text)
			must(t, l.Close())
		}
		if got := read(t, []string{name}); string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// TestEndlessLine: a file with an endless first or last line, such as one with holes
// after a crash, is refused and not changed.
func TestEndlessLine(t *testing.T) {
	t.Parallel()
	opening := "{\"v\":1,\"kind\":\"open\",\"seq\":1,\"open\":{}}\n"
	for _, tc := range []struct{ begin, end string }{
		{opening, ""}, {strings.TrimSuffix(opening, "\n"), ""}, {"", ""},
		{"", "\n" + opening}, {"", "\n" + `{"v":1,"kind":"op`},
	} {
		name := filepath.Join(t.TempDir(), "decisions.jsonl")
		must(t, os.WriteFile(name, []byte(tc.begin), 0o600))
		const size = 65 << 20
		must(t, os.Truncate(name, size)) // sparse
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		must(t, err)
		_, err = f.WriteString(tc.end)
		must(t, errors.Join(err, f.Close()))
		if _, err := decisionlog.Open(name); err == nil || !strings.Contains(err.Error(), "longer than 64 MiB") {
			t.Errorf("%q … %q: error %v", tc.begin, tc.end, err)
		}
		if info, err := os.Stat(name); err != nil || info.Size() != size+int64(len(tc.end)) {
			t.Errorf("%q … %q: %v, %v", tc.begin, tc.end, info, err)
		}
	}
}

// TestLostAtMostBehindALongOpening: what a killed run may have lost is taken from its own
// opening, wherever that is in the file.
func TestLostAtMostBehindALongOpening(t *testing.T) {
	t.Parallel()
	line := func(seq, length int) string {
		line := fmt.Sprintf(`{"v":1,"kind":"decision","seq":%d,"reason":""}`, seq)
		return strings.Replace(line, `""`, `"`+strings.Repeat("x", length-len(line)-1)+`"`, 1) + "\n"
	}
	cut := strings.Repeat(`\u0000`, 8192)
	opening := fmt.Sprintf(`{"v":1,"kind":"open","seq":2,"open":{"cut":"%s","queue_size":20000,"batch_size":256}}`, cut) + "\n"
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	first := "{\"v\":1,\"kind\":\"open\",\"seq\":1,\"open\":{}}\n"
	text := first + opening + line(3, 1<<20-20_000) // the file is read backwards in blocks of this size
	must(t, os.WriteFile(name, []byte(text), 0o600))
	l, err := decisionlog.Open(name)
	must(t, err)
	must(t, l.Close())
	records := parsed(t, read(t, []string{name})[len(text):])
	if o := records[0].Open; o == nil || !o.Unclean || o.LostAtMost != 20_256 {
		t.Errorf("opening %+v", o)
	}
}

func TestTwoWriters(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("not run: the log takes no lock on Windows")
	}
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	l, err := decisionlog.Open(name)
	must(t, err)
	if _, err := decisionlog.Open(name); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("error %v", err)
	}
	must(t, l.Close())
}
