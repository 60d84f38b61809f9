//go:build linux

package fleet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// assigned is the environment variable that makes a process of this test an
// instance.
const assigned = "SALLYPORT_FLEET_INSTANCE"

func TestMain(m *testing.M) {
	if text, is := os.LookupEnv(preforkVariable); is {
		fmt.Fprintln(os.Stderr, prefork(text))
		os.Exit(1)
	}
	text, is := os.LookupEnv(assigned)
	if !is {
		os.Exit(m.Run())
	}
	var a assignment
	err := json.Unmarshal([]byte(text), &a)
	if err == nil {
		err = instance(a, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is an instance, as seen from the test.
type process struct {
	asks     io.WriteCloser
	accounts chan account
	ended    chan struct{}

	mu        sync.Mutex
	sightings []sighting
	changed   chan struct{}
}

// fleet is a number of instances that share a store.
type fleet []*process

// atOnce is how many instances start at a time. All at once would only wait for each
// other, and the last of them for longer than anybody does.
const atOnce = 4

// startFleet starts instances and waits until all of them decide.
func startFleet(t *testing.T, count int, a assignment) fleet {
	t.Helper()
	all := make(fleet, count)
	for i := range all {
		if i >= atOnce {
			all[i-atOnce:i-atOnce+1].wait(t, 1)
		}
		all[i] = startProcess(t, a, count > runtime.NumCPU())
	}
	all.wait(t, 1)
	return all
}

// startProcess starts an instance, of which there are more than processors if it is
// crowded.
func startProcess(t *testing.T, a assignment, crowded bool) *process {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0]) //nolint:gosec // the test itself
	cmd.Env = append(os.Environ(), assigned+"="+string(text))
	if crowded {
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1") // what else they do is wait for each other
	}
	cmd.Stderr = os.Stderr
	p := &process{accounts: make(chan account, 1), ended: make(chan struct{}), changed: make(chan struct{})}
	if p.asks, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.read(out)
		_ = cmd.Wait() // it has said on stderr what was wrong
	}()
	t.Cleanup(func() {
		_ = p.asks.Close()
		<-p.ended
	})
	return p
}

// read keeps what the instance says.
func (p *process) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var m message
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue
		}
		if m.Account != nil {
			p.accounts <- *m.Account
		}
		if m.Sighting != nil {
			p.mu.Lock()
			p.sightings = append(p.sightings, *m.Sighting)
			close(p.changed)
			p.changed = make(chan struct{})
			p.mu.Unlock()
		}
	}
}

// reached is when the instance first decided by a revision that is at least r.
func (p *process) reached(ctx context.Context, r source.Revision) (time.Time, error) {
	for {
		p.mu.Lock()
		changed := p.changed
		for _, s := range p.sightings {
			if s.Revision >= r {
				p.mu.Unlock()
				return s.At, nil
			}
		}
		p.mu.Unlock()
		select {
		case <-changed:
		case <-p.ended:
			return time.Time{}, fmt.Errorf("an instance has ended before revision %d", r)
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("an instance is not at revision %d: %w", r, ctx.Err())
		}
	}
}

// wait returns when the last instance first decided by a revision that is at
// least r.
func (f fleet) wait(t *testing.T, r source.Revision) (last time.Time) {
	t.Helper()
	ctx, cancel := limited(t)
	defer cancel()
	for _, p := range f {
		at, err := p.reached(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if at.After(last) {
			last = at
		}
	}
	return last
}

// account adds up what all instances have counted since they were last asked.
func (f fleet) account(t *testing.T) (sum account) {
	t.Helper()
	ctx, cancel := limited(t)
	defer cancel()
	for _, p := range f {
		if _, err := io.WriteString(p.asks, "\n"); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range f {
		select {
		case a := <-p.accounts:
			sum.Requests += a.Requests
			sum.Wrong += a.Wrong
			sum.Unavailable += a.Unavailable
			sum.Passed += a.Passed
			sum.Used += a.Used
			sum.Longest = max(sum.Longest, a.Longest)
			if sum.First == "" {
				sum.First = a.First
			}
		case <-ctx.Done():
			t.Fatal("an instance gives no account")
		}
	}
	return sum
}
