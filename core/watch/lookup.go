package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is the maximum number of symbolic links in one path, as in
// [filepath.EvalSymlinks].
const maxLinks = 255

// lookup is what determines the result of opening the watched paths: in each directory
// that is passed, the entry with one name. Watching these directories for these names
// notices every change of a file, of a symbolic link on the way to it, and of a directory
// above it.
type lookup struct {
	config *config
	// dirs are the directories passed, free of symbolic links. True marks those in
	// which a change is expected: they contain a file or a link.
	dirs map[string]bool
	// names are the entries looked up, in lower case.
	names map[string]struct{}
}

func (c *config) lookup() *lookup {
	l := &lookup{config: c, dirs: make(map[string]bool), names: make(map[string]struct{})}
	for _, path := range c.paths {
		root, steps := split(path.abs)
		dir, ok := l.follow(root, steps)
		if !ok {
			continue
		}
		l.dirs[dir] = true
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // reading it reports that
		}
		for _, e := range entries {
			if c.counts(e.Name()) {
				l.follow(dir, []string{e.Name()})
			}
		}
	}
	return l
}

// follow looks up steps from dir on, and returns the directory that they lead to, if they
// do.
func (l *lookup) follow(dir string, steps []string) (string, bool) {
	links := 0
	for len(steps) > 0 {
		step := steps[0]
		steps = steps[1:]
		switch step {
		case "", ".":
			continue
		case "..":
			dir = filepath.Dir(dir)
			continue
		}
		entry := filepath.Join(dir, step)
		info, err := os.Lstat(entry)
		link := err == nil && info.Mode()&fs.ModeSymlink != 0
		l.need(dir, step, link || err != nil || !info.IsDir())
		switch {
		case err != nil:
			return "", false // the missing entry will appear here
		case info.IsDir():
			dir = entry
			continue
		case !link:
			return "", false
		}
		target, err := os.Readlink(entry)
		if links++; err != nil || links > maxLinks {
			return "", false
		}
		if filepath.IsAbs(target) {
			var further []string
			dir, further = split(target)
			steps = append(further, steps...)
		} else {
			steps = append(strings.Split(filepath.ToSlash(target), "/"), steps...)
		}
	}
	return dir, true
}

func (l *lookup) need(dir, name string, expected bool) {
	l.dirs[dir] = l.dirs[dir] || expected
	l.names[strings.ToLower(name)] = struct{}{}
}

// split splits an absolute path into its root and the names below.
func split(path string) (root string, names []string) {
	volume := filepath.VolumeName(path)
	return volume + string(filepath.Separator), strings.Split(filepath.ToSlash(path[len(volume):]), "/")
}

// concerns reports whether an event for path may be about a watched file. Only the name
// counts: the directory may have another path as well, and an unnecessary check is cheap.
// Letter case is ignored, as by some file systems.
func (l *lookup) concerns(path string) bool {
	name := filepath.Base(path)
	if l.config.counts(name) {
		return true
	}
	_, ok := l.names[strings.ToLower(name)]
	return ok
}
