package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Loader loads the content of one file, as stores of passwords, keys and tokens do.
type Loader interface {
	// Load replaces what was loaded before with data, the whole content of the
	// named file; if it returns an error, nothing has changed. Errors say what is
	// wrong as "name:line: message" and do not reveal secrets.
	//
	// It is called by one goroutine at a time, while others use what is loaded. The
	// Loader may keep data.
	Load(name string, data []byte) error
}

// absenter is a [Loader] that can tell how to create its file.
type absenter interface {
	// Absent returns the error for a path without a file. It wraps
	// [fs.ErrNotExist].
	Absent(path string) error
}

// Load loads the file at path into the given Loader, and again whenever its content
// changes. The file is loaded before Load returns; if it cannot be read, or into
// refuses it, Load fails and leaves nothing running. If the file does not exist and
// into has a method Absent(path string) error, Load returns its error, which says
// how to create the file.
//
// Later, a file that is missing, unreadable or refused changes nothing: into keeps
// what it loaded last, [Watcher.Err] says why, and slog's default logger, or the
// function given with [WithErrorObserver], is told of each refusal. [Watcher.Trigger]
// loads an edit at once, for instance on SIGHUP, and retries a refused file.
//
// path names one file, so [WithSuffixes] is refused; so is [WithCurrentSnapshot],
// since it is not known what into holds.
func Load(path string, into Loader, opts ...Option) (*Watcher, error) {
	if into == nil {
		return nil, errors.New("watch: the loader is nil")
	}
	if strings.Contains(path, "://") {
		return nil, errors.New("watch: the path is a URL, but only files can be watched: for a JWK set at an address use jwtauth.Fetch")
	}
	c, err := newConfig([]string{path}, opts)
	switch {
	case err != nil:
		return nil, fmt.Errorf("watch: %w", err)
	case len(c.suffixes) > 0:
		return nil, errors.New("watch: suffixes are for directories, but Load takes one file: remove them, or use New")
	case c.inUse != "":
		return nil, errors.New("watch: WithCurrentSnapshot is for New: Load always loads the file")
	}
	started := false // the first refusal is Load's own error
	w, err := start(c, func(_ context.Context, s Snapshot) error {
		edit := started
		started = true
		file := s.Files[0]
		err := into.Load(file.Name, file.Content)
		if err != nil && edit {
			c.report(err)
		}
		return err
	})
	if l, ok := into.(absenter); ok && errors.Is(err, fs.ErrNotExist) {
		return nil, l.Absent(path)
	}
	return w, err
}
