// Package sample generates sample requests for routes and rules.
package sample

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/probe"
)

// Word returns a word that occurs in none of texts, so that only parameters match it:
// "sample", possibly followed by a number.
func Word(texts []string) string {
	word := "sample"
	for n := 2; slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), word) }); n++ {
		word = "sample" + strconv.Itoa(n)
	}
	return word
}

// WordFor is [Word] for the fields of rules.
func WordFor(rules []casbinrules.Rule) string {
	var texts []string
	for _, r := range rules {
		texts = append(texts, r.Fields...)
	}
	return Word(texts)
}

// Path returns a request path that matches route, as a gate asks about it. Each parameter
// and wildcard is replaced by word, a single segment.
func Path(route, word string) string {
	path := probe.SamplePath(route, word)
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// Objects returns objects that p matches: paths with one segment, two segments and no
// segment for a wildcard. It returns none if it cannot generate any.
func Objects(p casbinrules.Pattern, word string) []string {
	var made []string
	for _, object := range candidates(p, word) {
		if canonical(object) && p.Matches(object) && !slices.Contains(made, object) {
			made = append(made, object)
		}
	}
	if made == nil {
		all, _ := Space{Patterns: []casbinrules.Pattern{p}, Valid: CanonicalObject}.Complete(nil)
		made = slices.DeleteFunc(all, func(object string) bool { return !p.Matches(object) })
	}
	return made
}

// canonical reports whether a gate would pass a path on to the policy.
func canonical(path string) bool {
	return path != "" && (path == "/" || !strings.HasSuffix(path, "/")) && !strings.Contains(path, "//")
}

func candidates(p casbinrules.Pattern, word string) []string {
	switch p.Function {
	case "regexMatch":
		re, err := syntax.Parse(p.Text, syntax.Perl)
		if err != nil {
			return nil
		}
		text := matchingText(re.Simplify(), word)
		return []string{text, "/" + text, text + word, "/" + word, "/" + word + text, text + "/" + word}
	case "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch", "keyGet2", "keyGet3":
		var made []string
		for _, rest := range []string{word, word + "/" + word, ""} {
			made = append(made, fill(p, word, rest))
		}
		if p.Text == "*" && p.Function == "globMatch" {
			made = append(made, word) // it has no slashes
		}
		return made
	default:
		return []string{p.Text}
	}
}

var (
	colon = regexp.MustCompile(`:[^/]+`)
	brace = regexp.MustCompile(`\{[^/]+?\}`)
	class = regexp.MustCompile(`\[[^\]]*\]|\?`)
	stars = regexp.MustCompile(`\*+`)
)

// fill replaces parameters by word and wildcards by rest.
func fill(p casbinrules.Pattern, word, rest string) string {
	if p.Text == "*" {
		return "/" + rest
	}
	text := p.Text
	switch p.Function {
	case "keyMatch":
		head, _, wild := strings.Cut(text, "*")
		if wild {
			return head + rest
		}
		return text
	case "keyMatch2", "keyGet2":
		text = colon.ReplaceAllLiteralString(text, word)
	case "globMatch":
		text = class.ReplaceAllStringFunc(text, func(set string) string {
			if len(set) > 2 && set[1] != '^' && set[1] != '!' {
				return set[1:2]
			}
			return "x"
		})
	default:
		text = brace.ReplaceAllLiteralString(text, word)
	}
	text = strings.ReplaceAll(text, ".*", rest)
	return stars.ReplaceAllLiteralString(text, rest)
}

// matchingText returns a short text that a regular expression matches.
func matchingText(re *syntax.Regexp, word string) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for _, like := range "a0x" {
				if re.Rune[i] <= like && like <= re.Rune[i+1] {
					return string(like)
				}
			}
		}
		if len(re.Rune) > 0 {
			return string(re.Rune[0])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpStar, syntax.OpPlus:
		if s := matchingText(re.Sub[0], word); s != "x" {
			return s
		}
		return word
	case syntax.OpQuest:
		return ""
	case syntax.OpRepeat:
		return strings.Repeat(matchingText(re.Sub[0], word), max(re.Min, 1))
	case syntax.OpCapture, syntax.OpAlternate:
		return matchingText(re.Sub[0], word)
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(matchingText(sub, word))
		}
		return b.String()
	}
	return ""
}

// usualMethods are the methods that represent "*".
var usualMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// Actions returns actions that p matches: its own, the usual methods and those it names, or
// a generated one.
func Actions(p casbinrules.Pattern) []string {
	switch {
	case p.Text == "*":
		return slices.Clone(usualMethods)
	case p.Function == "==":
		return []string{p.Text}
	}
	var made []string
	for _, action := range append(slices.Clone(usualMethods), words.FindAllString(p.Text, -1)...) {
		if p.Matches(action) && !slices.Contains(made, action) {
			made = append(made, action)
		}
	}
	if len(made) > 0 {
		return made
	}
	for _, action := range candidates(p, Word([]string{p.Text})) {
		if p.Matches(action) {
			return []string{action}
		}
	}
	return nil
}

var words = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_-]*`)

// Cross returns an object that both p and q match, built from the fixed segments of both,
// for patterns that match segment by segment. It returns false if the samples of one
// pattern already include such an object.
func Cross(p, q casbinrules.Pattern, word string) (string, bool) {
	a, b := strings.Split(p.Text, "/"), strings.Split(q.Text, "/")
	for len(a) < len(b) && a[len(a)-1] == "*" {
		a = append(a, "*")
	}
	for len(b) < len(a) && b[len(b)-1] == "*" {
		b = append(b, "*")
	}
	if p == q || len(a) != len(b) {
		return "", false
	}
	made := make([]string, len(a))
	fromA, fromB := false, false
	for i := range a {
		switch {
		case !isWildcard(a[i]) && !isWildcard(b[i]) && a[i] != b[i]:
			return "", false
		case !isWildcard(a[i]):
			made[i], fromA = a[i], fromA || isWildcard(b[i])
		case !isWildcard(b[i]):
			made[i], fromB = b[i], true
		default:
			made[i] = word
		}
	}
	object := strings.Join(made, "/")
	return object, fromA && fromB && canonical(object) && p.Matches(object) && q.Matches(object)
}

func isWildcard(segment string) bool { return strings.ContainsAny(segment, ":{*") }
