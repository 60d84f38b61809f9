package casbinrules

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core"
)

// rememberedSize is the number of remembered requests; a power of two.
const rememberedSize = 1 << 17

// remembered holds the requests that were allowed, as hashes with a secret seed.
// Each has one slot, in which the newest stays.
type remembered struct {
	seed   maphash.Seed
	hashes []atomic.Uint64
}

func newRemembered() *remembered {
	return &remembered{maphash.MakeSeed(), make([]atomic.Uint64, rememberedSize)}
}

// question returns the hash of a request, never 0. p is nil for anonymous requests,
// attributes for models without any.
func (r *remembered) question(p *core.Principal, noRoles bool, object, action string, attributes core.Attributes) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	text := func(s string) {
		maphash.WriteComparable(&h, len(s)) // the length keeps different lists from having the same bytes
		_, _ = h.WriteString(s)             // never fails
	}
	text(object)
	text(action)
	if p != nil {
		text(p.ID())
		text(p.Tenant())
		if !noRoles {
			for role := range p.CredentialRoles() {
				text(role)
			}
		}
	}
	maphash.WriteComparable(&h, -1) // no text has this length, so a role never equals an attribute
	if attributes != nil {
		for name, value := range attributes.All() {
			text(name)
			text(value)
		}
	}
	return max(h.Sum64(), 1)
}

func (r *remembered) add(question uint64) {
	at := &r.hashes[question%rememberedSize]
	if at.Load() != question { // avoids moving the cache line between processors
		at.Store(question)
	}
}

func (r *remembered) has(question uint64) bool {
	return r.hashes[question%rememberedSize].Load() == question
}
