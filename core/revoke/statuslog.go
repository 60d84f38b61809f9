package revoke

import (
	"cmp"
	"log/slog"

	"github.com/sallyport-go/sallyport/core/internal/errlog"
)

// logStatus returns an observer that logs what an operator has to know, each as long
// as it lasts. Without a logger it is slog's default one of the moment.
func logStatus(logger *slog.Logger) func(Status) {
	log := func() *slog.Logger { return cmp.Or(logger, slog.Default()) }
	changed := errlog.Changes(func(err error) {
		if err == nil {
			log().Info("revocations read from their log again")
		} else {
			log().Error("revocations not read from their log, those that are known stay in force", "error", err)
		}
	})
	restarts, deaf := uint64(0), false
	return func(s Status) {
		changed(s.Err)
		if s.Restarts > restarts {
			restarts = s.Restarts
			log().Error("the log of revocations has lost what was read last, as an emptied or restored store does: "+
				"what is known stays in force here, and instances that start now know only what the log has; revoke again what it lacks",
				"entries", s.Entries, "read", s.Read.Number)
		}
		if s.ListenErr != nil && s.Listens == 0 && s.Err == nil && !deaf {
			deaf = true
			log().Warn("no notifications of revocations, which the next poll finds", "error", s.ListenErr)
		}
	}
}
