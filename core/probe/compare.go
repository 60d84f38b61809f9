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

// denials finds routes that give the same answer to those who should sign in and to those
// who should stop.
func (j *evaluation) denials() {
	for _, x := range j.log {
		if x.Purpose != Plain || x.Direct || x.As == Anonymous || x.Err != nil || j.Routes[x.Route].Public || x.Method == http.MethodHead {
			continue
		}
		anonymous, ok := j.answerTo(Plain, x.Route, Anonymous)
		if !ok || !turnedAway(anonymous) || !turnedAway(x) || limited(x.Answer) || limited(anonymous.Answer) || j.freshAnswer(x) || stepUp(x.Answer) {
			continue
		}
		same := anonymous.Status == x.Status && anonymous.Body == x.Body
		if !same && (x.Body == "" || anonymous.Body != x.Body) {
			continue
		}
		if j.once("denial", x.Method, x.Target) {
			j.find(FaultSameDenial, x, fmt.Sprintf("%d for %s and %d for %s with the same body %s", anonymous.Status, Anonymous, x.Status, x.As, excerpt(x.Body)),
				"401 and 403, each with words of its own", "Clients that should sign in and clients that should stop get the same answer.")
		}
	}
}

// turnedAway reports whether an answer refuses, whatever its status.
func turnedAway(x Exchange) bool {
	switch x.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return true
	}
	return x.Err == nil && x.Status < 300 && denial(x)
}

// aspect is something that all routes should have in common in one situation.
type aspect struct {
	code, what, detail string
	of                 func(Exchange) string
	// alike reports whether two different values mean the same to a client.
	alike func(a, b string) bool
}

var aspects = []aspect{
	{FaultInconsistentStatus, "status", "Clients need one rule for one situation.", func(x Exchange) string { return status(x.Answer) }, differ},
	{FaultInconsistentChallenge, "challenge", "Clients need one way to sign in.", challengeShape, differ},
	{FaultInconsistentBody, "body", "Clients need one parser for one situation.", bodyShape, oneMore},
}

// consistency compares the answers to one situation on all routes.
func (j *evaluation) consistency() {
	groups := map[string][]Exchange{}
	var names []string
	for _, x := range j.log {
		name := situation(x)
		if name == "" || x.Direct || j.Routes[x.Route].Public || limited(x.Answer) {
			continue
		}
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], x)
	}
	for _, name := range names {
		for _, a := range aspects {
			j.minority(groups[name], a)
		}
	}
}

// situation names the reason for a refusal; "" for other answers.
func situation(x Exchange) string {
	if x.Err != nil || x.Status != http.StatusUnauthorized && x.Status != http.StatusForbidden && x.Status != http.StatusBadRequest || x.Method == http.MethodHead {
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

func differ(_, _ string) bool { return false }

// oneMore reports whether one of two JSON objects has all members of the other, and more:
// programs that read the other can read it.
func oneMore(a, b string) bool {
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

// withMembers precedes the members of an object in its shape.
const withMembers = " with "

// minority finds answers whose aspect differs from that of most.
func (j *evaluation) minority(group []Exchange, a aspect) {
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
		if v := a.of(x); v != usual && v != "" && usual != "" && !a.alike(v, usual) && j.once(a.code, x.Method, x.Target) {
			j.find(a.code, x, v, usual, "On other routes the "+a.what+" of the same situation differs. "+a.detail)
		}
	}
}

// passing are parameters of challenges that may differ from answer to answer.
var passing = []string{"nonce", "opaque", "stale", "error", "error_description", "error_uri", "scope", "resource_metadata", "max_age", "acr_values", "algs"}

// challengeShape returns what the challenges of a 401 should have in common on all
// routes; "" for anything that is not a challenge, which is another finding.
func challengeShape(x Exchange) string {
	all, err := challenge.Parse(x.Answer.Header.Values("WWW-Authenticate")...)
	if err != nil || x.Status != http.StatusUnauthorized {
		return ""
	}
	var parts []string
	for _, c := range all {
		text := c.Scheme()
		for _, p := range c.Params() {
			if !slices.Contains(passing, strings.ToLower(p.Name)) {
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
func (j *evaluation) edges() {
	for _, x := range j.log {
		if x.Direct || x.Purpose != Plain && x.Purpose != BadCredentials {
			continue
		}
		for _, d := range j.log {
			if d.Direct && d.Purpose == x.Purpose && d.Route == x.Route && d.As == x.As && d.Variant == x.Variant && d.Target == x.Target {
				j.edge(x, d)
				break
			}
		}
	}
}

func (j *evaluation) edge(x, d Exchange) {
	if d.Err != nil || x.Err != nil {
		if d.Err != nil {
			j.note("%s %s as %s was not compared: the service itself does not answer: %v", x.Method, x.Target, x.As, d.Err)
		}
		return
	}
	got, want := sentStatus(x.Answer), sentStatus(d.Answer)
	if (got == http.StatusTooManyRequests) != (want == http.StatusTooManyRequests) {
		j.note("%s %s as %s was not compared: a rate limit refused one of the two requests", x.Method, x.Target, x.As)
		return
	}
	if got != want {
		j.find(FaultEdgeStatus, x, fmt.Sprint(got), fmt.Sprint(want), "The service answers with the former, which the proxy in front turns into the latter.")
	}
	if got, want := stableChallenges(x), stableChallenges(d); got != want {
		j.find(FaultEdgeChallenge, x, cmp.Or(got, "none"), cmp.Or(want, "none"), "The proxy in front changes WWW-Authenticate.")
	}
	if got, want := caching(x.Answer.Header, d.Answer.Header), caching(d.Answer.Header, x.Answer.Header); got != want {
		j.find(FaultEdgeCache, x, cmp.Or(got, "none"), cmp.Or(want, "none"), "The proxy in front changes what caches may do with the answer.")
	}
}

func sentStatus(a Answer) int {
	if a.Via != nil {
		return a.First
	}
	return a.Status
}

// stableChallenges returns the challenges of an answer without what is new in each
// answer.
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

// caching returns what an answer says about caching. A proxy that compresses may add
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
