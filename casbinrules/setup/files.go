package setup

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/sallyport-go/sallyport/core/watch"
)

// closes registers a function for Close of the setup, which calls it once: some stores
// call it an error to be closed twice.
func (a *assembly) closes(f func() error) { a.made.closers = append(a.made.closers, sync.OnceValue(f)) }

// path returns a path that is relative to the folder of the configuration file.
func (a *assembly) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(a.doc.Dir(), path)
}

// load makes into load the file at path, now and after each edit.
func (a *assembly) load(path string, into watch.Loader) error {
	log := a.log
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder, and one file is expected", path)
	}
	if !a.config.Watch {
		var mu sync.Mutex // so that an older content never replaces a newer one
		read := func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			now, err := watch.Read([]string{path})
			if err != nil {
				return err
			}
			return into.Load(path, now.Files[0].Content)
		}
		a.made.reloads = append(a.made.reloads, read)
		return read(context.Background())
	}
	refused := func(err error) {
		log.Error("file rejected, the last good one stays in use", "file", path, "error", err)
	}
	w, err := watch.Load(path, logged{into, log}, watch.WithErrorObserver(refused))
	if err != nil {
		return err
	}
	a.made.reloads = append(a.made.reloads, func(ctx context.Context) error {
		_, err := w.Trigger(ctx)
		return err
	})
	a.closes(w.Close)
	return nil
}

// logged is a loader that logs each load.
type logged struct {
	watch.Loader
	log *slog.Logger
}

func (l logged) Load(name string, data []byte) error {
	err := l.Loader.Load(name, data)
	if err == nil {
		l.log.Info("file loaded", "file", name)
	}
	return err
}
