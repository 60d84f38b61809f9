package casbinrules

// Engine is what works out a decision. Whichever it is, the decision is that of
// Casbin.
type Engine string

const (
	// EngineIndex looks rules up in tables that are made when the policy is
	// loaded. It takes about as long for a million rules as for ten.
	EngineIndex Engine = "index"
	// EngineCasbin is Casbin's enforcer, which tries rule by rule.
	EngineCasbin Engine = "casbin"
)

// engineName is the engine of the policy.
func (s *snapshot) engineName() Engine {
	if s.index != nil {
		return EngineIndex
	}
	return EngineCasbin
}

// whyCasbin is why Casbin answered and not the index.
func (s *snapshot) whyCasbin() string {
	if s.unindexed != nil {
		return s.unindexed.Error()
	}
	return "the object holds a character that means something else to some pattern"
}
