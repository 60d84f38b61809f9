// Package errlog logs errors of what runs in the background, each as long as it lasts.
package errlog

import "log/slog"

// New returns a function to call with the current error, or nil if there is none, one
// call at a time. It tells slog's default logger of each error that differs from the
// one before, and of the end of the last one.
func New(what string) func(error) {
	return Changes(func(err error) {
		if err == nil {
			slog.Info(what + ": up to date again")
		} else {
			slog.Warn(what+": not up to date", "error", err)
		}
	})
}

// Changes returns a function like that of [New], which calls tell with what it would log.
func Changes(tell func(error)) func(error) {
	last := ""
	return func(err error) {
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != last {
			last = text
			tell(err)
		}
	}
}
