package lint

import "github.com/sallyport-go/sallyport/casbinrules/internal/policy"

// ruleSet holds the first rule for each effect and action, of rules with the same
// object.
type ruleSet map[ruleEffect]policy.Rule

type ruleEffect struct{ effect, action string }

// put adds r unless there is a rule at that place.
func (s *ruleSet) put(at ruleEffect, r policy.Rule) {
	if *s == nil {
		*s = ruleSet{}
	}
	if (*s)[at].IsZero() {
		(*s)[at] = r
	}
}
