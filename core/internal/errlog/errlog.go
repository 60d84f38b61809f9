// Package errlog logs errors of what runs in the background, each as long as it lasts.
package errlog

import "log/slog"

// New returns a function to call with the current error, or nil if there is none, one
// call at a time. It tells slog's default logger of each error that differs from the
// one before, and of the end of the last one.
func New(what string) func(error) {
	last := ""
	return func(err error) {
		text := ""
		if err != nil {
			text = err.Error()
		}
		switch {
		case text == last:
			return
		case text == "":
			slog.Info(what + ": up to date again")
		default:
			slog.Warn(what+": not up to date", "error", err)
		}
		last = text
	}
}
