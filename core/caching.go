package core

// WithSharedCaching leaves to handlers whether shared caches may store their
// answers to requests with a principal: a Cache-Control that a handler sets, or
// middleware in front of the gate, is sent as it is. Without one the answer is
// private all the same. Of several gates and checks on the way of a request the
// last one's guard decides; give the option to a variant ([Guard.With]) for the
// routes that it is meant for.
//
// A cache serves what it has stored until that is stale, without asking the
// gates: also when the token has expired, the session has ended, the key was
// revoked or the role was taken away, and nobody logs the access. Vary keeps
// apart the credentials, in caches that heed it; content delivery networks mostly
// do not, and serve one user's answer to everybody. Use it for what all
// who pass may see, with a short s-maxage, behind a cache that heeds Vary.
func WithSharedCaching() Option {
	return func(g *Guard) error {
		g.sharedCaching = true
		return nil
	}
}

// private is for answers to requests with a principal. It gives way to what
// others have set, which adapters complete.
var private = sharedField("Cache-Control", "private")
