// Package replay decides the requests of a decision log again, with another policy.
package replay

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// The reasons why a line of a log is not replayed.
const (
	LackGateOne    = "gate_one"          // it is about authentication; no policy was asked
	LackRules      = "rules"             // rules of the program decided it; no policy was asked
	LackAsked      = "not_asked"         // it was refused before the policy was asked
	LackDecision   = "no_decision"       // there was an outage, or the client hung up
	LackCut        = "cut"               // the log has only part of the request
	LackPseudonym  = "pseudonyms"        // the log has pseudonyms instead of names
	LackAttribute  = "missing_attribute" // a policy needs an attribute that the log lacks
	LackUnreadable = "unreadable"        // it is not a line of a decision log
	LackFailed     = "failed"            // a policy cannot decide it
)

// lacks describes each reason, for a number of lines.
var lacks = map[string]string{
	LackGateOne:    "of gate one, which authenticates and needs no policy",
	LackRules:      "decided by rules of the program (Require, Check), which no policy holds",
	LackAsked:      "refused before the policy was asked",
	LackDecision:   "without a decision, such as those of an outage",
	LackCut:        "of which the log has not all, since it was too long",
	LackPseudonym:  "with pseudonyms in place of names, which no rule has",
	LackAttribute:  "without an attribute that a policy asks for",
	LackUnreadable: "not of a decision log",
	LackFailed:     "that a policy fails for",
}

// Settings configure a replay.
type Settings struct {
	// Old is the policy to compare with; nil for the decisions in the log. New is the
	// policy to try.
	Old, New *ask.Policy
	// Clock is the clock of both policies; nil if they have their own. If a policy depends
	// on it, lines are decided sequentially, and equal lines are decided again.
	Clock *ask.Clock
	// Samples is the number of line numbers kept for each reason of lines not replayed.
	Samples int
	// kinds is the maximum number of kinds of lines kept; 0 for maxEntries.
	kinds int
}

// line holds the parts of a line that a replay needs.
type line struct {
	Time                 time.Time
	Outcome              core.Outcome
	Reason               core.Reason
	Gate, Rule, Revision string
	Request              *decisionlog.Request
}

var pseudonym = regexp.MustCompile(`^~[0-9a-f]{4}\.[0-9a-f]{24}$`)

// lack returns why a line cannot be replayed, or "".
func (l *line) lack() string {
	r := l.Request
	switch {
	case r == nil:
		return LackUnreadable
	case l.Revision == "" && (l.Gate == "require" || l.Gate == "check"): // no policy was asked
		return LackRules
	case l.Revision == "" && l.Gate != "authorize":
		return LackGateOne
	case r.Action == "":
		return LackAsked
	case l.Outcome != core.OutcomeAllowed && l.Outcome != core.OutcomeForbidden && l.Outcome != core.OutcomeUnauthenticated:
		return LackDecision
	case r.Cut:
		return LackCut
	case hasPseudonym(r):
		return LackPseudonym
	}
	return ""
}

// hasPseudonym reports whether a value that the policy compares is a pseudonym.
func hasPseudonym(r *decisionlog.Request) bool {
	if IsPseudonym(r.Principal) || IsPseudonym(r.Tenant) || IsPseudonym(r.Action) || slices.ContainsFunc(r.TokenRoles, IsPseudonym) {
		return true
	}
	for _, value := range r.Attributes {
		if IsPseudonym(value) {
			return true
		}
	}
	if !strings.Contains(r.Resource, "~") {
		return false
	}
	for segment := range strings.SplitSeq(r.Resource, "/") {
		if IsPseudonym(segment) {
			return true
		}
	}
	return false
}

// IsPseudonym reports whether text is a pseudonym, as logs have it in place of a name.
func IsPseudonym(text string) bool {
	return strings.HasPrefix(text, "~") && pseudonym.MatchString(text)
}

// request is the part of a request, other than its resource, that a policy uses.
type request struct {
	core.Request
	method string
}

func (r *request) Method() string { return r.method }

// question is a line as a question to policies.
type question struct {
	principal *core.Principal // nil for a request without credentials
	access    core.Access
	request   request
	// unknownMethod is a method that the guard refused because no rule named it.
	unknownMethod bool
}

// put sets q to the question of a line.
func (q *question) put(l *line) (err error) {
	r := l.Request
	q.request.method = r.Method
	q.unknownMethod = l.Reason == core.ReasonUnknownMethod && l.Revision == ""
	q.access = core.Access{
		Action: r.Action, Request: &q.request,
		Resource: core.Resource{Route: r.Route, Path: r.Resource, Name: r.Name, Folded: r.Folded},
	}
	q.principal = nil
	if r.Principal == "" {
		return nil
	}
	var claims map[string]any
	if len(r.Attributes) > 0 {
		claims = make(map[string]any, len(r.Attributes))
	}
	for name, value := range r.Attributes {
		claims[name] = value
	}
	q.principal, err = core.NewPrincipal(core.PrincipalInfo{ID: r.Principal, Roles: r.TokenRoles, Tenant: r.Tenant, Claims: claims})
	return err
}

func (q *question) decide(ctx context.Context, a *ask.Policy) (core.Decision, error) {
	if q.unknownMethod && !a.JudgesMethod(q.request.method) {
		return core.Decision{Reason: core.ReasonUnknownMethod}, nil
	}
	if q.principal == nil {
		return a.AuthorizeAnonymous(ctx, q.access)
	}
	return a.Authorize(ctx, q.principal, q.access)
}

// answer is the outcome for a kind of lines.
type answer struct {
	lack string // why they are not compared, or ""
	rule string // the line of the new policy that decides, or ""
	// notReproduced and readings belong to the counts with these names.
	notReproduced, readings bool
	change                  *change // nil for none
}

type change struct {
	groupKey
	who, resource string
}

// answer asks both policies. The error is that of the context.
func (r *run) answer(l *line) (answer, error) {
	if lack := l.lack(); lack != "" {
		return answer{lack: lack}, nil
	}
	if r.timed {
		r.Clock.Set(&l.Time)
	}
	q := &r.question
	if q.put(l) != nil {
		return answer{lack: LackFailed}, nil
	}
	logged := l.Outcome == core.OutcomeAllowed
	before := core.Decision{Allowed: logged, Reason: l.Reason, Rule: l.Rule}
	var err error
	if r.Old != nil {
		before, err = q.decide(r.ctx, r.Old)
	}
	var after core.Decision
	if err == nil {
		after, err = q.decide(r.ctx, r.New)
	}
	switch {
	case r.ctx.Err() != nil:
		return answer{}, r.ctx.Err()
	case err != nil:
		return answer{lack: LackFailed}, nil
	case l.Reason != casbinrules.ReasonNoAttribute && (before.Reason == casbinrules.ReasonNoAttribute || after.Reason == casbinrules.ReasonNoAttribute):
		return answer{lack: LackAttribute}, nil
	}
	a := answer{
		rule: after.Rule, readings: l.Request.Readings > 0,
		notReproduced: r.Old != nil && l.Revision == r.oldHash && before.Allowed != logged,
	}
	if before.Allowed != after.Allowed {
		a.change = changeOf(l.Request, before, after)
	}
	return a, nil
}

func changeOf(r *decisionlog.Request, before, after core.Decision) *change {
	c := &change{
		groupKey: groupKey{gains: after.Allowed, tenant: r.Tenant, action: r.Action, object: cmp.Or(r.Name, r.Route, r.Resource), rule: after.Rule},
		who:      cmp.Or(r.Principal, "anonymous"), resource: r.Resource,
	}
	if c.rule == "" {
		c.rule, c.old = before.Rule, before.Rule != ""
	}
	return c
}
