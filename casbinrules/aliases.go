package casbinrules

import (
	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/explain"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// What models and policies are found to be.
type (
	// Finding is one problem in a model or policy file: its File, Line and Column,
	// Severity, Code, Message and Hint.
	Finding = model.Finding
	// FindingsError refuses a model or a policy for its Findings.
	FindingsError = model.FindingsError
	// Severity says what a [Finding] does to the load.
	Severity = model.Severity
	// AttributeType is the type of an attribute's values, and says how a matcher may
	// compare them; see [WithAttributeType].
	AttributeType = model.AttributeType
	// Matcher is what the model in force compares requests with, for tools that
	// make up requests: its Text, Effect, Comparisons, Opaque conditions,
	// RolesTogether, and OwnRoles.
	Matcher = model.Matcher
	// Comparison is one condition of a matcher on one Field of a request: its
	// Function, and the Column of the policy or the Text compared with.
	Comparison = model.Comparison
	// RuleText is a policy line as people read it: its File, Line and Text.
	RuleText = policy.RuleText
)

// What decides, and why.
type (
	// Engine is what makes a decision. Whichever it is, the decision is Casbin's.
	Engine = engine.Name
	// Explanation says why a request is allowed or refused, for operators and
	// tools: it names rules and roles, which no client may see. Subject, Roles,
	// Tenant, Object and Action are what was asked; Allowed, Reason, Why and
	// Rule the answer; Chain, ObjectChain and ActionChain the role links on the
	// way, Overrides and NearMisses the lines that would have allowed it. Engine
	// and Unindexed say how it was worked out, Version of which policy.
	Explanation = explain.Explanation
	// ChainLink is one step of an [Explanation], From a name To a role it has by
	// a Rule, which is nil where the credentials bring the role.
	ChainLink = explain.ChainLink
	// NearMiss is a Rule that would have allowed a request but for one condition,
	// its Miss; Text says it in words.
	NearMiss = explain.NearMiss
	// Miss says which condition of a [NearMiss] does not hold.
	Miss = explain.Miss
)

// The severities, the least first. An error refuses the load. A warning does not, and
// is logged. A note is neither refused nor logged: it names something that is fine in
// most policies, so only [Lint] reports it.
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

// Why a decision was a refusal.
const (
	// ReasonNoRule says that no rule allows the request.
	ReasonNoRule core.Reason = engine.ReasonNoRule
	// ReasonDeniedByRule says that the rule in Decision.Rule denies the request.
	ReasonDeniedByRule core.Reason = engine.ReasonDeniedByRule
	// ReasonSubjectIsRoleName says that no rule allows the request, and that the
	// principal's ID is the name of a role, or "anonymous", by which nobody gets
	// anything.
	ReasonSubjectIsRoleName core.Reason = engine.ReasonSubjectIsRoleName
	// ReasonNoTenant says that the model has tenants and the principal has none.
	ReasonNoTenant core.Reason = engine.ReasonNoTenant
	// ReasonNoObject says that there is nothing to compare with the policy:
	// no route was matched, with [WithRouteAsObject].
	ReasonNoObject core.Reason = engine.ReasonNoObject
	// ReasonNoAttribute says that the request lacks an attribute that the model asks
	// for; see [WithAttribute].
	ReasonNoAttribute core.Reason = engine.ReasonNoAttribute
	// ReasonBadAttribute says that an attribute of the request cannot be read as its
	// type; see [WithAttributeType]. For a principal whose ID is the name of a role,
	// the text "\x00", which stands for such a subject, is also such an attribute.
	ReasonBadAttribute core.Reason = engine.ReasonBadAttribute
)

// ErrNoAttribute is the error that the function of a [WithAttribute] option returns,
// wrapped or not, when the request lacks the attribute. The request is then refused
// with [ReasonNoAttribute], whatever the policy says.
var ErrNoAttribute = engine.ErrNoAttribute
