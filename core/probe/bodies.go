package probe

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var traces = regexp.MustCompile(`goroutine \d+ \[|(?m)^panic: |runtime error: |\.go:\d+\b|Traceback \(most recent call last\)|File "[^"]+", line \d+|(?m)^\s*at .+\(?[\w/.\\-]+\.(js|mjs|cjs|ts|java|kt|scala|cs|php|rb):\d+|` +
	`at [\w$.]+\([\w$]+\.java:\d+\)|\bnode_modules/|\b[\w.]+\.[A-Z]\w*(Exception|Error): |in /[\w/.-]+\.php on line \d+|#\d+ /[\w/.-]+\.php\(\d+\)`)

// adjectives are words in front of "role" and "permission" in refusals that name none.
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
func (j *evaluation) body(x Exchange) {
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
	if found := traces.FindString(x.Body); found != "" && j.once("trace", route, x.As) {
		j.find(FaultStackTrace, x, status(x.Answer)+" with "+excerpt(found), "a body without internals", "The body shows where in its code the service failed.")
	}
	if x.Status != http.StatusUnauthorized && x.Status != http.StatusForbidden {
		return
	}
	if found := j.rule(x); found != "" && j.once("rule", route, x.As) {
		j.find(FaultRuleInBody, x, status(x.Answer)+" with "+excerpt(found), "a body that names no role and no rule", "The body tells an attacker what to be or to look for.")
	}
	if found := whichWrong.FindString(eitherWrong.ReplaceAllString(x.Body, "")); found != "" && !j.toldAll(found) && j.once("which", route, x.As) {
		j.find(FaultUserEnumeration, x, status(x.Answer)+" with "+excerpt(found), "one body for a wrong password and an unknown account", "The body tells whether an account exists.")
	}
}

// toldAll reports whether the words for a wrong password are also those for an
// account that does not exist.
func (j *evaluation) toldAll(words string) bool {
	return slices.ContainsFunc(j.log, func(x Exchange) bool {
		none := x.Purpose == BadCredentials && x.As == asPassword || x.Purpose == Account && strings.HasPrefix(x.Variant, madeUp)
		return none && strings.Contains(strings.ToLower(words), "password") && strings.Contains(visible(x.Body), words)
	})
}

// rule returns the part of a refusal's body that names a role or a rule, or "".
func (j *evaluation) rule(x Exchange) string {
	for _, re := range []*regexp.Regexp{ruleKeys, ruleQuoted, ruleEngine} {
		if found := re.FindString(x.Body); found != "" {
			return found
		}
	}
	scoped := insufficientScope(x.Answer.Header.Values("WWW-Authenticate")) // which may name it
	for _, found := range ruleNeeds.FindAllString(x.Body, -1) {
		if !needsWord.MatchString(found) && !(scoped && strings.Contains(strings.ToLower(found), "scope")) {
			return found
		}
	}
	body := whomToAsk.ReplaceAllString(x.Body, "")
	for _, word := range j.Words {
		if len(word) > 2 && !strings.Contains(x.Target, word) && regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(word)+`\b`).MatchString(body) {
			return word
		}
	}
	return ""
}
