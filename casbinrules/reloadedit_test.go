package casbinrules

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/watch"
)

// edit writes text to a file in one of the ways in which files are changed.
type edit struct {
	name string
	make func(file, text string) error
}

func edits() []edit {
	return []edit{
		{"rename over", func(file, text string) error {
			if err := writeFile(file+".new", text); err != nil {
				return err
			}
			return os.Rename(file+".new", file)
		}},
		{"truncate and write", writeFile},
		{"write twice", func(file, text string) error {
			if err := writeFile(file, "# saving\n"+text); err != nil {
				return err
			}
			return writeFile(file, text)
		}},
		{"delete and recreate", func(file, text string) error {
			if err := os.Remove(file); err != nil {
				return err
			}
			return writeFile(file, text)
		}},
		{"write in halves", func(file, text string) error {
			f, err := os.Create(file)
			if err != nil {
				return err
			}
			half := len(text) / 2
			if _, err := f.WriteString(text[:half]); err != nil {
				return err
			}
			runtime.Gosched()
			if _, err := f.WriteString(text[half:]); err != nil {
				return err
			}
			return f.Close()
		}},
		{"swap a link", func(file, text string) error {
			target := fmt.Sprintf("%s.%d", file, time.Now().UnixNano())
			if err := writeFile(target, text); err != nil {
				return err
			}
			if err := os.Symlink(target, file+".link"); err != nil {
				return err
			}
			return os.Rename(file+".link", file)
		}},
	}
}

func TestEveryWayOfEditingIsNoticed(t *testing.T) {
	for _, ed := range edits() {
		t.Run("H06 "+ed.name, func(t *testing.T) {
			d := onDisk(t, RBAC(), annReads, quick())
			if err := ed.make(d.file, annReads+bobReads); err != nil {
				t.Fatal(err)
			}
			for !reads(t, d.Authorizer, "bob") {
				d.events.next(t)
			}
			if err := ed.make(d.file, annReads+broken); err != nil {
				t.Fatal(err)
			}
			for d.Status().Err == nil {
				d.events.next(t)
			}
			if !reads(t, d.Authorizer, "bob") {
				t.Error("the last good policy is gone")
			}
			if err := ed.make(d.file, annReads+"p, eve, /x, GET\n"); err != nil {
				t.Fatal(err)
			}
			for !reads(t, d.Authorizer, "eve") {
				d.events.next(t)
			}
			if st := d.Status(); st.Err != nil || reads(t, d.Authorizer, "bob") {
				t.Errorf("status %+v", st)
			}
		})
	}
}

// configMap is a directory as Kubernetes mounts one: links to files in ..data, which is a
// link to the directory of one state.
type configMap struct {
	dir   string
	state int
}

func (m *configMap) set(files map[string]string) error {
	m.state++
	state := fmt.Sprintf("..state%d", m.state)
	if err := os.Mkdir(filepath.Join(m.dir, state), 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(m.dir, state, name), text); err != nil {
			return err
		}
		if m.state == 1 {
			if err := os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)); err != nil {
				return err
			}
		}
	}
	if err := os.Symlink(state, filepath.Join(m.dir, "..tmp")); err != nil {
		return err
	}
	return os.Rename(filepath.Join(m.dir, "..tmp"), filepath.Join(m.dir, "..data"))
}

func TestModelAndPolicyOfAConfigMapChangeTogether(t *testing.T) {
	m := &configMap{dir: t.TempDir()}
	withDeny := map[string]string{"model.conf": RBACWithDeny().Text(), "policy.csv": "p, ann, /x, GET, allow\n"}
	plain := map[string]string{"model.conf": RBAC().Text(), "policy.csv": bobReads}
	if err := m.set(plain); err != nil {
		t.Fatal(err)
	}
	events := make(recorder, 100)
	a, err := Open(ModelFile(filepath.Join(m.dir, "model.conf")), []string{m.dir}, quick(), quiet, WithReloadObserver(events.observe))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	for i := range 6 {
		files, id := withDeny, "ann"
		if i%2 == 1 {
			files, id = plain, "bob"
		}
		if err := m.set(files); err != nil {
			t.Fatal(err)
		}
		// A mixture of two states would be rejected: the models have lines of different
		// lengths.
		if e := events.next(t); e.Outcome != ReloadLoaded || !e.ModelChanged || !reads(t, a, id) {
			t.Fatalf("change %d: %+v", i, e)
		}
	}
}

// TestAStormOfEditsNeverDecidesWrongly edits the policy a thousand times while requests are
// decided; a third of the edits are broken. The alternating policies grant disjoint
// permissions, so a decision by neither would show as permissions of both or of none (H07).
func TestAStormOfEditsNeverDecidesWrongly(t *testing.T) {
	edited := max(200, cases(1000))
	// Both policies have two rules for the same two objects, with the roles exchanged: who
	// may read /x may not read /y.
	policies := [2]string{
		"p, even, /x, GET\np, odd, /y, GET\ng, ann, even\ng, bob, odd\n",
		"p, even, /y, GET\np, odd, /x, GET\ng, ann, odd\ng, bob, even\n",
	}
	bad := [...]string{broken, "", "p, even, /x, GET\n\"", "g, a, b\ng, b, a\n"}
	d := onDisk(t, RBAC(), policies[0], WithFileWatch(watch.WithDebounce(time.Millisecond, 2*time.Millisecond), watch.WithPollInterval(time.Hour)))
	stop := make(chan struct{})
	var decided atomic.Int64
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() { readInStorm(t, d.Authorizer, &decided, stop) })
	}
	for decided.Load() == 0 && !t.Failed() {
		runtime.Gosched() // the readers have not begun
	}
	styles := edits()
	for i := range edited {
		text := policies[i%2]
		if i%3 == 0 {
			text = bad[i/3%len(bad)]
		}
		if err := styles[i%len(styles)].make(d.file, text); err != nil {
			t.Fatal(err)
		}
		if i%7 == 0 { // both policies and broken ones in turn
			_ = d.Reload(t.Context()) // broken ones are meant to be refused
		}
	}
	close(stop)
	readers.Wait()
	d.write(t, annReads)
	if err := d.ReloadForced(t.Context()); err != nil || !reads(t, d.Authorizer, "ann") {
		t.Errorf("after the storm: %v", err)
	}
	loaded := 0
	for len(d.events) > 0 {
		if e := d.events.next(t); e.Outcome == ReloadLoaded {
			loaded++
		}
	}
	t.Logf("%d edits, %d loaded, %d decisions", edited, loaded, decided.Load())
	if loaded < edited/100 || decided.Load() == 0 {
		t.Error("the test proves nothing")
	}
}

// readInStorm asks until stop: under either policy ann reads /x and not /y, and bob the
// other way round.
func readInStorm(t *testing.T, a *Authorizer, decided *atomic.Int64, stop <-chan struct{}) {
	ann, bob := who(t, "ann"), who(t, "bob")
	for {
		select {
		case <-stop:
			return
		default:
		}
		for _, c := range []struct {
			p    *core.Principal
			path string
		}{{ann, "/x"}, {ann, "/y"}, {bob, "/x"}, {bob, "/y"}} {
			d, err := a.Authorize(t.Context(), c.p, to("GET", c.path))
			if want := (c.p == ann) == (c.path == "/x"); err != nil || d.Allowed != want {
				t.Errorf("%s %s: %+v, %v", c.p.ID(), c.path, d, err)
				return
			}
			decided.Add(1)
		}
	}
}

func TestReloadsAndEditsAtTheSameTime(t *testing.T) {
	d := onDisk(t, RBAC(), annReads, quick())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				// Files that change at every look are a legitimate answer here.
				if err := d.Reload(t.Context()); err != nil && !errors.Is(err, watch.ErrChanging) {
					t.Error(err)
				}
				_, _ = d.Status(), d.Version()
			}
		})
	}
	all.Go(func() {
		for i := range 50 {
			// Renamed into place, so that no reload sees it half-written.
			if err := edits()[0].make(d.file, annReads+fmt.Sprintf("p, bob, /%d, GET\n", i)); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	if err := d.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if dec := decide(t, d.Authorizer, who(t, "bob"), to("GET", "/49")); !dec.Allowed {
		t.Error("the last edit is not in force")
	}
}

// BenchmarkRevocation measures the time from the rename of a new policy into place to the
// first decision by it, with 1,000 rules and the default debounce of 100 ms (H08).
func BenchmarkRevocation(b *testing.B) {
	for name, opt := range map[string]Option{
		"debounce=100ms": WithFileWatch(),
		"debounce=10ms":  WithFileWatch(watch.WithDebounce(10*time.Millisecond, 100*time.Millisecond)),
	} {
		b.Run(name, func(b *testing.B) {
			rest := ""
			for i := range 999 {
				rest += fmt.Sprintf("p, role%d, /part%d/:id, GET\n", i%50, i)
			}
			d := onDisk(b, RBAC(), annReads+rest, opt)
			ids := [2]string{"ann", "bob"}
			for i := 0; b.Loop(); i++ {
				id := ids[(i+1)%2]
				if err := edits()[0].make(d.file, "p, "+id+", /x, GET\n"+rest); err != nil {
					b.Fatal(err)
				}
				for !reads(b, d.Authorizer, id) {
					time.Sleep(50 * time.Microsecond)
				}
				if reads(b, d.Authorizer, ids[i%2]) {
					b.Fatal("the revoked right still holds")
				}
				for len(d.events) > 0 {
					<-d.events
				}
			}
		})
	}
}
