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
	LackGateOne    = "gate_one"          // it was about who asks, and no policy
	LackRules      = "rules"             // rules of the program decided, and no policy
	LackAsked      = "not_asked"         // it was refused before the policy was asked
	LackDecision   = "no_decision"       // there was an outage, or nobody waited
	LackCut        = "cut"               // the log has not all of the request
	LackPseudonym  = "pseudonyms"        // the log has pseudonyms in place of names
	LackAttribute  = "missing_attribute" // a policy asks for an attribute that the log lacks
	LackUnreadable = "unreadable"        // it is no line of a decision log
	LackFailed     = "failed"            // a policy cannot decide it
)

// lacks says each in words, for a number of lines.
var lacks = map[string]string{
	LackGateOne:    "of gate one, which finds out who asks and needs no policy",
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
	// Old is the policy before, or nil for what the log says. New is the one after.
	Old, New *ask.Policy
	// Clock is that of the policies, nil for clocks of their own. Where one of them
	// asks it, lines are decided one after the other, and equal ones each time.
	Clock *ask.Clock
	// Samples is how many places are kept of each kind of lines that are not
	// replayed.
	Samples int
	// kinds is how many kinds of lines are kept at most; 0 for maxEntries.
	kinds int
}

// line is what a replay needs from a line.
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

// hasPseudonym reports whether a text that the policy compares is a pseudonym.
func hasPseudonym(r *decisionlog.Request) bool {
	if isPseudonym(r.Principal) || isPseudonym(r.Tenant) || isPseudonym(r.Action) || slices.ContainsFunc(r.TokenRoles, isPseudonym) {
		return true
	}
	for _, value := range r.Attributes {
		if isPseudonym(value) {
			return true
		}
	}
	if !strings.Contains(r.Resource, "~") {
		return false
	}
	for segment := range strings.SplitSeq(r.Resource, "/") {
		if isPseudonym(segment) {
			return true
		}
	}
	return false
}

func isPseudonym(text string) bool {
	return strings.HasPrefix(text, "~") && pseudonym.MatchString(text)
}

// request is what a policy looks at of a request beside its resource.
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
}

// put makes q the question of a line.
func (q *question) put(l *line) (err error) {
	r := l.Request
	q.request.method = r.Method
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
	if q.principal == nil {
		return a.AuthorizeAnonymous(ctx, q.access)
	}
	return a.Authorize(ctx, q.principal, q.access)
}

// answer is what policies make of a kind of lines.
type answer struct {
	lack string // why they are not compared, or ""
	rule string // that decides by the new policy, or ""
	// notReproduced and readings are for the counts with these names.
	notReproduced, readings bool
	change                  *change // nil for none
}

// change is an answer that the policies differ in.
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
