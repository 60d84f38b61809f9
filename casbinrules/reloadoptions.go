package casbinrules

import (
	"context"
	"errors"

	"github.com/sallyport-go/sallyport/core/watch"
)

// WithFileWatch makes [Open] watch the model file and the policy files, and puts
// every change into force that loads without an error. [Authorizer.Close] stops it.
// Only files of the operating system can be watched, not those of [OpenFS].
//
// Editors may rename over a file, truncate and write it, write it twice, or delete
// and recreate it; a Kubernetes ConfigMap may swap its symbolic links. A file that
// is missing for a moment, or has become shorter and lost its last line break, is
// given time to become complete. One that stays broken is rejected or not read, and
// the policy in force stays: see [WithReloadObserver] and [Authorizer.Status].
//
// Revocation latency: a change applies to every request that begins once the files
// have not changed for 100 ms (at most 1 s after the first change, if they keep
// changing), plus the time of loading, some 10 ms for a thousand rules. If the
// operating system sends no events, as with some network mounts, polling adds up to
// 30 s. [Authorizer.Reload] waits for neither.
//
// Useful options of package watch are [watch.WithDebounce],
// [watch.WithPollInterval], [watch.WithMaxFileSize] and [watch.WithMaxTotalSize];
// this package sets the others itself.
func WithFileWatch(opts ...watch.Option) Option {
	return func(c *config) error {
		if c.watching {
			return errors.New("watch: the option is given twice")
		}
		c.watching = true
		c.watch = opts
		return nil
	}
}

// WithReloadObserver calls observe after every attempt to load the policy again;
// several observers are called in the order given. The first one replaces the
// default, which is [LogReloads] with the logger of [WithLogger].
//
// Calls are sequential and delay the next reload, so they should be short. They must
// not call Reload, ReloadForced or Close, which would wait for them. A panic in one
// of them is recovered and has no effect.
func WithReloadObserver(observe func(ctx context.Context, e ReloadEvent)) Option {
	return func(c *config) error {
		if observe == nil {
			return errors.New("reload observer is nil")
		}
		c.observers = append(c.observers, observe)
		return nil
	}
}
