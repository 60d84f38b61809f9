package probe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// sameDenials finds routes that refuse identities as they refuse senders without
// credentials.
func (e *evaluation) sameDenials() {
	for _, x := range e.log {
		if x.Purpose != Plain || x.Direct || x.As == Anonymous || x.Err != nil || e.Routes[x.Route].Public || x.Method == http.MethodHead {
			continue
		}
		anonymous, ok := e.log.first(Plain, x.Route, Anonymous)
		if !ok || !refuses(anonymous) || !refuses(x) || rateLimited(x.Answer) || rateLimited(anonymous.Answer) || e.freshAnswer(x) || stepUp(x.Answer) {
			continue
		}
		same := anonymous.Status == x.Status && anonymous.Body == x.Body
		if !same && (x.Body == "" || anonymous.Body != x.Body) {
			continue
		}
		if e.once("denial", x.Method, x.Target) {
			e.find(FaultSameDenial, x, fmt.Sprintf("%d for %s and %d for %s with the same body %s", anonymous.Status, Anonymous, x.Status, x.As, excerpt(x.Body)),
				"401 and 403 with different bodies", "Clients that should sign in and clients that should stop get the same answer.")
		}
	}
}

// refuses reports whether an answer is a refusal, whatever its status.
func refuses(x Exchange) bool {
	switch x.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return true
	}
	return x.Err == nil && x.Status < 300 && denial(x)
}

// aspect is a part of an answer that all routes should have in common in one situation.
type aspect struct {
	code, what, detail string
	of                 func(Exchange) string
	// compatible reports whether two different values mean the same to a client.
	compatible func(a, b string) bool
}

var aspects = []aspect{
	{FaultInconsistentStatus, "status", "Clients need one rule for one situation.", func(x Exchange) string { return status(x.Answer) }, incompatible},
	{FaultInconsistentChallenge, "challenge", "Clients need one way to sign in.", challengeShape, incompatible},
	{FaultInconsistentBody, "body", "Clients need one parser for one situation.", bodyShape, superset},
}

// consistency compares the answers to one situation on all routes.
func (e *evaluation) consistency() {
	groups := map[string][]Exchange{}
	var names []string
	for _, x := range e.log {
		name := situation(x)
		if name == "" || x.Direct || e.Routes[x.Route].Public || rateLimited(x.Answer) {
			continue
		}
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], x)
	}
	for _, name := range names {
		for _, a := range aspects {
			e.minority(groups[name], a)
		}
	}
}

// situation names the reason for a refusal; "" for other answers.
func situation(x Exchange) string {
	if !x.refused() && (x.Err != nil || x.Status != http.StatusBadRequest) || x.Method == http.MethodHead {
		return ""
	}
	switch {
	case x.Purpose == Plain && x.As == Anonymous:
		return Anonymous
	case x.Purpose == Plain && x.Status == http.StatusForbidden:
		return "forbidden " + strings.Join(x.Answer.Header.Values("WWW-Authenticate"), ",")
	case x.Purpose == BadCredentials:
		return x.As + " " + x.Variant
	}
	return ""
}

func incompatible(_, _ string) bool { return false }

// superset reports whether one of two JSON objects has all members of the other: programs
// that read the smaller can read the larger.
func superset(a, b string) bool {
	kind, members, ok := strings.Cut(a, withMembers)
	other, others, okToo := strings.Cut(b, withMembers)
	if !ok || !okToo || kind != other {
		return false
	}
	has := func(all, some string) bool {
		for name := range strings.SplitSeq(some, ", ") {
			if !slices.Contains(strings.Split(all, ", "), name) {
				return false
			}
		}
		return true
	}
	return has(members, others) || has(others, members)
}

// withMembers precedes the members of an object in what bodyShape returns.
const withMembers = " with "

// minority finds answers whose aspect differs from that of the majority.
func (e *evaluation) minority(group []Exchange, a aspect) {
	counts := map[string]int{}
	for _, x := range group {
		counts[a.of(x)]++
	}
	usual := a.of(group[0])
	for _, x := range group {
		if v := a.of(x); counts[v] > counts[usual] {
			usual = v
		}
	}
	for _, x := range group {
		if v := a.of(x); v != usual && v != "" && usual != "" && !a.compatible(v, usual) && e.once(a.code, x.Method, x.Target) {
			e.find(a.code, x, v, usual, "On other routes the "+a.what+" of the same situation differs. "+a.detail)
		}
	}
}

// volatileParams are parameters of challenges that may differ from answer to answer.
var volatileParams = []string{"nonce", "opaque", "stale", "error", "error_description", "error_uri", "scope", "resource_metadata", "max_age", "acr_values", "algs"}

// challengeShape returns the part of the challenges of a 401 that should be the same on all
// routes; "" for malformed ones, which are a finding of their own.
func challengeShape(x Exchange) string {
	all, err := challenge.Parse(x.Answer.Header.Values("WWW-Authenticate")...)
	if err != nil || x.Status != http.StatusUnauthorized {
		return ""
	}
	var parts []string
	for _, c := range all {
		text := c.Scheme()
		for _, p := range c.Params() {
			if !slices.Contains(volatileParams, strings.ToLower(p.Name)) {
				text += " " + strings.ToLower(p.Name) + "=" + p.Value
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// bodyShape returns the media type of a body, and its members if it is a JSON object.
func bodyShape(x Exchange) string {
	kind, _, err := mime.ParseMediaType(x.Answer.Header.Get("Content-Type"))
	if err != nil || strings.TrimSpace(x.Body) == "" {
		kind = "no media type"
	}
	if strings.TrimSpace(x.Body) == "" {
		return "no body"
	}
	var members map[string]any
	if json.Unmarshal([]byte(x.Body), &members) == nil {
		return kind + withMembers + strings.Join(slices.Sorted(maps.Keys(members)), ", ")
	}
	return kind
}

// edges compares the answers of the proxy with those of the service behind it.
func (e *evaluation) edges() {
	for _, x := range e.log {
		if x.Direct || x.Purpose != Plain && x.Purpose != BadCredentials {
			continue
		}
		for _, d := range e.log {
			if d.Direct && d.Purpose == x.Purpose && d.Route == x.Route && d.As == x.As && d.Variant == x.Variant && d.Target == x.Target {
				e.edge(x, d)
				break
			}
		}
	}
}

func (e *evaluation) edge(x, d Exchange) {
	if d.Err != nil || x.Err != nil {
		if d.Err != nil {
			e.note("%s %s as %s was not compared: the service behind the proxy does not answer: %v", x.Method, x.Target, x.As, d.Err)
		}
		return
	}
	got, want := sentStatus(x.Answer), sentStatus(d.Answer)
	if (got == http.StatusTooManyRequests) != (want == http.StatusTooManyRequests) {
		e.note("%s %s as %s was not compared: a rate limit refused one of the two requests", x.Method, x.Target, x.As)
		return
	}
	if got != want {
		e.find(FaultEdgeStatus, x, fmt.Sprint(got), fmt.Sprint(want), fmt.Sprintf("The service answers %d, which the proxy in front turns into %d.", want, got))
	}
	if got, want := stableChallenges(x), stableChallenges(d); got != want {
		e.find(FaultEdgeChallenge, x, cmp.Or(got, "none"), cmp.Or(want, "none"), "The proxy in front changes WWW-Authenticate.")
	}
	if got, want := caching(x.Answer.Header, d.Answer.Header), caching(d.Answer.Header, x.Answer.Header); got != want {
		e.find(FaultEdgeCache, x, cmp.Or(got, "none"), cmp.Or(want, "none"), "The proxy in front changes what caches may do with the answer.")
	}
}

// sentStatus returns the status before any redirect was followed.
func sentStatus(a Answer) int {
	if a.Via != nil {
		return a.First
	}
	return a.Status
}

// stableChallenges returns the challenges of an answer without the parameters that are new
// in each.
func stableChallenges(x Exchange) string {
	lines := x.Answer.Header.Values("WWW-Authenticate")
	all, err := challenge.Parse(lines...)
	if err != nil {
		return strings.Join(lines, ", ")
	}
	var parts []string
	for _, c := range all {
		text := c.Scheme() + " " + c.Token68()
		for _, p := range c.Params() {
			if n := strings.ToLower(p.Name); n != "nonce" && n != "opaque" {
				text += " " + n + "=" + p.Value
			}
		}
		parts = append(parts, strings.TrimSpace(text))
	}
	return strings.Join(parts, ", ")
}

// caching returns the fields of an answer about caching. A proxy that compresses may add
// Accept-Encoding to Vary.
func caching(h, other http.Header) string {
	var parts []string
	for _, name := range []string{"Cache-Control", "Expires", "Pragma", "Vary", "Surrogate-Control", "CDN-Cache-Control"} {
		values := directives(h.Values(name))
		if name == "Vary" && !slices.Contains(directives(other.Values(name)), "accept-encoding") {
			values = slices.DeleteFunc(values, func(v string) bool { return v == "accept-encoding" })
		}
		if len(values) > 0 {
			parts = append(parts, name+": "+strings.Join(values, ", "))
		}
	}
	return strings.Join(parts, "; ")
}
