package policy

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// ruleTable finds rules that Casbin cannot tell apart, those whose fields, joined with
// commas, are equal, by a hash of the texts between their commas.
type ruleTable struct {
	seed  uint64
	slots texttable.Slots
	// commas reports that a rule has a comma inside a field, so that another one with
	// more fields may read the same.
	commas bool
}

func newRuleTable() ruleTable { return ruleTable{seed: rand.Uint64()} }

// reserve makes room for so many rules.
func (t *ruleTable) reserve(rules int) {
	size := max(8, len(t.slots))
	for size*5/8 < rules {
		size *= 2
	}
	if size > len(t.slots) {
		t.slots = t.slots.Resized(size)
	}
}

// put adds r after rules, the ones so far, and returns the zero Rule, or the one among
// them that is equivalent. numbers are those of the texts between the commas of r: its fields, if
// none of them contains a comma.
func (t *ruleTable) put(rules Rules, r Rule, numbers []int32) Rule {
	t.commas = t.commas || len(numbers) > int(r.count())
	t.reserve(rules.Len() + 1)
	hash := hashOf(t.seed, numbers)
	last := len(t.slots) - 1
	at := int(hash) & last
	for ; t.slots[at].Number != 0; at = (at + 1) & last {
		if s := &t.slots[at]; s.Hash == hash {
			if other := rules.At(int(s.Number) - 1); t.equivalent(other, r) {
				return other
			}
		}
	}
	t.slots[at] = texttable.Slot{Hash: hash, Number: int32(rules.Len()) + 1}
	return Rule{}
}

func (t *ruleTable) equivalent(a, b Rule) bool {
	return slices.Equal(a.Numbers(), b.Numbers()) ||
		t.commas && strings.Join(a.Values(), ",") == strings.Join(b.Values(), ",")
}

// hashOf returns a hash of the numbers of texts.
func hashOf(seed uint64, numbers []int32) uint32 {
	for _, n := range numbers {
		seed = texttable.Mix(seed, uint64(uint32(n)))
	}
	return uint32(seed)
}
