package casbinrules

import (
	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/explain"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Findings about models and policies.
type (
	// Finding is one problem in a model or policy file: its File, Line and Column,
	// Severity, Code, Message and Hint.
	Finding = model.Finding
	// FindingsError refuses a model or a policy for its Findings.
	FindingsError = model.FindingsError
	// Severity is the effect of a [Finding] on the load.
	Severity = model.Severity
	// AttributeType is the type of an attribute's values, which determines how a
	// matcher may compare them; see [WithAttributeType].
	AttributeType = model.AttributeType
	// Matcher describes what the model in force compares requests with, for tools
	// that generate requests: its Text, Effect, Comparisons, Opaque conditions,
	// RolesTogether, and OwnRoles.
	Matcher = model.Matcher
	// Comparison is one condition of a matcher on one Field of a request: its
	// Function, and the Column of the policy or the Text that it compares with.
	Comparison = model.Comparison
	// RuleText is a policy line for display: its File, Line and Text.
	RuleText = policy.RuleText
)

// Decisions and explanations.
type (
	// Engine is the name of what makes a decision. Both engines decide as Casbin
	// does.
	Engine = engine.Name
	// Explanation says why a request is allowed or refused, for operators and tools:
	// it names rules and roles, which clients must not see. Subject, Roles, Tenant,
	// Object and Action are the request; Allowed, Reason, Why and Rule the decision;
	// Chain, ObjectChain and ActionChain the role links that led to it; and
	// Overrides and NearMisses the lines that would have allowed it. Engine and
	// Unindexed say how it was decided, and Version by which policy.
	Explanation = explain.Explanation
	// ChainLink is one step of an [Explanation], From a name To a role that it has
	// by a Rule, which is nil if the credentials carry the role.
	ChainLink = explain.ChainLink
	// NearMiss is a Rule that would have allowed a request but for one condition,
	// its Miss; Text describes it in words.
	NearMiss = explain.NearMiss
	// Miss says which condition of a [NearMiss] does not hold.
	Miss = explain.Miss
)

// The severities, least severe first. An error refuses the policy. A warning does
// not, and is logged. A note is neither refused nor logged: what it reports is fine
// in most policies, so only [Lint] returns it.
const (
	SeverityNote    Severity = model.SeverityNote
	SeverityWarning Severity = model.SeverityWarning
	SeverityError   Severity = model.SeverityError
)

// The types of attributes. A value must have the form of its type exactly.
const (
	// Text is any text, compared by == and != byte by byte. It has no order.
	Text AttributeType = model.Text
	// Number is a decimal number such as 18, -3 or 0.25, of at most 15
	// significant digits or a whole number below 2^53, compared as float64.
	Number AttributeType = model.Number
	// TimeOfDay is a time on a 24-hour clock as HH:MM or HH:MM:SS, from 00:00 to
	// 24:00, the end of the day, without a time zone.
	TimeOfDay AttributeType = model.TimeOfDay
	// Date is a day of the Gregorian calendar as YYYY-MM-DD (full-date of RFC
	// 3339 §5.6).
	Date AttributeType = model.Date
	// IPAddress is an IPv4 or IPv6 address (RFC 4291 §2.2) without a zone,
	// compared by ==, != and ipMatch.
	IPAddress AttributeType = model.IPAddress
)

// The engines.
const (
	// EngineIndex looks rules up in tables that are built when the policy is loaded.
	// It takes about as long for a million rules as for ten.
	EngineIndex Engine = engine.EngineIndex
	// EngineCasbin is Casbin's enforcer, which tries one rule after another.
	EngineCasbin Engine = engine.EngineCasbin
)

// The misses.
const (
	MissAction    Miss = explain.MissAction
	MissObject    Miss = explain.MissObject
	MissSubject   Miss = explain.MissSubject
	MissTenant    Miss = explain.MissTenant
	MissCondition Miss = explain.MissCondition
)

// Reasons of refusals.
const (
	// ReasonNoRule says that no rule allows the request.
	ReasonNoRule core.Reason = engine.ReasonNoRule
	// ReasonDeniedByRule says that the rule in Decision.Rule denies the request.
	ReasonDeniedByRule core.Reason = engine.ReasonDeniedByRule
	// ReasonSubjectIsRoleName says that no rule allows the request, and that the
	// principal's ID is the name of a role or "anonymous", which grants a user
	// nothing.
	ReasonSubjectIsRoleName core.Reason = engine.ReasonSubjectIsRoleName
	// ReasonNoTenant says that the model has tenants and the principal has none.
	ReasonNoTenant core.Reason = engine.ReasonNoTenant
	// ReasonNoObject says that there is nothing to compare with the policy: no route
	// matched, with [WithRouteAsObject].
	ReasonNoObject core.Reason = engine.ReasonNoObject
	// ReasonNoAttribute says that the request lacks an attribute that the model
	// uses; see [WithAttribute].
	ReasonNoAttribute core.Reason = engine.ReasonNoAttribute
	// ReasonBadAttribute says that an attribute of the request is not a valid value
	// of its type; see [WithAttributeType]. For a principal whose ID is the name of
	// a role, the text "\x00", which replaces the ID, is never valid.
	ReasonBadAttribute core.Reason = engine.ReasonBadAttribute
)

// ErrNoAttribute is the error that the function of a [WithAttribute] option returns,
// wrapped or not, when the request lacks the attribute. The request is then refused
// with [ReasonNoAttribute], whatever the policy says.
var ErrNoAttribute = engine.ErrNoAttribute
