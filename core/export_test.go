package core

// Client-chosen strings in events are tested without a logger.
var (
	Printable = printable
	TraceID   = traceID
)

// MaxLogged is how much of one string a log line contains.
const MaxLogged = maxLogged

// Messages are the generic texts of the standard codes.
func Messages() map[string]string { return messages }
