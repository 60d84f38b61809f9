package watch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// farm is a place with files of every arrangement: a plain file, a directory
// of files, a ConfigMap volume. Its methods edit it at random.
type farm struct {
	*rand.Rand
	t                    testing.TB
	root, file, dir, vol string
	version, edits       int
}

func newFarm(t testing.TB, seed uint64) *farm {
	root := t.TempDir()
	f := &farm{
		Rand: rand.New(rand.NewPCG(seed, seed)), t: t, root: root,
		file: filepath.Join(mkdir(t, filepath.Join(root, "single")), "model.conf"),
		dir:  mkdir(t, filepath.Join(root, "members")),
		vol:  mkdir(t, filepath.Join(root, "volume")),
	}
	write(t, f.file, "start")
	write(t, f.member(), "start")
	f.swap()
	link(t, "..data/v.csv", filepath.Join(f.vol, "v.csv"))
	return f
}

func (f *farm) paths() []string { return []string{f.file, f.dir, f.vol} }

// member is one of the files of the directory, there or not.
func (f *farm) member() string {
	return filepath.Join(f.dir, string(rune('a'+f.IntN(4)))+".csv")
}

// content is new most of the time.
func (f *farm) content() string { return fmt.Sprint("content ", f.IntN(60)) }

// swap publishes a new version of the volume and takes the one before away.
func (f *farm) swap() {
	f.version++
	name := fmt.Sprint("..v", f.version)
	write(f.t, filepath.Join(mkdir(f.t, filepath.Join(f.vol, name)), "v.csv"), f.content())
	relink(f.t, name, filepath.Join(f.vol, "..data"))
	remove(f.t, filepath.Join(f.vol, fmt.Sprint("..v", f.version-1)))
}

func (f *farm) edit() string {
	f.edits++
	target := f.file
	if f.IntN(2) == 0 {
		target = f.member()
	}
	switch n := f.IntN(11); n {
	case 0, 1:
		replace(f.t, target, f.content())
		return "renamed over"
	case 2:
		write(f.t, target, f.content())
		return "written"
	case 3:
		write(f.t, target, f.content()[:3])
		write(f.t, target, f.content())
		return "written twice"
	case 4:
		remove(f.t, target)
		write(f.t, target, f.content())
		return "recreated"
	case 5:
		remove(f.t, f.member())
		return "member removed"
	case 6, 7:
		f.swap()
		return "volume swapped"
	case 8:
		old := fmt.Sprint(f.dir, ".", f.edits)
		rename(f.t, f.dir, old)
		mkdir(f.t, f.dir)
		write(f.t, f.member(), f.content())
		if f.IntN(2) == 0 {
			remove(f.t, old)
		}
		return "directory replaced"
	case 9:
		up := filepath.Dir(f.file)
		remove(f.t, up)
		mkdir(f.t, up)
		write(f.t, f.file, f.content())
		return "directory recreated"
	default:
		now := time.Now()
		if err := os.Chtimes(f.file, now, now); err != nil {
			f.t.Fatal(err)
		}
		return "touched"
	}
}

// After any edits at any pace, what the callback saw last is what there is.
// Events alone do it: the poll is an hour away.
func TestRandomEditsConverge(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	f := newFarm(t, seed)
	s := watching(t, f.paths(), WithDebounce(2*time.Millisecond, 20*time.Millisecond))
	last := s.next(t)
	var styles []string
	for f.edits < 200 {
		styles = append(styles, f.edit())
		if f.IntN(4) != 0 {
			continue // the next edit comes at once
		}
		want, err := Read(f.paths(), WithSuffixes(".csv"))
		if err != nil {
			t.Fatal(err)
		}
		last = s.until(t, last, want, styles)
		styles = nil
	}
	want, err := Read(f.paths(), WithSuffixes(".csv"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trigger(t.Context()); err != nil { // whoever looks at a step on the way has ended
		t.Fatal(err)
	}
	last = s.until(t, last, want, styles)
	s.noCallback(t)
	if last.Hash != want.Hash {
		t.Errorf("seed %d: last seen\n%s\nwant\n%s", seed, show(last), show(want))
	}
}

// until waits for want, unless it is what was seen last and stays so.
func (s *spy) until(t *testing.T, last, want Snapshot, styles []string) Snapshot {
	t.Helper()
	deadline := time.After(patience)
	for last.Hash != want.Hash || len(s.got) > 0 {
		select {
		case last = <-s.got:
		case err := <-s.reported:
			if !errors.Is(err, ErrChanging) && !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("reported: %v", err)
			}
		case <-deadline:
			t.Fatalf("after %q the callback last got\n%s\nand never\n%s", slices.Compact(styles), show(last), show(want))
		}
	}
	return last
}
