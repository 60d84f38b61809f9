package demo

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/watch"
	"github.com/sallyport-go/sallyport/examples/policy"
)

// Keep has SIGHUP reload the policy, and closes it when the server ends.
func (d *Demo) Keep(p *casbinrules.Authorizer) { d.policy = p }

// Load is [watch.Load] with the outcome in the log: it has into load the file at
// path, now and whenever it is edited. A bad edit changes nothing; a file that
// is bad at the start ends it.
func (d *Demo) Load(path string, into watch.Loader) { orPanic(d.load(path, into)) }

func (d *Demo) load(path string, into watch.Loader) error {
	refused := func(err error) {
		d.Log.Error("file rejected, the last good one stays in use", "file", path, "error", err)
	}
	w, err := watch.Load(path, logged{into, d.Log}, watch.WithErrorObserver(refused))
	if err != nil {
		return err
	}
	d.watchers = append(d.watchers, w)
	return nil
}

// LoadUsers loads the htpasswd file that the flags name, or the demo users.
func (d *Demo) LoadUsers(into watch.Loader) {
	if d.users != "" {
		d.Load(d.users, into)
		return
	}
	text, err := policy.Files.ReadFile(policy.Users)
	orPanic(err)
	orPanic(into.Load(policy.Users, text))
}

// orPanic ends the start with the error, if it is one.
func orPanic(err error) {
	if err != nil {
		panic(err)
	}
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
func (d *Demo) reload(ctx context.Context) {
	if d.policy != nil {
		_ = d.policy.Reload(ctx)
	}
	for _, w := range d.watchers {
		_, _ = w.Trigger(ctx)
	}
}

// reloadOnHangup reloads at each SIGHUP, for those who would rather say when
// than have the files watched. It returns what ends it.
func (d *Demo) reloadOnHangup(ctx context.Context) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			d.reload(ctx)
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
	}
}

// close ends what runs in the background.
func (d *Demo) close() error {
	var errs []error
	for _, w := range d.watchers {
		errs = append(errs, w.Close())
	}
	if d.policy != nil {
		errs = append(errs, d.policy.Close())
	}
	if d.fetched != nil {
		d.fetched.Close()
	}
	return errors.Join(errs...)
}
