package core

import (
	"slices"
	"strings"
)

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

var noStore = sharedField("Cache-Control", "no-store")

// finishVary works out which answers depend on which request fields. Every
// scheme is asked of every request, so all answers depend on all their fields.
func (g *Guard) finishVary() {
	var vary []string
	for _, s := range g.schemes {
		for _, name := range s.vary {
			if !slices.Contains(vary, name) {
				vary = append(vary, name)
			}
		}
	}
	if g.tenant != nil {
		vary = append(vary, g.tenant.vary...)
	}
	if g.noPrompts {
		vary = append(vary, fetchMode)
	}
	g.varyFields = nil
	if len(vary) > 0 {
		g.varyFields = []Field{sharedField("Vary", strings.Join(vary, ", "))}
	}
	for i := range g.schemes {
		g.schemes[i].allowed = append(slices.Clone(g.varyFields), private)
	}
}
