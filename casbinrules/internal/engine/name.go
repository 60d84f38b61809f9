package engine

// Name is the name of what made a decision. Both engines decide as Casbin does.
type Name string

// The engines, as package casbinrules documents them.
const (
	EngineIndex  Name = "index"
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
