package reports

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/watch"
)

// files are what takes effect when it is edited while the server runs.
type files struct {
	log      *slog.Logger
	policy   *casbinrules.Authorizer
	watchers []*watch.Watcher
}

// load has into load the file at path, now and whenever it is edited. A bad
// edit changes nothing; either outcome is in the log.
func (f *files) load(path string, into watch.Loader) error {
	refused := func(err error) {
		f.log.Error("file rejected, the last good one stays in use", "file", path, "error", err)
	}
	w, err := watch.Load(path, logged{into, f.log}, watch.OnError(refused))
	if err != nil {
		return err
	}
	f.watchers = append(f.watchers, w)
	return nil
}

// logged is a loader that logs what it has taken.
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

// reload looks at every file now, and tries a rejected one once more. The
// outcome is in the log.
func (f *files) reload(ctx context.Context) {
	_ = f.policy.Reload(ctx)
	for _, w := range f.watchers {
		_, _ = w.Trigger(ctx)
	}
}

// reloadOnHangup reloads at each SIGHUP, for those who would rather say when
// than have the files watched. It returns what ends it.
func (f *files) reloadOnHangup(ctx context.Context) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			f.reload(ctx)
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
	}
}

// close ends the watching.
func (f *files) close() error {
	var errs []error
	for _, w := range f.watchers {
		errs = append(errs, w.Close())
	}
	if f.policy != nil {
		errs = append(errs, f.policy.Close())
	}
	return errors.Join(errs...)
}
