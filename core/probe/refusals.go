package probe

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// status returns the status of an answer as written in findings.
func status(a Answer) string { return strconv.Itoa(a.Status) }

// refused reports whether an answer is a 401 or a 403.
func (a Answer) refused() bool {
	return a.Err == nil && (a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden)
}

// outage reports whether an answer says that a dependency is down.
func outage(a Answer) bool {
	return a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != ""
}

var limitWords = regexp.MustCompile(`(?i)rate.?limit|too many (requests|attempts|tries|logins)|slow down|quota exceeded|throttl`)

// rateLimited reports whether a refusal is that of a rate limit.
func rateLimited(a Answer) bool {
	for _, name := range []string{"X-RateLimit-Remaining", "RateLimit-Remaining", "X-Rate-Limit-Remaining"} {
		if a.Header.Get(name) == "0" {
			return true
		}
	}
	return a.Header.Get("Retry-After") != "" || limitWords.MatchString(a.Body)
}

// stepUp reports whether a 401 asks for a stronger or fresher sign-in
// (RFC 9470).
func stepUp(a Answer) bool {
	all, err := challenge.Parse(a.Header.Values("WWW-Authenticate")...)
	return err == nil && slices.ContainsFunc(all, func(c challenge.Challenge) bool {
		code, _ := c.Param("error")
		return code == "insufficient_user_authentication"
	})
}

// redirectedToSelf reports whether redirects led to another spelling of the requested
// path: an additional or missing slash, another letter case, https.
func redirectedToSelf(x Exchange) bool {
	return x.Via != nil && normalPath(x.Target) == normalPath(x.Via[len(x.Via)-1])
}

// redirectedToHTTPS reports whether a redirect leads to the same path over https.
func redirectedToHTTPS(x Exchange) bool {
	u, err := url.Parse(x.Answer.Header.Get("Location"))
	return err == nil && u.Scheme == "https" && normalPath(u.EscapedPath()) == normalPath(x.Target)
}

func normalPath(target string) string {
	target, _, _ = strings.Cut(target, "?")
	return path.Clean("/" + strings.ToLower(target))
}

// excerpt returns the beginning of a body, on one line.
func excerpt(body string) string {
	words := strings.Join(strings.Fields(body), " ")
	if len(words) > 80 {
		words = strings.ToValidUTF8(words[:80], "") + "…"
	}
	return strconv.Quote(words)
}

// refusal checks what every 401 and 403 must have.
func (e *evaluation) refusal(x Exchange) {
	switch x.Purpose {
	case Plain, Again, BadCredentials, Navigation, Account:
	case Method:
		if x.Method != http.MethodHead {
			return
		}
	default:
		return
	}
	if !x.refused() {
		return
	}
	lines := x.Answer.Header.Values("WWW-Authenticate")
	if x.Status == http.StatusUnauthorized {
		e.challenges(x, lines)
	} else if len(lines) > 0 && !insufficientScope(lines) {
		e.find(FaultChallengeOn403, x, "403 with the challenge "+strconv.Quote(strings.Join(lines, ", ")), "403 without a challenge",
			"A challenge tells clients to sign in, and a 403 says that signing in does not help.")
	}
	control := x.Answer.Header.Values("Cache-Control")
	if !slices.Contains(directives(control), "no-store") {
		got := fmt.Sprintf("%d without Cache-Control", x.Status)
		if len(control) > 0 {
			got = fmt.Sprintf("%d with Cache-Control: %s", x.Status, strings.Join(control, ", "))
		}
		e.find(FaultCacheableRefusal, x, got, fmt.Sprintf("%d with Cache-Control: no-store", x.Status),
			"A browser or proxy may store the refusal and serve it to a user who has the permission.")
	}
	if by := servedFromCache(x.Answer.Header); by != "" {
		e.find(FaultCachedDenial, x, status(x.Answer)+" with "+by, "a refusal from the service itself", "A cache serves the refusal.")
	}
}

// challenges checks the challenges of a 401.
func (e *evaluation) challenges(x Exchange, lines []string) {
	if strings.TrimSpace(strings.Join(lines, "")) == "" {
		e.find(FaultChallengeMissing, x, "401 without a challenge", wantChallenge,
			"RFC 9110 §15.5.2 requires at least one challenge in WWW-Authenticate; without it, clients cannot know how to authenticate.")
		return
	}
	if wrong := malformed(lines); wrong != "" {
		e.find(FaultChallengeMalformed, x, "401 with the challenge "+strconv.Quote(strings.Join(lines, ", ")), "401 with a challenge that parses",
			"The challenge does not parse by RFC 9110 §11.6.1: "+wrong+".")
	}
}

// malformed says what is wrong with challenges, or "".
func malformed(lines []string) string {
	all, err := challenge.Parse(lines...)
	if err != nil {
		return strings.TrimPrefix(err.Error(), "challenge: ")
	}
	if len(all) == 0 {
		return "it contains no challenge"
	}
	for _, c := range all {
		var needs []string
		switch strings.ToLower(c.Scheme()) {
		case "basic":
			needs = []string{"realm"} // RFC 7617 §2
		case "digest":
			needs = []string{"realm", "nonce"} // RFC 7616 §3.3
		}
		for _, name := range needs {
			if _, ok := c.Param(name); !ok {
				return c.Scheme() + " needs the parameter " + name
			}
		}
	}
	return ""
}

// insufficientScope reports whether the challenges are ones that a 403 may carry (RFC
// 6750 §3.1).
func insufficientScope(lines []string) bool {
	all, err := challenge.Parse(lines...)
	return err == nil && len(all) > 0 && !slices.ContainsFunc(all, func(c challenge.Challenge) bool {
		code, _ := c.Param("error")
		return code != "insufficient_scope"
	})
}

// directives returns the members of a list-valued field, sorted and in lower case.
func directives(lines []string) []string {
	var all []string
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if d := strings.ToLower(strings.TrimSpace(part)); d != "" {
				all = append(all, d)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// servedFromCache returns the field that says that an answer comes from a cache, or "".
func servedFromCache(h http.Header) string {
	for _, name := range []string{"X-Cache", "X-Cache-Status", "CF-Cache-Status", "X-Proxy-Cache", "Cache-Status"} {
		if v := h.Get(name); strings.Contains(strings.ToLower(v), "hit") {
			return name + ": " + v
		}
	}
	if age := h.Get("Age"); age != "" && age != "0" {
		return "Age: " + age
	}
	return ""
}

// checkAgain checks the answer without credentials after identities have asked.
func (e *evaluation) checkAgain(x Exchange) {
	first, ok := e.log.first(Plain, x.Route, Anonymous)
	if ok && x.Err == nil && first.Status >= 400 && x.Status < 300 && !denial(x) && !signInForm(x) {
		e.find(FaultCachedAnswer, x, status(x.Answer), status(first.Answer)+", as before any other request",
			"A response to a signed-in user is served to anyone: a cache in front of the service stores it.")
	}
}

// freshAnswer reports whether the same request succeeds with a query that no cache has
// seen.
func (e *evaluation) freshAnswer(x Exchange) bool {
	o, ok := e.log.first(Fresh, x.Route, x.As)
	return ok && o.Err == nil && o.Status < 300
}

// cachedRefusals finds refusals that a cache serves to other senders.
func (e *evaluation) cachedRefusals() {
	for _, x := range e.log {
		if x.Purpose == Plain && !x.Direct && x.As != Anonymous && x.refused() && e.freshAnswer(x) {
			e.find(FaultCachedDenial, x, status(x.Answer), "200, as with a query that no cache has seen",
				"A cache serves a refusal of another request.")
		}
	}
}

// burst finds rate limits that answer 403.
func (e *evaluation) burst() {
	for _, x := range e.log {
		if x.Purpose != Burst || x.Err != nil || x.Status != http.StatusForbidden {
			continue
		}
		before := http.StatusUnauthorized
		if first, ok := e.log.first(Plain, x.Route, x.As); ok {
			before = first.Status
		} else if first, ok := e.log.first(BadCredentials, x.Route, x.As); ok {
			before = first.Status
		}
		if before != http.StatusForbidden || rateLimited(x.Answer) {
			e.find(FaultRateLimitForbidden, x, "403 after many requests", "429",
				rateLimitDetail)
		}
	}
}
