package session

import "github.com/sallyport-go/sallyport/core/internal/sessionstore"

// For tests of the store's content.
var (
	Decode = decode
	IsID   = isID
)

// MaxRecord and MaxCalls are limits.
const (
	MaxRecord = sessionstore.MaxRecord
	MaxCalls  = sessionstore.MaxCalls
)
