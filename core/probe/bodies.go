package probe

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var traces = regexp.MustCompile(`goroutine \d+ \[|(?m)^panic: |runtime error: |\.go:\d+\b|Traceback \(most recent call last\)|File "[^"]+", line \d+|(?m)^\s*at .+\(?[\w/.\\-]+\.(js|mjs|cjs|ts|java|kt|scala|cs|php|rb):\d+|` +
	`at [\w$.]+\([\w$]+\.java:\d+\)|\bnode_modules/|\b[\w.]+\.[A-Z]\w*(Exception|Error): |in /[\w/.-]+\.php on line \d+|#\d+ /[\w/.-]+\.php\(\d+\)`)

// adjectives lists words beside "role" and "permission" in refusals that name none.
const adjectives = `special|sufficient|additional|more|appropriate|proper|required|necessary|higher|elevated|this|that|the|a|any|to|for|on|of|your|is|are|and|or`

var (
	ruleKeys   = regexp.MustCompile(`(?i)["']?\b[\w-]*(roles?|permissions?|privileges?|rules?|polic(y|ies))["']?\s*[:=]\s*\[?\s*["']?[A-Za-z0-9*/]`)
	ruleQuoted = regexp.MustCompile("(?i)\\b(roles?|permissions?|privileges?|groups?|rules?|policy|policies)\\s+(named\\s+|called\\s+)?[\"'`“‘][^\"'`”’]+[\"'`”’]|[\"'`“‘][\\w:./-]+[\"'`”’]\\s+(role|permission|privilege|group|policy|rule)\\b")
	ruleNeeds  = regexp.MustCompile(`(?i)\b(requires?|required|missing|needs?|lacks?|not in|not an?|must be)\s+(the\s+|an?\s+)?([\w:./-]+\s+(role|permission|privilege|group|scope)\b|(roles?|permission|privilege|group)\s+[\w:./-]+)`)
	ruleEngine = regexp.MustCompile(`(?i)\bcasbin\b|\bpolicy\.csv\b|\bmodel\.conf\b|\bp,\s*[\w*:-]+,\s*[\w/*:{}.-]+|\b(rule|policy) (no\.? ?|number |line |#)\d+|\.csv:\d+|\brego\b|\bOPA\b`)
	whomToAsk  = regexp.MustCompile(`(?i)\b(contact|ask|e-?mail|write to|call)\s+(your|the|an?|our)\s+([\w-]+\s+)?(admin|administrator|manager|owner|support)s?\b`)
	needsWord  = regexp.MustCompile(`(?i)\b(` + adjectives + `)\s+(role|permission|privilege|group|scope)\b|\b(roles?|permission|privilege|group)\s+(` + adjectives + `)\b`)
)

var (
	eitherWrong = regexp.MustCompile(`(?i)\b(user ?name|user|account|e-?mail)( address)?( or |/| and )(the )?password|\bpassword( or | and |/)(the )?(user ?name|user|account|e-?mail)`)
	whichWrong  = regexp.MustCompile(`(?i)\b(unknown|no such|nonexistent|non-existent|unregistered) (user|account|user ?name|e-?mail|login)\b|\b(user|account|user ?name|e-?mail|login)\b( ?["'\x60“]?[\w@.-]*["'\x60”]?){0,2} ?\b(not found|is unknown|does not exist|doesn't exist|not exist|not registered)|\b(wrong|incorrect|bad|invalid|mismatched) password\b|\bpassword (is )?(wrong|incorrect|mismatch|does not match)`)
)

// body checks what the body of an error reveals.
func (e *evaluation) body(x Exchange) {
	if x.Err != nil || x.Status < 400 || x.Body == "" {
		return
	}
	if x.Purpose == Burst || x.Purpose == Preflight || x.Purpose == CrossOrigin || x.Purpose == Crawler {
		return
	}
	if isPage(x) {
		x.Body = visible(x.Body)
	}
	route := strconv.Itoa(x.Route)
	if found := traces.FindString(x.Body); found != "" && e.once("trace", route, x.As) {
		e.find(FaultStackTrace, x, status(x.Answer)+" with "+excerpt(found), "a body without internals", "The body shows where the service's code failed.")
	}
	if !x.refused() {
		return
	}
	if found := e.rule(x); found != "" && e.once("rule", route, x.As) {
		e.find(FaultRuleInBody, x, status(x.Answer)+" with "+excerpt(found), "a body that names no role and no rule", "The body tells an attacker which role or rule to go after.")
	}
	if found := whichWrong.FindString(eitherWrong.ReplaceAllString(x.Body, "")); found != "" && !e.saidOfUnknown(found) && e.once("which", route, x.As) {
		e.find(FaultUserEnumeration, x, status(x.Answer)+" with "+excerpt(found), "one body for a wrong password and an unknown account", "The body reveals whether an account exists.")
	}
}

// saidOfUnknown reports whether an account that does not exist gets the same words about
// its password.
func (e *evaluation) saidOfUnknown(words string) bool {
	return slices.ContainsFunc(e.log, func(x Exchange) bool {
		none := x.Purpose == BadCredentials && x.As == asPassword || x.Purpose == Account && strings.HasPrefix(x.Variant, fakePrefix)
		return none && strings.Contains(strings.ToLower(words), "password") && strings.Contains(visible(x.Body), words)
	})
}

// rule returns the part of a refusal's body that names a role or a rule, or "".
func (e *evaluation) rule(x Exchange) string {
	for _, re := range []*regexp.Regexp{ruleKeys, ruleQuoted, ruleEngine} {
		if found := re.FindString(x.Body); found != "" {
			return found
		}
	}
	// The body of an insufficient_scope refusal may name the scope (RFC 6750 §3.1).
	scoped := insufficientScope(x.Answer.Header.Values("WWW-Authenticate"))
	for _, found := range ruleNeeds.FindAllString(x.Body, -1) {
		if !needsWord.MatchString(found) && !(scoped && strings.Contains(strings.ToLower(found), "scope")) {
			return found
		}
	}
	body := whomToAsk.ReplaceAllString(x.Body, "")
	for _, word := range e.Words {
		if len(word) > 2 && !strings.Contains(x.Target, word) && regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(word)+`\b`).MatchString(body) {
			return word
		}
	}
	return ""
}
