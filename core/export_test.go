package core

// What events hold of client-chosen strings is tested without a logger.
var (
	Printable = printable
	TraceID   = traceID
)

// MaxLogged is how much of one string a log line takes.
const MaxLogged = maxLogged

// Messages are the generic texts of the standard codes.
func Messages() map[string]string { return messages }
