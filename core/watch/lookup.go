package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many symbolic links one path may lead through, as in
// [filepath.EvalSymlinks].
const maxLinks = 255

// lookup is what the outcome of opening the watched paths hangs on: in each
// directory that is passed, the entry of one name. To watch these directories
// for these names is to notice every change, whether of a file, of a symbolic
// link on the way to it, or of a directory above it.
type lookup struct {
	config *config
	// dirs are the directories passed, free of symbolic links. True marks
	// those where a change is expected: they hold a file or a link.
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
			continue // reading says so
		}
		for _, e := range entries {
			if c.counts(e.Name()) {
				l.follow(dir, []string{e.Name()})
			}
		}
	}
	return l
}

// follow looks steps up from dir on, and reports the directory they lead to,
// if they do.
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
			return "", false // what is missing will appear here
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

// split takes an absolute path apart into its root and the names below.
func split(path string) (root string, names []string) {
	volume := filepath.VolumeName(path)
	return volume + string(filepath.Separator), strings.Split(filepath.ToSlash(path[len(volume):]), "/")
}

// concerns reports whether an event for path may be about a watched file. It
// goes by the name alone: the same directory may be known by another path, and
// a check too many costs little. Letter case is ignored, as some file systems
// do.
func (l *lookup) concerns(path string) bool {
	name := filepath.Base(path)
	if l.config.counts(name) {
		return true
	}
	_, ok := l.names[strings.ToLower(name)]
	return ok
}
