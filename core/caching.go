package core

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/option"
)

// WithSharedCaching lets handlers decide whether shared caches may store their
// responses to requests with a principal: a Cache-Control set by a handler, or by
// middleware in front of the gate, is sent unchanged. If nothing sets one, the
// response is still private. When a request passes several gates and checks, the
// guard of the last one decides; give the option to a variant ([Guard.With]) for
// the routes it is meant for.
//
// A cache serves a stored response until it is stale without asking the gates, even
// after the token has expired, the session has ended, the key was revoked or the
// role was taken away, and no access is logged. Vary keeps credentials apart only
// in caches that honor it; most content delivery networks do not, and serve one
// user's response to everyone. Use this option for content that everyone who passes
// may see, with a short s-maxage, behind a cache that honors Vary.
func WithSharedCaching() Option { return func(g *Guard) error { return option.On(&g.sharedCaching) } }

// private is added to responses to requests with a principal. It yields to a
// Cache-Control that others have set, which adapters complete.
var private = sharedField("Cache-Control", "private")

var noStore = sharedField("Cache-Control", "no-store")

// finishVary works out which request fields responses depend on. Every scheme sees
// every request, so every response depends on the fields of all schemes.
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
	g.nobody = admission{guard: g, fields: g.varyFields}
	for i := range g.schemes {
		s := &g.schemes[i]
		s.usual = admission{guard: g, scheme: s, fields: append(slices.Clone(g.varyFields), private)}
	}
}
