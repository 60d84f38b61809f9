package watch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every way in which files are changed in practice, noticed by events alone:
// the poll is an hour away.
func TestChangeIsNoticed(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(t *testing.T, dir, file string){
		"renamed over": func(t *testing.T, _, file string) {
			replace(t, file, "new")
		},
		"renamed over twice": func(t *testing.T, _, file string) {
			replace(t, file, "other")
			replace(t, file, "new")
		},
		"truncated and written": func(t *testing.T, _, file string) {
			write(t, file, "new")
		},
		"written twice": func(t *testing.T, _, file string) {
			write(t, file, "ne")
			write(t, file, "new")
		},
		"written in pieces": func(t *testing.T, _, file string) {
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, piece := range []string{"n", "e", "w"} {
				if _, err := f.WriteString(piece); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"overwritten in place, same size and time": func(t *testing.T, _, file string) {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, file, "new")
			if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
		"moved to a backup and created": func(t *testing.T, _, file string) {
			rename(t, file, file+"~")
			write(t, file, "new")
			remove(t, file+"~")
		},
		"deleted and recreated": func(t *testing.T, _, file string) {
			remove(t, file)
			write(t, file, "new")
		},
		"replaced by a symbolic link": func(t *testing.T, dir, file string) {
			target := filepath.Join(mkdir(t, filepath.Join(dir, "elsewhere")), "target")
			write(t, target, "new")
			relink(t, target, file)
		},
		"directory deleted and recreated": func(t *testing.T, dir, file string) {
			remove(t, dir)
			mkdir(t, dir)
			write(t, file, "new")
		},
		"directory renamed away and another one renamed there": func(t *testing.T, dir, file string) {
			write(t, filepath.Join(mkdir(t, dir+".next"), filepath.Base(file)), "new")
			rename(t, dir, dir+".old")
			rename(t, dir+".next", dir)
		},
		"directory two levels up replaced": func(t *testing.T, dir, file string) {
			up := filepath.Dir(filepath.Dir(dir))
			next := mkdir(t, up+".next/a/b")
			write(t, filepath.Join(next, filepath.Base(file)), "new")
			rename(t, up, up+".old")
			rename(t, up+".next", up)
		},
		"directory replaced by a symbolic link": func(t *testing.T, dir, file string) {
			write(t, filepath.Join(mkdir(t, dir+".next"), filepath.Base(file)), "new")
			remove(t, dir)
			link(t, dir+".next", dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := mkdir(t, filepath.Join(t.TempDir(), "top", "a", "b"))
			file := filepath.Join(dir, "p.csv")
			write(t, file, "old")
			s := watching(t, []string{file})
			if got := show(s.next(t)); got != "p.csv=old\n" {
				t.Fatalf("first called with %q", got)
			}
			edit(t, dir, file)
			s.await(t, "p.csv=new\n")

			// The watch must survive the edit.
			replace(t, file, "newer")
			s.await(t, "p.csv=newer\n")
			write(t, file, "newest")
			s.await(t, "p.csv=newest\n")
			s.noCallback(t)
			if err := s.Err(); err != nil {
				t.Errorf("Err = %v", err)
			}
		})
	}
}

// A ConfigMap volume: p.csv -> ..data/p.csv, ..data -> ..version/.
func TestConfigMapSwapIsNoticed(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	version := func(name, p, q string) string {
		dir := mkdir(t, filepath.Join(volume, name))
		write(t, filepath.Join(dir, "p.csv"), p)
		write(t, filepath.Join(dir, "q.csv"), q)
		return name
	}
	link(t, version("..1", "old", "old"), filepath.Join(volume, "..data"))
	link(t, "..data/p.csv", filepath.Join(volume, "p.csv"))
	link(t, "..data/q.csv", filepath.Join(volume, "q.csv"))

	file := watching(t, []string{filepath.Join(volume, "p.csv")})
	all := watching(t, []string{volume})
	// A directory on another file that leads into the volume by a link.
	outside := filepath.Join(t.TempDir(), "linked.csv")
	link(t, filepath.Join(volume, "q.csv"), outside)
	linked := watching(t, []string{outside})

	old := "..1"
	for _, name := range []string{"..2", "..3", "..4"} {
		relink(t, version(name, name, name), filepath.Join(volume, "..data"))
		remove(t, filepath.Join(volume, old))
		old = name
		file.await(t, "p.csv="+name+"\n")
		all.await(t, "p.csv="+name+"\nq.csv="+name+"\n")
		linked.await(t, "linked.csv="+name+"\n")
	}
}

// current -> releases/1, in the middle of the path.
func TestReleaseSwapIsNoticed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, n := range []string{"1", "2", "3"} {
		write(t, filepath.Join(mkdir(t, filepath.Join(root, "releases", n, "etc")), "p.csv"), n)
	}
	link(t, "releases/1", filepath.Join(root, "current"))
	link(t, "../"+filepath.Base(root)+"/current/etc", filepath.Join(root, "etc"))
	s := watching(t, []string{filepath.Join(root, "etc", "p.csv")})
	for _, n := range []string{"2", "3"} {
		relink(t, "releases/"+n, filepath.Join(root, "current"))
		s.await(t, "p.csv="+n+"\n")
		write(t, filepath.Join(root, "releases", n, "etc", "p.csv"), n+" edited")
		s.await(t, "p.csv="+n+" edited\n")
	}
}

func TestSameContentIsNoChange(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(t *testing.T, dir, file string){
		"touched": func(t *testing.T, _, file string) {
			if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
				t.Fatal(err)
			}
		},
		"overwritten":        func(t *testing.T, _, file string) { overwrite(t, file, "same") },
		"renamed over":       func(t *testing.T, _, file string) { replace(t, file, "same") },
		"another file":       func(t *testing.T, dir, _ string) { write(t, filepath.Join(dir, "x.txt"), "x") },
		"editor's dot file":  func(t *testing.T, dir, _ string) { write(t, filepath.Join(dir, ".p.csv"), "x") },
		"editor's lock link": func(t *testing.T, dir, _ string) { link(t, "nobody@nowhere", filepath.Join(dir, ".#p.csv")) },
		"subdirectory":       func(t *testing.T, dir, _ string) { mkdir(t, filepath.Join(dir, "sub.csv")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "p.csv")
			write(t, file, "same")
			s := watching(t, []string{dir})
			s.next(t)
			edit(t, dir, file)
			s.noCallback(t)
			// The next call is about the next change, so the edit made none.
			replace(t, file, "other")
			if got := show(s.next(t)); got != "p.csv=other\n" {
				t.Errorf("called with %q", got)
			}
		})
	}
}

func TestDirectoryMembers(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := mkdir(t, filepath.Join(root, "policies"))
	model := filepath.Join(root, "model.conf")
	write(t, model, "m")
	write(t, filepath.Join(dir, "b.csv"), "b")
	s := watching(t, []string{model, dir})
	s.await(t, "model.conf=m\nb.csv=b\n")

	write(t, filepath.Join(dir, "a.csv"), "a")
	s.await(t, "model.conf=m\na.csv=a\nb.csv=b\n")
	rename(t, filepath.Join(dir, "b.csv"), filepath.Join(dir, "c.csv"))
	s.await(t, "model.conf=m\na.csv=a\nc.csv=b\n")
	remove(t, filepath.Join(dir, "a.csv"))
	s.await(t, "model.conf=m\nc.csv=b\n")
	write(t, filepath.Join(dir, "D.CSV"), "d")
	if err := s.failure(t); !strings.Contains(err.Error(), "D.CSV: only names that end in .csv are read") {
		t.Errorf("a suffix in capitals: %v", err)
	}
	remove(t, filepath.Join(dir, "D.CSV"))
	target := filepath.Join(t.TempDir(), "target")
	write(t, target, "l")
	link(t, target, filepath.Join(dir, "l.csv"))
	s.await(t, "model.conf=m\nc.csv=b\nl.csv=l\n")
	write(t, target, "l edited")
	s.await(t, "model.conf=m\nc.csv=b\nl.csv=l edited\n")
	remove(t, filepath.Join(dir, "c.csv"))
	remove(t, filepath.Join(dir, "l.csv"))
	s.await(t, "model.conf=m\n")
	remove(t, dir)
	mkdir(t, dir)
	write(t, filepath.Join(dir, "d.csv"), "d")
	s.await(t, "model.conf=m\nd.csv=d\n")
}
