package engine

// Name is the name of what made a decision. Both engines decide as Casbin does.
type Name string

const (
	// EngineIndex looks rules up in tables that are built when the policy is loaded.
	// It takes about as long for a million rules as for ten.
	EngineIndex Name = "index"
	// EngineCasbin is Casbin's enforcer, which tries one rule after another.
	EngineCasbin Name = "casbin"
)

// EngineName returns the engine of the policy.
func (s *Snapshot) EngineName() Name {
	if s.Index != nil {
		return EngineIndex
	}
	return EngineCasbin
}

// WhyCasbin says why Casbin decided instead of the index.
func (s *Snapshot) WhyCasbin() string {
	if s.Unindexed != nil {
		return s.Unindexed.Error()
	}
	return "the object contains a character that some pattern treats specially"
}
