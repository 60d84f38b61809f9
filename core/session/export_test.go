package session

// For tests of what the store may come to hold.
var (
	Decode = decode
	IsID   = isID
)

// MaxRecord and MaxCalls are limits.
const (
	MaxRecord = maxRecord
	MaxCalls  = maxCalls
)
