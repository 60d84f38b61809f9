package revoke

import "log/slog"

// logStatus returns an observer that logs what an operator has to know, each as long
// as it lasts. log returns the logger.
func logStatus(log func() *slog.Logger) func(Status) {
	failing, restarts, deaf := "", uint64(0), false
	return func(s Status) {
		text := ""
		if s.Err != nil {
			text = s.Err.Error()
		}
		switch {
		case text == failing:
		case text == "":
			log().Info("revocations read from their log again")
		default:
			log().Error("revocations not read from their log, those that are known stay in force", "error", s.Err)
		}
		failing = text
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
