// Package errlog logs errors of what runs in the background, each as long as it lasts.
package errlog

import (
	"log/slog"
	"regexp"
)

// New returns a function to call with the current error, or nil if there is none, one
// call at a time. It tells slog's default logger of each error, once until they end,
// and of their end.
func New(what string) func(error) {
	return Changes(func(err error) {
		if err == nil {
			slog.Info(what + ": up to date again")
		} else {
			slog.Warn(what+": not up to date", "error", err)
		}
	})
}

// maxTold is how many errors of one outage are remembered.
const maxTold = 16

// port is that of a connection's own end, which every attempt has another one of.
var port = regexp.MustCompile(`:\d+->`)

// Changes returns a function like that of [New], which calls tell with what it would log.
// While there are errors, each is told of once, even if they take turns, as those of a
// server that resets connections.
func Changes(tell func(error)) func(error) {
	told := map[string]bool{}
	return func(err error) {
		if err == nil {
			if len(told) > 0 {
				clear(told)
				tell(nil)
			}
			return
		}
		text := port.ReplaceAllString(err.Error(), "->")
		if told[text] {
			return
		}
		if len(told) == maxTold {
			clear(told)
		}
		told[text] = true
		tell(err)
	}
}
