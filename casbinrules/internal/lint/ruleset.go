package lint

import (
	"iter"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// ruleSet holds the first rule for each effect and action, of rules with the same
// object. Most sets have one.
type ruleSet struct {
	few  []ruleEntry
	many map[ruleEffect]*policy.Rule
}

type ruleEffect struct{ effect, action string }

type ruleEntry struct {
	ruleEffect
	rule *policy.Rule
}

// maxFew is the maximum number of rules that are compared one by one.
const maxFew = 8

func (s *ruleSet) get(at ruleEffect) *policy.Rule {
	if s.many != nil {
		return s.many[at]
	}
	for i := range s.few {
		if s.few[i].ruleEffect == at {
			return s.few[i].rule
		}
	}
	return nil
}

// put adds r unless there is a rule at that place.
func (s *ruleSet) put(at ruleEffect, r *policy.Rule) {
	if s.get(at) != nil {
		return
	}
	if s.many == nil && len(s.few) < maxFew {
		s.few = append(s.few, ruleEntry{at, r})
		return
	}
	if s.many == nil {
		s.many = map[ruleEffect]*policy.Rule{}
		for _, e := range s.few {
			s.many[e.ruleEffect] = e.rule
		}
		s.few = nil
	}
	s.many[at] = r
}

func (s *ruleSet) empty() bool { return len(s.few) == 0 && s.many == nil }

// all returns the effects and actions that have rules.
func (s *ruleSet) all() iter.Seq[ruleEffect] {
	return func(yield func(ruleEffect) bool) {
		for i := range s.few {
			if !yield(s.few[i].ruleEffect) {
				return
			}
		}
		for at := range s.many {
			if !yield(at) {
				return
			}
		}
	}
}
