package session

import "github.com/sallyport-go/sallyport/core/internal/sessionstore"

// Access to the store's content, for tests.
var (
	Decode = decode
	IsID   = isID
)

// MaxRecord and MaxCalls are limits.
const (
	MaxRecord = sessionstore.MaxRecord
	MaxCalls  = sessionstore.MaxCalls
)
