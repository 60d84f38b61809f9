package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"reflect"
)

// Watcher reports changes of a policy. Casbin's watchers, of any major version,
// implement it.
type Watcher interface {
	// SetUpdateCallback makes the watcher call the function after each change.
	SetUpdateCallback(call func(string)) error
	Close()
}

// WithWatcher loads a policy of [FromAdapter] again whenever w calls back. Calls
// during a load cause one more load. [WithReloadObserver] functions receive the
// outcome; after a failure, the policy in force stays until the next call, or a call
// of [Authorizer.Reload].
//
// The callback is set before the first load, so that no change is missed, and
// replaces any other. [Authorizer.Close] closes w; when FromAdapter returns an
// error, w is left open and its callback does nothing.
func WithWatcher(w Watcher) Option {
	return func(c *config) error {
		if isNil(w) {
			return errors.New("watcher is nil")
		}
		if c.updates != nil {
			return errors.New("watcher: the option is given twice")
		}
		c.updates = w
		return nil
	}
}

// updates reloads when a watcher calls back.
type updates struct {
	watcher Watcher
	pending chan struct{} // with a capacity of one
	stop    context.CancelFunc
	ended   chan struct{}
}

// watchUpdates sets the callback of w. Nothing is loaded before start.
func watchUpdates(w Watcher) (*updates, error) {
	u := &updates{watcher: w, pending: make(chan struct{}, 1), ended: make(chan struct{})}
	err := w.SetUpdateCallback(func(string) {
		select {
		case u.pending <- struct{}{}:
		default: // the pending load sees this change, too
		}
	})
	if err != nil {
		return nil, fmt.Errorf("watcher: set callback: %w", err)
	}
	return u, nil
}

// start reloads a after every call from now on, and once if there has been one.
func (u *updates) start(a *Authorizer) {
	ctx, stop := context.WithCancel(context.Background())
	u.stop = stop
	go func() {
		defer close(u.ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-u.pending:
				// Observers and Status receive the outcome.
				_ = a.Reload(ctx)
			}
		}
	}()
}

// close stops loading, and then closes the watcher, whose Close may wait for a
// callback that is running.
func (u *updates) close() {
	u.stop()
	<-u.ended
	u.watcher.Close()
}

// isNil reports whether v is nil, or an interface that holds a nil pointer,
// map or function.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Chan, reflect.Slice, reflect.Interface:
		return r.IsNil()
	default:
		return false
	}
}
