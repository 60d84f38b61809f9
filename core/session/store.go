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

// Store keeps entries for as long as it is told to. The stores of
// github.com/alexedwards/scs are such stores. Implementations must be safe for
// concurrent use.
//
// Keys are 43 characters of base64url. An error means that the store cannot be
// asked, and is 503 to clients. One that has the methods of [ContextStore] is
// called by those.
type Store interface {
	// Find returns the entry of key. One that has expired is as good as none,
	// which is not an error.
	Find(key string) (data []byte, found bool, err error)
	// Commit keeps an entry until expires, in place of the one that key has.
	Commit(key string, data []byte, expires time.Time) error
	// Delete removes the entry of key; none is not an error.
	Delete(key string) error
}

// ContextStore is a [Store] that can give up when it has taken too long. A request that
// is over ends no call of it, which a client of a database would give its connection up
// for.
type ContextStore interface {
	Store
	FindCtx(ctx context.Context, key string) (data []byte, found bool, err error)
	CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error
	DeleteCtx(ctx context.Context, key string) error
}
