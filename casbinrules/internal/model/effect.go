package model

// The policy effects that Casbin supports, as spelled after a model is read. Casbin
// compares them byte by byte.
const (
	AllowOverrideEffect   = "some(where (p_eft == allow))"
	DenyOverrideEffect    = "!some(where (p_eft == deny))"
	AllowAndDenyEffect    = "some(where (p_eft == allow)) && !some(where (p_eft == deny))"
	PriorityEffect        = "priority(p_eft) || deny"
	SubjectPriorityEffect = "subjectPriority(p_eft) || deny"
)

// PriorityColumn is the policy field that Casbin sorts rules by.
const PriorityColumn = "priority"
