package casbinrules

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// ruleTable finds rules as Casbin tells them apart, which is by their fields
// joined with commas.
type ruleTable struct {
	seed  uint64
	slots []slot // by hash; the number is that of the rule, counted from 1
	// commas says that some rule has one inside a field, so that another with
	// more fields may read the same.
	commas bool
}

func newRuleTable() ruleTable { return ruleTable{seed: rand.Uint64()} }

// expect makes room for so many rules in all.
func (t *ruleTable) expect(n int) {
	size := max(8, len(t.slots))
	for size*5/8 < n {
		size *= 2
	}
	if size > len(t.slots) {
		t.resize(size)
	}
}

// put adds r behind rules, the ones so far, or returns the one among them that
// reads the same. The numbers are those of the texts between the commas of r:
// its fields, if none of them has one.
func (t *ruleTable) put(rules []*rule, r *rule, numbers []int32) *rule {
	t.expect(len(rules) + 1)
	t.commas = t.commas || len(numbers) > int(r.count)
	hash := t.hash(numbers)
	last := len(t.slots) - 1
	at := int(hash) & last
	for ; t.slots[at].number != 0; at = (at + 1) & last {
		if s := &t.slots[at]; s.hash == hash {
			if other := rules[s.number-1]; t.same(other, r) {
				return other
			}
		}
	}
	t.slots[at] = slot{hash, int32(len(rules)) + 1}
	return nil
}

func (t *ruleTable) same(a, b *rule) bool {
	return slices.Equal(a.numbers(), b.numbers()) ||
		t.commas && strings.Join(a.values(), ",") == strings.Join(b.values(), ",")
}

func (t *ruleTable) hash(numbers []int32) uint32 {
	h := t.seed
	for _, n := range numbers {
		h = mix(h, uint64(uint32(n)))
	}
	return uint32(h)
}

// mix goes on with a hash by one number more.
func mix(h, n uint64) uint64 {
	h = (h ^ n) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}

func (t *ruleTable) resize(size int) {
	old := t.slots
	t.slots = make([]slot, size)
	last := size - 1
	for _, s := range old {
		if s.number == 0 {
			continue
		}
		at := int(s.hash) & last
		for t.slots[at].number != 0 {
			at = (at + 1) & last
		}
		t.slots[at] = s
	}
}
