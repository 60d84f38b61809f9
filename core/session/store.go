package session

import (
	"context"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/sessionstore"
)

// key is the name of an entry in the store.
type key = sessionstore.Key

func sessionKey(id string) key     { return sessionstore.NewKey("session", id) }
func usedKey(id string) key        { return sessionstore.NewKey("used", id) }
func endedKey(k key) key           { return sessionstore.NewKey("ended", string(k)) }
func generationKey(who string) key { return sessionstore.NewKey("generation", who) }
func groupKey(name string) key     { return sessionstore.NewKey("group", name) }
func onceKey(name string) key      { return sessionstore.NewKey("once", name) }

// Store keeps entries until they expire. The stores of github.com/alexedwards/scs
// implement it. Implementations must be safe for concurrent use.
//
// Keys are 43 characters of base64url. An error means that the store is
// unavailable, and clients get 503. If a store implements [ContextStore], its
// methods are used instead.
type Store interface {
	// Find returns the entry of key. An expired entry counts as missing, which is
	// not an error.
	Find(key string) (data []byte, found bool, err error)
	// Commit stores an entry until expires, replacing the current one of key.
	Commit(key string, data []byte, expires time.Time) error
	// Delete removes the entry of key; a missing entry is not an error.
	Delete(key string) error
}

// ContextStore is a [Store] whose calls can be stopped when they take too long. The
// context does not end with the request, since a database client would drop its
// connection for that.
type ContextStore interface {
	Store
	FindCtx(ctx context.Context, key string) (data []byte, found bool, err error)
	CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error
	DeleteCtx(ctx context.Context, key string) error
}
