package casbinrules

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/watch"
)

// quick shortens the debounce and turns off polling, so that tests see only file events.
func quick() Option {
	return WithFileWatch(watch.WithDebounce(5*time.Millisecond, 200*time.Millisecond), watch.WithPollInterval(time.Hour))
}

// recorder keeps events for tests to wait for.
type recorder chan ReloadEvent

func (r recorder) observe(_ context.Context, e ReloadEvent) { r <- e }

// next returns the next event.
func (r recorder) next(t testing.TB) ReloadEvent {
	t.Helper()
	select {
	case e := <-r:
		return e
	case <-time.After(authtest.TimeLimit(3 * time.Minute)):
		t.Fatal("no event")
		return ReloadEvent{}
	}
}

// until returns the next event with the outcome; others may come before.
func (r recorder) until(t testing.TB, want ReloadOutcome) ReloadEvent {
	t.Helper()
	for {
		if e := r.next(t); e.Outcome == want {
			return e
		}
	}
}

// disk is an authorizer for one policy file on disk.
type disk struct {
	*Authorizer
	dir, file string
	events    recorder
}

func onDisk(t testing.TB, m Model, policy string, opts ...Option) disk {
	t.Helper()
	dir := t.TempDir()
	d := disk{dir: dir, file: filepath.Join(dir, "policy.csv"), events: make(recorder, 10_000)}
	d.write(t, policy)
	a, err := Open(m, []string{d.file}, append(append([]Option{quiet}, opts...), WithReloadObserver(d.events.observe))...)
	if err != nil {
		t.Fatal(err)
	}
	d.Authorizer = a
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d disk) write(t testing.TB, policy string) {
	t.Helper()
	if err := writeFile(d.file, policy); err != nil {
		t.Fatal(err)
	}
}

const (
	annReads  = "p, ann, /x, GET\n"
	bobReads  = "p, bob, /x, GET\n"
	broken    = "p, bob, /x\n"
	brokenToo = "p, bob, /y\n"
)

// reads reports whether the policy in force lets the user id read.
func reads(t testing.TB, a *Authorizer, id string) bool {
	t.Helper()
	return decide(t, a, who(t, id), to("GET", "/x")).Allowed
}

func TestReloadPutsAChangeIntoForce(t *testing.T) {
	for name, opts := range map[string][]Option{"without watching": nil, "while watching": {WithFileWatch(watch.WithDebounce(time.Minute, time.Minute))}} {
		t.Run(name, func(t *testing.T) {
			d := onDisk(t, RBAC(), annReads+"g, ann, reader\n", opts...)
			before := d.Version()
			d.write(t, annReads+bobReads)
			if err := d.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !reads(t, d.Authorizer, "bob") {
				t.Error("the new policy is not in force")
			}
			e, after := d.events.next(t), d.Version()
			if e.Outcome != ReloadLoaded || e.Old.Hash != before.Hash || e.New.Hash != after.Hash || before.Hash == after.Hash {
				t.Errorf("event %+v", e)
			}
			if before.Rules != 1 || before.RoleLinks != 1 || after.Rules != 2 || after.RoleLinks != 0 {
				t.Errorf("versions %+v, %+v", before, after)
			}
			if e.AddedCount != 1 || e.Added[0].String() != "policy.csv:2: p, bob, /x, GET" || e.RemovedCount != 1 || e.Removed[0].String() != "policy.csv:2: g, ann, reader" {
				t.Errorf("added %v, removed %v", e.Added, e.Removed)
			}
			if err := d.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if e := d.events.next(t); e.Outcome != ReloadUnchanged {
				t.Errorf("got %+v", e)
			}
			if !slices.Equal(after.Files, []string{"rbac.conf", d.file}) || d.Version().Age() <= 0 {
				t.Errorf("version %+v", d.Version())
			}
		})
	}
}

func TestABadEditKeepsTheLastGoodPolicy(t *testing.T) {
	for name, opts := range map[string][]Option{"without watching": nil, "while watching": {WithFileWatch(watch.WithDebounce(time.Minute, time.Minute))}} {
		t.Run("H06 "+name, func(t *testing.T) {
			d := onDisk(t, RBAC(), annReads, opts...)
			good := d.Version()
			d.write(t, broken)
			err := d.Reload(t.Context())
			var found *FindingsError
			if !errors.As(err, &found) || found.Findings[0].Code != model.CodeFieldCount {
				t.Fatalf("got %v", err)
			}
			e := d.events.next(t)
			if e.Outcome != ReloadRejected || e.New.Hash != good.Hash || e.Old.Hash != good.Hash || len(e.Findings) != 1 || e.Err == nil {
				t.Errorf("event %+v", e)
			}
			first := d.Status()
			if first.Err == nil || first.Since.IsZero() || first.Version.Hash != good.Hash || first.Watching != (opts != nil) {
				t.Errorf("status %+v", first)
			}
			d.write(t, brokenToo)
			if err := d.Reload(t.Context()); err == nil {
				t.Error("no error")
			}
			if st := d.Status(); st.Since != first.Since {
				t.Errorf("broken since %v, then since %v", first.Since, st.Since)
			}
			if !reads(t, d.Authorizer, "ann") {
				t.Error("the last good policy is gone")
			}
			d.write(t, annReads)
			if err := d.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if st := d.Status(); st.Err != nil || !st.Since.IsZero() || st.Version.Hash != good.Hash {
				t.Errorf("after the edit was undone: %+v", st)
			}
			if e := d.events.until(t, ReloadUnchanged); e.New.Hash != good.Hash {
				t.Errorf("event %+v", e)
			}
		})
	}
}

func TestAMissingFileKeepsTheLastGoodPolicy(t *testing.T) {
	for name, opts := range map[string][]Option{"without watching": nil, "while watching": {quick()}} {
		t.Run("H06 "+name, func(t *testing.T) {
			d := onDisk(t, RBAC(), annReads, opts...)
			if err := os.Remove(d.file); err != nil {
				t.Fatal(err)
			}
			if err := d.Reload(t.Context()); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("got %v", err)
			}
			if e := d.events.next(t); e.Outcome != ReloadFailed || !errors.Is(e.Err, fs.ErrNotExist) {
				t.Errorf("event %+v", e)
			}
			if st := d.Status(); !errors.Is(st.Err, fs.ErrNotExist) || !reads(t, d.Authorizer, "ann") {
				t.Errorf("status %+v", st)
			}
			d.write(t, annReads)
			if err := d.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if st := d.Status(); st.Err != nil {
				t.Errorf("status %+v", st)
			}
		})
	}
}

func TestAShrunkenPolicyMustBeForced(t *testing.T) {
	for name, opts := range map[string][]Option{"without watching": nil, "while watching": {quick()}} {
		t.Run("H06 "+name, func(t *testing.T) {
			var big strings.Builder
			for i := range 20 {
				big.WriteString("p, ann, /x" + strings.Repeat("y", i) + ", GET\n")
			}
			d := onDisk(t, RBAC(), big.String(), append(opts, WithEmptyPolicy())...)
			for _, small := range []string{annReads, "# nothing\n"} {
				d.write(t, small)
				var found *FindingsError
				if err := d.Reload(t.Context()); !errors.As(err, &found) || d.Version().Rules != 20 {
					t.Fatalf("got %v", err)
				}
			}
			d.events.until(t, ReloadRejected)
			if err := d.ReloadForced(t.Context()); err != nil {
				t.Fatal(err)
			}
			if e := d.events.until(t, ReloadLoaded); !e.Forced || e.RemovedCount != 20 || d.Version().Rules != 0 || d.Status().Err != nil {
				t.Errorf("event %+v, status %+v", e, d.Status())
			}
		})
	}
}

func TestReorderedRulesAreTold(t *testing.T) {
	d := onDisk(t, RBAC(), annReads+bobReads)
	d.write(t, bobReads+"\n# moved\n"+annReads)
	if err := d.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := d.events.next(t); !e.Reordered || e.AddedCount != 0 || e.RemovedCount != 0 {
		t.Errorf("event %+v", e)
	}
}

func TestDifferencesAreCountedAndCut(t *testing.T) {
	var many strings.Builder
	many.WriteString(annReads)
	for i := range 3 * policy.MaxListed {
		many.WriteString("p, ann, /" + strings.Repeat("y", i+1) + ", GET\n")
	}
	d := onDisk(t, RBAC(), annReads)
	d.write(t, many.String())
	if err := d.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := d.events.next(t); e.AddedCount != 3*policy.MaxListed || len(e.Added) != policy.MaxListed {
		t.Errorf("%d added, %d listed", e.AddedCount, len(e.Added))
	}
}

func TestCloseEndsReloading(t *testing.T) {
	for name, opts := range map[string][]Option{"without watching": nil, "while watching": {quick()}} {
		t.Run(name, func(t *testing.T) {
			d := onDisk(t, RBAC(), annReads, opts...)
			for range 2 {
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
			}
			d.write(t, bobReads)
			if err := d.Reload(t.Context()); !errors.Is(err, watch.ErrClosed) {
				t.Errorf("got %v", err)
			}
			if !reads(t, d.Authorizer, "ann") || d.Status().Watching {
				t.Errorf("status %+v", d.Status())
			}
		})
	}
}

func TestReloadHonoursItsContext(t *testing.T) {
	d := onDisk(t, RBAC(), annReads)
	d.write(t, bobReads)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Reload(ctx); !errors.Is(err, context.Canceled) || !reads(t, d.Authorizer, "ann") {
		t.Errorf("got %v", err)
	}
	// Also while another one loads.
	d.slot <- struct{}{}
	if err := d.Reload(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-d.slot
}

func TestVersionAllocatesNothing(t *testing.T) {
	a := open(t, RBAC(), annReads)
	if n := testing.AllocsPerRun(100, func() { _ = a.Version() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if st := a.Status(); st.Err != nil || st.Watching {
		t.Errorf("status %+v", st)
	}
}

// If a reload falls between gate one and gate two, roles come from one policy and the
// decision from another. Each gate decides on its own.
func TestDecisionsIgnoreTheRolesOfAnOlderPolicy(t *testing.T) {
	d := onDisk(t, RBAC(), "p, editor, /x, PUT\ng, ann, editor\n")
	p := who(t, "ann")
	if roles, err := d.RolesOf(t.Context(), p); err != nil || !slices.Equal(roles, []string{"editor"}) {
		t.Fatalf("roles %q, %v", roles, err)
	}
	// The new policy takes the role from the user and gives it more permissions.
	d.write(t, "p, editor, /x, *\ng, bob, editor\n")
	if err := d.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"PUT", "GET"} {
		if dec := decide(t, d.Authorizer, p, to(method, "/x")); dec.Allowed || dec.Reason != ReasonNoRule {
			t.Errorf("%s: got %+v", method, dec)
		}
	}
}

func TestOnlyWatchingTakesGoroutines(t *testing.T) {
	goroutines := func() int {
		runtime.Gosched()
		return runtime.NumGoroutine()
	}
	before := goroutines()
	// A loader that has delivered its result may still be running.
	ended := func(when string) {
		t.Helper()
		for deadline := time.Now().Add(authtest.TimeLimit(time.Minute)); goroutines() > before; {
			if time.Now().After(deadline) {
				t.Fatalf("%d goroutines %s, %d before", goroutines(), when, before)
			}
		}
	}
	d := onDisk(t, RBAC(), annReads)
	ended("without watching")
	a, err := Open(RBAC(), []string{d.file}, quick(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	if got := goroutines(); got <= before {
		t.Errorf("%d goroutines while watching, %d before: the test proves nothing", got, before)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	ended("after Close")
}
