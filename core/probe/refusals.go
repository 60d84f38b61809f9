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

// outage reports whether an answer says that a dependency is down.
func outage(a Answer) bool {
	return a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != ""
}

var limitWords = regexp.MustCompile(`(?i)rate.?limit|too many (requests|attempts|tries|logins)|slow down|quota exceeded|throttl`)

// limited reports whether a refusal is that of a rate limit.
func limited(a Answer) bool {
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

// samePlace reports whether redirects led to another spelling of the requested path: an
// additional or missing slash, another letter case, https.
func samePlace(x Exchange) bool {
	return x.Via != nil && plainForm(x.Target) == plainForm(x.Via[len(x.Via)-1])
}

// onlyAnotherScheme reports whether a redirect leads to the same path by https.
func onlyAnotherScheme(x Exchange) bool {
	u, err := url.Parse(x.Answer.Header.Get("Location"))
	return err == nil && u.Scheme == "https" && plainForm(u.EscapedPath()) == plainForm(x.Target)
}

func plainForm(target string) string {
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

// refusal checks what all 401 and 403 have in common.
func (j *evaluation) refusal(x Exchange) {
	switch x.Purpose {
	case Plain, Again, BadCredentials, Navigation, Account:
	case Method:
		if x.Method != http.MethodHead {
			return
		}
	default:
		return
	}
	if x.Err != nil || x.Status != http.StatusUnauthorized && x.Status != http.StatusForbidden {
		return
	}
	lines := x.Answer.Header.Values("WWW-Authenticate")
	if x.Status == http.StatusUnauthorized {
		j.challenges(x, lines)
	} else if len(lines) > 0 && !insufficientScope(lines) {
		j.find(FaultChallengeOn403, x, "403 with the challenge "+strconv.Quote(strings.Join(lines, ", ")), "403 without a challenge",
			"A challenge asks to sign in, and a 403 says that it would not help.")
	}
	control := x.Answer.Header.Values("Cache-Control")
	if !slices.Contains(directives(control), "no-store") {
		got := fmt.Sprintf("%d without Cache-Control", x.Status)
		if len(control) > 0 {
			got = fmt.Sprintf("%d with Cache-Control: %s", x.Status, strings.Join(control, ", "))
		}
		j.find(FaultCacheableRefusal, x, got, fmt.Sprintf("%d with Cache-Control: no-store", x.Status),
			"A browser or proxy may keep the refusal and serve it to somebody who has the right.")
	}
	if by := servedFromCache(x.Answer.Header); by != "" {
		j.find(FaultCachedDenial, x, status(x.Answer)+" with "+by, "a refusal from the service itself", "A cache serves the refusal.")
	}
}

// challenges checks the challenges of a 401.
func (j *evaluation) challenges(x Exchange, lines []string) {
	if strings.TrimSpace(strings.Join(lines, "")) == "" {
		j.find(FaultChallengeMissing, x, "401 without a challenge", wantChallenge,
			"RFC 9110 §15.5.2 wants at least one challenge in WWW-Authenticate; without it clients cannot know how to sign in.")
		return
	}
	if wrong := malformed(lines); wrong != "" {
		j.find(FaultChallengeMalformed, x, "401 with the challenge "+strconv.Quote(strings.Join(lines, ", ")), "401 with a challenge that parses",
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

// insufficientScope reports whether the challenge is one that a 403 may have (RFC
// 6750 §3.1).
func insufficientScope(lines []string) bool {
	all, err := challenge.Parse(lines...)
	return err == nil && len(all) > 0 && !slices.ContainsFunc(all, func(c challenge.Challenge) bool {
		code, _ := c.Param("error")
		return code != "insufficient_scope"
	})
}

// directives returns the members of a Cache-Control field, in lower case.
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

// servedFromCache returns the field by which a cache says that it had the answer, or "".
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

// again checks a request without credentials after others sent theirs.
func (j *evaluation) again(x Exchange) {
	first, ok := j.answerTo(Plain, x.Route, Anonymous)
	if ok && x.Err == nil && first.Status >= 400 && x.Status < 300 && !denial(x) && !signInForm(x) {
		j.find(FaultCachedAnswer, x, status(x.Answer), status(first.Answer)+", as before anybody else asked",
			"A response to somebody signed in is served to anybody: a cache in front stores it.")
	}
}

// freshAnswer reports whether a query that no cache has seen changes a refusal.
func (j *evaluation) freshAnswer(x Exchange) bool {
	o, ok := j.answerTo(Fresh, x.Route, x.As)
	return ok && o.Err == nil && o.Status < 300
}

// fresh finds refusals that a cache serves to others.
func (j *evaluation) fresh() {
	for _, x := range j.log {
		if x.Purpose == Plain && !x.Direct && x.As != Anonymous && x.Err == nil &&
			(x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden) && j.freshAnswer(x) {
			j.find(FaultCachedDenial, x, status(x.Answer), "200, as with a query that no cache has seen",
				"A refusal for somebody else is served from a cache.")
		}
	}
}

// burst finds rate limits that answer as if a permission were missing.
func (j *evaluation) burst() {
	for _, x := range j.log {
		if x.Purpose != Burst || x.Err != nil || x.Status != http.StatusForbidden {
			continue
		}
		before := http.StatusUnauthorized
		if first, ok := j.answerTo(Plain, x.Route, x.As); ok {
			before = first.Status
		} else if first, ok := j.answerTo(BadCredentials, x.Route, x.As); ok {
			before = first.Status
		}
		if before != http.StatusForbidden || limited(x.Answer) {
			j.find(FaultRateLimitForbidden, x, "403 after many requests", "429",
				"A rate limit answers 403, which tells clients to stop for good; 429 tells them to wait.")
		}
	}
}
