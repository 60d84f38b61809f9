package casbinrules

import (
	"context"
	"errors"

	"github.com/sallyport-go/sallyport/core/watch"
)

// WithFileWatch has [Open] watch the model file and the policy files, and put every
// change into force that loads without an error. [Authorizer.Close] ends it.
// Only files of the operating system can be watched, not those of [OpenFS].
//
// Editors may rename over a file, truncate and write it, write it twice, or
// delete and recreate it; a Kubernetes ConfigMap may swap its symbolic links. A
// file that is missing for a moment, or has become shorter and lost the line
// break at its end, is given time to become whole. One that stays broken is
// rejected or not read, and the policy in force stays: see
// [WithReloadObserver] and [Authorizer.Status].
//
// Revocation latency: a change decides every request that begins once the
// files have been left alone for 100 ms (at most 1 s after the first change,
// if they are not left alone), plus the time of loading, some 10 ms for a
// thousand rules. Where the operating system tells nothing, as with some
// network mounts, it is up to the poll's 30 s more. [Authorizer.Reload] waits
// for neither.
//
// Of package watch the options [watch.WithDebounce], [watch.WithPollInterval],
// [watch.WithMaxFileSize] and [watch.WithMaxTotalSize] are of use; what the
// others set is this package's own.
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

// WithReloadObserver has observe told of every attempt to load the policy again; several
// are told in the order given. The first one given replaces the default, which
// is [LogReloads] with the logger of [WithLogger].
//
// Calls follow one another and hold up the next reload, so they should be
// short. They must not call Reload, ReloadForced or Close, which would wait for
// them. A panic in one of them changes nothing.
func WithReloadObserver(observe func(ctx context.Context, e ReloadEvent)) Option {
	return func(c *config) error {
		if observe == nil {
			return errors.New("reload observer is nil")
		}
		c.observers = append(c.observers, observe)
		return nil
	}
}
