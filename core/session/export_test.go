package session

import "github.com/sallyport-go/sallyport/core/internal/sessionstore"

// For tests of what the store may come to hold.
var (
	Decode = decode
	IsID   = isID
)

// MaxRecord and MaxCalls are limits.
const (
	MaxRecord = sessionstore.MaxRecord
	MaxCalls  = sessionstore.MaxCalls
)
