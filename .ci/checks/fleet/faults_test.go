//go:build linux

package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// lasting is for how long a fault lasts.
const lasting = 300 * time.Millisecond

// fault is something that happens to a store, and is over when it returns.
type fault struct {
	name string
	run  func(t *testing.T, at *site)
}

// site is a store's server with the network in front of it.
type site struct {
	server  server
	network *proxy
	disk    string // a small file system of its own, or ""
	clock   *clock // of the server, or nil
}

var faults = []fault{
	{"cut", func(_ *testing.T, at *site) {
		at.network.sever()
		time.Sleep(lasting)
		at.network.mend()
	}},
	{"killed", func(_ *testing.T, at *site) {
		at.server.Crash()
		time.Sleep(lasting)
		at.server.Start()
	}},
	{"paused", func(t *testing.T, at *site) {
		all := family(at.server.Process().Pid)
		signal(t, all, syscall.SIGSTOP)
		time.Sleep(lasting)
		signal(t, all, syscall.SIGCONT)
	}},
}

// diskFull needs a file system of its own, which only root can make.
var diskFull = fault{"disk full", func(t *testing.T, at *site) {
	ballast := filepath.Join(at.disk, "ballast")
	if err := fill(ballast); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("filling the disk: %v", err)
	}
	time.Sleep(lasting)
	if err := os.Remove(ballast); err != nil {
		t.Error(err)
	}
	at.server.Crash() // Redis has ended by itself, and PostgreSQL may have
	at.server.Start()
}}

func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; {
		if _, err = f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return err
}

// family is a process with its children, as far as the system tells.
func family(pid int) []int {
	all := []int{pid}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return all
	}
	for child := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(child); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func signal(t *testing.T, pids []int, s syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
	}
}

// endured is what came of edits during faults.
type endured struct {
	edits, lost int
	faults      map[string]int // how often each has happened
	// behind is for how long after a fault an instance was behind at most.
	behind  time.Duration
	account account
}

// happened says which faults have happened, and how often.
func (e *endured) happened() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(e.faults)) {
		all = append(all, fmt.Sprintf("%d %s", e.faults[name], name))
	}
	return strings.Join(all, ", ")
}

// measureFaults has two editors publish while one fault after another happens.
// Each edit adds a word to what the other has written.
func measureFaults(t *testing.T, k *kind, at *site, n scale, edits int, all []fault) *endured {
	t.Helper()
	name := "faults"
	s := at.server
	at.network = startProxy(t, s.Addr())
	direct := k.open(t, s.Addr(), name)
	publish(t, direct, 0, withWords(1, n.rules, nil))
	instances := startFleet(t, n.instances, assignment{Kind: k.name, URL: k.url(at.network.addr()), Name: name, Pause: n.pause})
	instances.account(t)
	const editors = 2
	var done atomic.Int64
	var running sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for i := range editors {
		e := &editor{k.open(t, at.network.addr(), name), n.rules}
		running.Go(func() {
			for word := i; word < edits; word += editors {
				if err := e.add(ctx, fmt.Sprintf("<%d>", word)); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	got := &endured{edits: edits, faults: map[string]int{}}
	step := max(edits/(n.pushes+1), 1) // between two faults
	for i := range n.pushes {
		next := min((i+1)*step, edits-1)
		for int(done.Load()) < next && ctx.Err() == nil && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		if ctx.Err() != nil || t.Failed() {
			break
		}
		now := all[i%len(all)]
		now.run(t, at)
		got.faults[now.name]++
		behind := caughtUp(t, direct, instances)
		t.Logf("%s: behind for %v", now.name, behind)
		got.behind = max(got.behind, behind)
	}
	running.Wait()
	got.lost = lost(t, direct, edits)
	got.behind = max(got.behind, caughtUp(t, direct, instances))
	got.account = instances.account(t)
	return got
}

// caughtUp is how long it takes until all instances decide by what is the newest
// revision now.
func caughtUp(t *testing.T, s source.Store, all fleet) time.Duration {
	t.Helper()
	ctx, cancel := limited(t)
	defer cancel()
	began := time.Now()
	for {
		got, err := s.Fetch(ctx, source.State{})
		if err == nil {
			return max(0, all.wait(t, got.Revision).Sub(began))
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // the server is about to start, and needs the machine
	}
}

// editor adds words to a file of a store, whatever happens to that.
type editor struct {
	store source.Store
	rules int
}

const words = "words.txt"

func withWords(r source.Revision, rules int, text []byte) []source.File {
	return append(files(r, rules), source.File{Name: words, Content: text})
}

// add adds a word once. What an error leaves unknown is seen when it is read.
func (e *editor) add(ctx context.Context, word string) error {
	for ctx.Err() == nil {
		trying, cancel := context.WithTimeout(ctx, time.Second)
		done, err := e.try(trying, word)
		cancel()
		if done {
			return nil
		}
		var conflict *source.ConflictError
		if err != nil && !errors.As(err, &conflict) {
			time.Sleep(10 * time.Millisecond) // the store is away
		}
	}
	return ctx.Err()
}

func (e *editor) try(ctx context.Context, word string) (done bool, err error) {
	got, err := e.store.Fetch(ctx, source.State{})
	if err != nil {
		return false, err
	}
	text, _ := got.Content.File(words)
	if bytes.Contains(text, []byte(word)) {
		return true, nil
	}
	next := withWords(got.Revision+1, e.rules, append(bytes.Clone(text), word...))
	_, err = e.store.Publish(ctx, source.Publication{Base: got.Revision, Files: next, Note: source.Note{Author: "fleet"}})
	return err == nil, err
}

// lost counts the words that are not there exactly once.
func lost(t *testing.T, s source.Store, edits int) (count int) {
	t.Helper()
	ctx, cancel := limited(t)
	defer cancel()
	got, err := s.Fetch(ctx, source.State{})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := got.Content.File(words)
	for n := range edits {
		if bytes.Count(text, fmt.Appendf(nil, "<%d>", n)) != 1 {
			count++
		}
	}
	return count
}
