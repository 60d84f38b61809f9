package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Loader takes in the content of one file, as stores of passwords, keys and
// tokens do.
type Loader interface {
	// Load puts data, the whole content of the file called name, in the place
	// of what was loaded before: all of it, or with an error none. Errors say
	// what is wrong as "name:line: message" and hold no secret of the file.
	//
	// It is called by one goroutine at a time, while others use what is loaded.
	// data is the Loader's to keep.
	Load(name string, data []byte) error
}

// absenter is a [Loader] that knows how its file is made.
type absenter interface {
	// Absent is the error for a path without file. It is a [fs.ErrNotExist].
	Absent(path string) error
}

// Load has into load the file at path, and loads it again whenever its content
// has changed. The file is loaded before Load returns; when it cannot be read,
// or into refuses it, Load fails and leaves nothing running. A file that is not
// there is the error of into's method Absent(path string) error, if it has one,
// which says how to make it.
//
// Later on a file that is missing, unreadable or refused changes nothing: into
// keeps what it loaded last, [Watcher.Err] says why, and the function given
// with [WithErrorObserver] is told of each refusal. Without that function nobody hears
// of them, so give one that logs. [Watcher.Trigger] loads an edit at once, as
// upon SIGHUP, and tries a refused file once more.
//
// path names one file, so [WithSuffixes] is refused; so is [WithCurrentSnapshot], since there is
// no knowing what into holds.
func Load(path string, into Loader, opts ...Option) (*Watcher, error) {
	if into == nil {
		return nil, errors.New("watch: the loader is nil")
	}
	if strings.Contains(path, "://") {
		return nil, errors.New("watch: the path is a URL, and files are watched here: for a JWK set at an address use jwtauth.Fetch")
	}
	c, err := newConfig([]string{path}, opts)
	switch {
	case err != nil:
		return nil, fmt.Errorf("watch: %w", err)
	case len(c.suffixes) > 0:
		return nil, errors.New("watch: suffixes are for directories and Load takes one file: leave them out, or use New")
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
