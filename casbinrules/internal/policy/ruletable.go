package policy

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// ruleTable finds rules that Casbin cannot tell apart: those whose fields, joined
// with commas, are equal. Such rules have the same newest text, the one with the
// highest number, which few other rules have; if many have it, they are found by a
// hash of all their texts.
type ruleTable struct {
	// newest is the last rule with a newest text, by text, and previous the one
	// before it with the same, by rule; rules are counted from 1. At most chain rules
	// are compared one by one; with 0, all are found by hash, so that few rules with
	// some of many texts need no table of these.
	newest, previous []int32
	chain            int
	seed             uint64
	slots            texttable.Slots // the other rules, by hash
	used             int
	// commas reports that a rule has a comma inside a field, so that another one with
	// more fields may read the same.
	commas bool
}

// maxChain is the usual chain.
const maxChain = 8

func newRuleTable() ruleTable { return ruleTable{chain: maxChain, seed: rand.Uint64()} }

// reserve allocates memory for so many further rules.
func (t *ruleTable) reserve(n int) { t.previous = slices.Grow(t.previous, n) }

// put adds r after rules, the ones so far, or returns the one among them that is
// equivalent. numbers are those of the texts between the commas of r: its fields, if
// none of them contains a comma.
func (t *ruleTable) put(rules []*Rule, r *Rule, numbers []int32) *Rule {
	t.commas = t.commas || len(numbers) > int(r.count)
	if t.chain == 0 {
		return t.putHashed(rules, r, numbers)
	}
	newest := slices.Max(numbers)
	if more := int(newest) + 1 - len(t.newest); more > 0 {
		t.newest = append(t.newest, make([]int32, more)...)
	}
	last := t.newest[newest]
	length := 0
	for at := last; at != 0; at = t.previous[at-1] {
		if other := rules[at-1]; t.equivalent(other, r) {
			return other
		}
		length++
	}
	if length < t.chain {
		t.previous = append(t.previous, last)
		t.newest[newest] = int32(len(rules)) + 1
		return nil
	}
	if other := t.putHashed(rules, r, numbers); other != nil {
		return other
	}
	t.previous = append(t.previous, 0)
	return nil
}

// putHashed is put for a rule that is in no chain.
func (t *ruleTable) putHashed(rules []*Rule, r *Rule, numbers []int32) *Rule {
	if t.used >= len(t.slots)*5/8 {
		t.slots = t.slots.Resized(max(8, 2*len(t.slots)))
	}
	hash := t.hash(numbers)
	last := len(t.slots) - 1
	at := int(hash) & last
	for ; t.slots[at].Number != 0; at = (at + 1) & last {
		if s := &t.slots[at]; s.Hash == hash {
			if other := rules[s.Number-1]; t.equivalent(other, r) {
				return other
			}
		}
	}
	t.slots[at] = texttable.Slot{Hash: hash, Number: int32(len(rules)) + 1}
	t.used++
	return nil
}

func (t *ruleTable) equivalent(a, b *Rule) bool {
	return slices.Equal(a.Numbers(), b.Numbers()) ||
		t.commas && strings.Join(a.Values(), ",") == strings.Join(b.Values(), ",")
}

func (t *ruleTable) hash(numbers []int32) uint32 { return hashOf(t.seed, numbers) }

// hashOf returns a hash of the numbers of texts.
func hashOf(seed uint64, numbers []int32) uint32 {
	for _, n := range numbers {
		seed = texttable.Mix(seed, uint64(uint32(n)))
	}
	return uint32(seed)
}
