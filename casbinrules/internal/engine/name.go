package engine

// Name is what works out a decision. Whichever it is, the decision is that of
// Casbin.
type Name string

const (
	// EngineIndex looks rules up in tables that are made when the policy is
	// loaded. It takes about as long for a million rules as for ten.
	EngineIndex Name = "index"
	// EngineCasbin is Casbin's enforcer, which tries rule by rule.
	EngineCasbin Name = "casbin"
)

// EngineName is the engine of the policy.
func (s *Snapshot) EngineName() Name {
	if s.Index != nil {
		return EngineIndex
	}
	return EngineCasbin
}

// WhyCasbin is why Casbin answered and not the index.
func (s *Snapshot) WhyCasbin() string {
	if s.Unindexed != nil {
		return s.Unindexed.Error()
	}
	return "the object holds a character that means something else to some pattern"
}
