package model

// The policy effects that Casbin knows, as it has them once a model is read. It
// compares them letter by letter.
const (
	AllowOverrideEffect   = "some(where (p_eft == allow))"
	DenyOverrideEffect    = "!some(where (p_eft == deny))"
	AllowAndDenyEffect    = "some(where (p_eft == allow)) && !some(where (p_eft == deny))"
	PriorityEffect        = "priority(p_eft) || deny"
	SubjectPriorityEffect = "subjectPriority(p_eft) || deny"
)

// PriorityColumn is the policy field that Casbin sorts rules by.
const PriorityColumn = "priority"
