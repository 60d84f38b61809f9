// Package doctor says in words which part of access control is broken, based on counts of
// events: identity (401), policy (403), guessing, keys, dependencies or the program.
package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Counts is what was observed of requests.
type Counts struct {
	// Allowed is the number of allowed requests.
	Allowed float64
	// Refused counts the refused requests by outcome and reason.
	Refused map[Kind]*Tally
	// Notes are other problems, such as a rejected policy.
	Notes []Finding
	// Lines is the number of lines of a log. Unread counts those that could not be read, by
	// the reason. Lines of other programs are not among them.
	Lines  int
	Unread map[string]int

	revisions map[string]string // of one instance, by policy name
}

// Kind is a kind of refusal.
type Kind struct{ Outcome, Reason string }

// Tally counts refusals of one kind.
type Tally struct {
	Number                 float64
	Routes, Rules, Schemes map[string]float64
	// Cause is the last error behind such a refusal, from a log.
	Cause string
}

// maxValues is the maximum number of kinds, and of values per kind, so that an unrelated
// log cannot exhaust memory.
const maxValues = 1000

// Add counts n refusals.
func (c *Counts) Add(k Kind, n float64, route, rule, scheme string) {
	if c.Refused == nil {
		c.Refused = map[Kind]*Tally{}
	}
	t := c.Refused[k]
	if t == nil && len(c.Refused) >= maxValues {
		k.Reason = "_other"
		t = c.Refused[k]
	}
	if t == nil {
		t = &Tally{Routes: map[string]float64{}, Rules: map[string]float64{}, Schemes: map[string]float64{}}
		c.Refused[k] = t
	}
	t.Number += n
	count(t.Routes, route, n)
	count(t.Rules, rule, n)
	count(t.Schemes, scheme, n)
}

func count(by map[string]float64, value string, n float64) {
	if _, known := by[value]; value != "" && (known || len(by) < maxValues) {
		by[value] += n
	}
}

// Together combines what several instances of a service have counted. If they decide by
// different policies, that is a finding of its own.
func Together(all []*Counts) *Counts {
	sum, revisions := &Counts{Unread: map[string]int{}}, map[string]map[string]bool{}
	for _, c := range all {
		sum.Allowed += c.Allowed
		sum.Lines += c.Lines
		for why, n := range c.Unread {
			sum.Unread[why] += n
		}
		for _, f := range c.Notes {
			sum.note(f)
		}
		for k, t := range c.Refused {
			sum.addAll(k, t)
		}
		for policy, revision := range c.revisions {
			if revisions[policy] == nil {
				revisions[policy] = map[string]bool{}
			}
			revisions[policy][revision] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(revisions)) {
		if of := slices.Sorted(maps.Keys(revisions[name])); len(of) > 1 {
			sum.note(Finding{
				Plumbing: policy, Alert: revisionsDiffer, Look: "which instance did not get the last edit: no file events, no files, or a policy that it has rejected",
				Seen: fmt.Sprintf("%d instances decide by %d policies%s: %s", len(all), len(of), before(" called ", name), strings.Join(of, ", ")),
			})
		}
	}
	return sum
}

func (c *Counts) addAll(k Kind, t *Tally) {
	c.Add(k, t.Number, "", "", "")
	sum := c.Refused[k]
	if sum == nil {
		return // beyond the limit, and counted as others
	}
	sum.Cause = cmp.Or(t.Cause, sum.Cause)
	for _, of := range []struct{ to, from map[string]float64 }{{sum.Routes, t.Routes}, {sum.Rules, t.Rules}, {sum.Schemes, t.Schemes}} {
		for value, n := range of.from {
			count(of.to, value, n)
		}
	}
}

func before(text, name string) string {
	if name == "" {
		return ""
	}
	return text + name
}

// Total returns the number of requests.
func (c *Counts) Total() float64 {
	n := c.Allowed
	for _, t := range c.Refused {
		n += t.Number
	}
	return n
}

// Finding is one thing that is broken.
type Finding struct {
	// Plumbing is the part that is broken: identity, policy, guessing, keys, dependency,
	// program or requests.
	Plumbing string `json:"plumbing"`
	// Alert is the alert in docs/observability for the same problem, and its section in the
	// runbook; "" if there is none.
	Alert string `json:"alert,omitempty"`
	// Seen says what was observed, and Look what to look at.
	Seen string `json:"seen"`
	Look string `json:"look"`
	// Count is the number of requests of this kind; 0 if they are not counted.
	Count float64 `json:"count,omitempty"`
}

// The parts that outcomes and reasons point at.
const (
	identity   = "identity"
	policy     = "policy"
	guessing   = "guessing"
	keys       = "keys"
	dependency = "dependency"
	program    = "program"
	requests   = "requests"
)

// The alerts of docs/observability/rules.yml that findings refer to.
const (
	identityBurst   = "SallyportIdentityBurst"
	policyBurst     = "SallyportPolicyBurst"
	guessed         = "SallyportGuessing"
	keyRotation     = "SallyportKeyRotation"
	keySetStale     = "SallyportKeySetStale"
	policyOutdated  = "SallyportPolicyOutdated"
	revisionsDiffer = "SallyportPolicyRevisionsDiffer"
	sourceStale     = "SallyportSourceStale"
	dependencyDown  = "SallyportDependencyDown"
	fault           = "SallyportFault"
	decisionsLost   = "SallyportDecisionsLost"
)

// bursts maps parts to their alerts for refusals.
var bursts = map[string]string{
	identity: identityBurst, policy: policyBurst, guessing: guessed, keys: keyRotation, dependency: dependencyDown, program: fault,
}

// alert returns the alert for refusals of a kind. If an issuer's keys are missing, they are
// the cause of 503s for tokens.
func (c *Counts) alert(k Kind, t *Tally) string {
	switch k.Reason {
	case "policy_stale", "credentials_stale":
		return sourceStale
	case "dependency_unavailable":
		tokens := t.Schemes["Bearer"] + t.Schemes["DPoP"]
		if tokens == t.Number && slices.ContainsFunc(c.Notes, func(f Finding) bool { return f.Alert == keySetStale }) {
			return keySetStale
		}
	}
	return bursts[plumbing(k)]
}

// plumbing returns the part that a kind of refusal points at.
func plumbing(k Kind) string {
	switch k.Reason {
	case "wrong_secret", "unknown_principal", "too_many_attempts":
		return guessing
	case "unknown_key", "bad_signature", "bad_algorithm", "development_key":
		return keys
	}
	switch k.Outcome {
	case "unauthenticated":
		return identity
	case "forbidden":
		return policy
	case "unavailable":
		return dependency
	case "error":
		return program
	}
	return requests
}

var statuses = map[string]int{
	"unauthenticated": 401, "forbidden": 403, "bad_request": 400, "unavailable": 503, "error": 500, "limited": 429,
}

// generalAdvice is the advice for reasons that are not in the tables of the page.
var generalAdvice = map[string]string{
	identity:   "sessions, token refresh, cookies, header fields that a proxy drops",
	policy:     "the last edit of the policy, roles, rules, entitlements, account state",
	guessing:   "the addresses in the log (client), and the limits on guessing; somebody guesses, or a file of passwords or keys was replaced",
	keys:       "whether the keys of the issuer were rotated and fetched, and whether tokens are of another environment",
	dependency: "what does not answer: key server, introspection, session store, user store, log of revocations; the cause is in the log. Credentials and policy are not the problem",
	program:    "the cause in the log, with the stack of a panic: a scheme, rule or setting is faulty",
	requests:   "clients or proxies that write paths or credentials in two ways; scanners do so, too",
}

// notableShare is the share of requests from which on a kind is a finding. A single fault or
// outage is always one.
const notableShare = 0.05

// Diagnose returns what is broken, the most frequent first. Kinds that make up less than a
// twentieth of the requests count as normal, except for outages, faults and development
// keys. Anybody can cause a 503 by naming a key that does not exist.
func (c *Counts) Diagnose() []Finding {
	found := slices.Clone(c.Notes)
	total := c.Total()
	order := slices.SortedFunc(maps.Keys(c.Refused), func(a, b Kind) int {
		return cmp.Or(cmp.Compare(c.Refused[b].Number, c.Refused[a].Number), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Reason, b.Reason))
	})
	for _, k := range order {
		t, kind := c.Refused[k], plumbing(k)
		if t.Number == 0 || t.Number < notableShare*total && kind != dependency && kind != program && k.Reason != "development_key" {
			continue
		}
		look := cmp.Or(advice[k.Reason], generalAdvice[kind])
		seen := fmt.Sprintf("%.0f of %.0f requests are %d, reason %s%s%s%s", t.Number, total, statuses[k.Outcome], k.Reason,
			mostFrequent(" at ", t.Routes), mostFrequent(" by ", t.Rules), mostFrequent(" with ", t.Schemes))
		alert := c.alert(k, t)
		if i := slices.IndexFunc(found[:len(c.Notes)], func(f Finding) bool { return f.Alert == alert }); i >= 0 && kind == dependency {
			found[i].Count += t.Number
			found[i].Seen += "; " + seen
			continue
		}
		found = append(found, Finding{Plumbing: kind, Alert: alert, Count: t.Number, Look: look, Seen: seen + before("; the last: ", t.Cause)})
	}
	return found
}

// mostFrequent names the one or two most frequent values.
func mostFrequent(before string, all map[string]float64) string {
	if len(all) == 0 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b))
	})
	more := ""
	if len(names) > 2 {
		more = fmt.Sprintf(" and %d more", len(names)-2)
		names = names[:2]
	}
	return before + strings.Join(names, ", ") + more
}
