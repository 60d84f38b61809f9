package lint

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// advice is a finding about a pattern, without its place.
type advice struct{ code, message, hint string }

// checkObjects checks the objects of p lines.
func (l *Linter) checkObjects(rules policy.Rules, lines *Lines) {
	if l.settings.ObjectRoute || l.shape.object.column < 0 {
		return
	}
	type use struct {
		object int32
		setting
	}
	known := map[use][]advice{}
	for r := range l.policyRulesOf(rules) {
		text := l.object(r)
		if isQuiet(l.shape.object.Function, text) {
			continue // cheaper to check than to remember
		}
		at := use{r.Number(l.shape.object.column), setting{paths: lines.mostlyPaths(), method: l.isAboutMethod(r)}}
		told, seen := known[at]
		if !seen {
			told = l.shape.object.Advise(text, at.setting)
			known[at] = told
		}
		for _, a := range told {
			l.reportColumn(r, l.shape.object.column, a.code, a.hint, "%s", a.message)
		}
	}
}

// object returns the object of a p line, or "".
func (l *Linter) object(r policy.Rule) string { return policy.ValueAt(r, l.shape.object.column) }

// isPath reports whether an object is meant as a path rather than a name given to a gate.
func isPath(object string) bool { return strings.HasPrefix(strings.TrimPrefix(object, "^"), "/") }

// isQuiet reports whether there are certainly no findings about an object: a path
// of plain segments, with parameters and a final star in the form of keyMatch2.
func isQuiet(function, object string) bool {
	if object == "" || object[0] != '/' {
		return false
	}
	named := function == "keyMatch2"
	for i := 1; i < len(object); i++ {
		first := object[i-1] == '/'
		switch c := object[i]; {
		case c == '-', pattern.IsNameByte(c) && c != '.', c == '/' && !first:
		case c == ':' && first && named && i+1 < len(object) && object[i+1] != '/':
		case c == '*' && first && named && i == len(object)-1:
		default:
			return false
		}
	}
	return object[len(object)-1] != '/' || len(object) == 1
}

// setting is the context of an object: paths reports that most objects are paths,
// method that the rule is about a request method.
type setting struct{ paths, method bool }

// Advise checks one object.
func (c Comparison) Advise(object string, in setting) []advice {
	if c.star && object == "*" || pattern.MatchesAll(c.Function, object) || pattern.Check(c.Function, object) != nil {
		return nil
	}
	if c.Function == "regexMatch" {
		return adviseRoute(object)
	}
	if !isPath(object) {
		return c.adviseName(object, in)
	}
	all := append(c.adviseStar(object), adviseUnmatchable(c.Function, object)...)
	all = append(all, adviseParameters(c.Function, object)...)
	if len(all) == 0 && isRegexp(c.Function) {
		all = adviseRegexp(object)
	}
	return all
}

// adviseName checks an object that is not a path but may be meant as one.
func (c Comparison) adviseName(object string, in setting) []advice {
	scheme, rest, isURL := strings.Cut(object, "://")
	part := standIn(object)
	isPattern := part != "" && part != "*" && part[0] != '^' || strings.HasSuffix(object, "/*")
	switch {
	case object == "" || object[0] == '*':
	case isURL && model.IsWord(scheme):
		if _, path, _ := strings.Cut(rest, "/"); in.paths || in.method {
			return []advice{{model.CodeUnmatchable, "the pattern never matches: a path that reaches the policy has no scheme and no host", "write /" + path + ", if no gate has this name"}}
		}
		return nil
	case isPattern && (in.paths || in.method), strings.Contains(object, "/") && in.paths:
		told := []advice{{model.CodeNoSlash, "paths begin with a slash, and this one does not", "write /" + object + ", if no gate has this name"}}
		return append(told, adviseParameters(c.Function, object)...)
	}
	if told := c.adviseStar(object); len(told) > 0 && told[0].code != model.CodePrefixStar {
		return told
	}
	return nil
}

// isRegexp reports whether a function turns its pattern into a regular expression.
func isRegexp(function string) bool { return pattern.HasSegments(function) && function != "==" }

// adviseStar finds stars that do not mean "and everything below".
func (c Comparison) adviseStar(object string) []advice {
	star := strings.IndexByte(object, '*')
	if star < 0 {
		return nil
	}
	before, behind := object[:star], object[star+1:]
	switch c.Function {
	case "==":
		return []advice{{model.CodeLiteralStar, "the matcher compares objects as they are, so * matches only itself", "name each object, or use keyMatch2 in the model"}}
	case "keyMatch":
		if strings.Trim(behind, "*") != "" {
			return []advice{{model.CodeMisplacedStar, fmt.Sprintf("keyMatch ignores %q behind the first *", behind), "end the pattern with the *, or use keyMatch2 with a parameter"}}
		}
		return advisePrefix(before)
	case "globMatch":
		if behind == "" {
			return advisePrefix(before)
		}
		return nil
	}
	return adviseRegexpStar(object)
}

func advisePrefix(before string) []advice {
	if before == "" || strings.HasSuffix(before, "/") || strings.HasSuffix(before, "*") {
		return nil
	}
	return []advice{{model.CodePrefixStar, fmt.Sprintf("the pattern also covers longer names, such as %sx", before), "write " + before + " and " + before + "/* if only what is below is meant"}}
}

// adviseRegexpStar finds stars in patterns for keyMatch2 and similar functions,
// where only "/*" differs from its meaning in a regular expression.
func adviseRegexpStar(object string) []advice {
	for i := range len(object) {
		if object[i] != '*' || i > 0 && strings.IndexByte(`.)]}\`, object[i-1]) >= 0 {
			continue
		}
		if i == 0 || object[i-1] != '/' {
			return []advice{{model.CodeMisplacedStar, "a * that is not behind a slash repeats the character in front of it", "write /* for everything below, or .* for any text"}}
		}
		if i < len(object)-1 && !isRest(object[i:]) {
			return []advice{{model.CodeMiddleStar, "a * inside the path stands for any number of segments", "use a parameter for one segment"}}
		}
	}
	return nil
}

var percentEscape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// adviseUnmatchable finds what no path that passes a gate can contain; see
// core/adapter.CanonicalPath.
func adviseUnmatchable(function, object string) []advice {
	if i := strings.IndexByte(object, '?'); i >= 0 && strings.IndexByte(object[i:], '=') > 0 {
		return []advice{{model.CodeQuery, "the query is no part of a path", "leave out all from the ? on"}}
	}
	literal := !isRegexp(function)
	star := strings.IndexByte(object, '*')
	if function == "keyMatch" && star >= 0 {
		object = object[:star]
	}
	why, hint := "", ""
	switch {
	case strings.IndexByte(object, '%') >= 0 && percentEscape.MatchString(object):
		why, hint = "has its percent-encoding taken off", "write the characters themselves"
	case literal && object[0] == '^':
		why, hint = "begins with a slash", "leave the ^ out, or use regexMatch in the model"
	case strings.Contains(object, "//"):
		why, hint = "has no empty segment", "write one slash"
	case literal && strings.ContainsRune(object, '\\') && function != "globMatch":
		why, hint = "has no backslash", "write a slash"
	case literal && hasDotSegment(object), !literal && hasDotSegment(escapedDots.Replace(object)):
		why, hint = "has no dot segment", "write the path it leads to"
	case len(object) > 1 && strings.HasSuffix(object, "/") && (star < 0 || function != "keyMatch"):
		why, hint = "ends in no slash", "leave the last slash out"
	default:
		return nil
	}
	return []advice{{model.CodeUnmatchable, "the pattern never matches: a path that reaches the policy " + why, hint}}
}

// escapedDots makes dots of a regular expression those of the path that it matches.
var escapedDots = strings.NewReplacer(`\.`, ".", ".", "x")

func hasDotSegment(object string) bool {
	for part := range strings.SplitSeq(object, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// adviseParameters finds parameters in a syntax that the function does not know,
// and those that match more than they seem to.
func adviseParameters(function, object string) []advice {
	for part := range strings.SplitSeq(object, "/") {
		colon := strings.IndexByte(part, ':')
		braces := isBracketed(part, '{', '}') && !strings.ContainsAny(part, ",")
		angles := isBracketed(part, '<', '>')
		switch {
		case part == "{$}":
			return []advice{{model.CodeParameter, fmt.Sprintf("%q is how net/http writes the end of a path, and means something else here", part), "leave it out, and the slash in front of it"}}
		case isRest(part) && (isRegexp(function) || part[0] != '*'):
			return []advice{{model.CodeParameter, fmt.Sprintf("%q is how routers write the rest of a path, and means something else here", part), restHint(function)}}
		case isOptional(part):
			return []advice{{model.CodeParameter, fmt.Sprintf("%q is how routers write a segment that may be missing, and means something else here", part), optionalHint(function, object, part)}}
		case braces && function != "keyMatch2" && isRegexp(function) && strings.ContainsAny(part, ":<") && strings.Count(part, "{") == 1:
			return []advice{{model.CodeParameter, fmt.Sprintf("%q matches any segment here, whatever it says", part), parameterHint(function)}}
		case !angles && function == "keyMatch2" && colon >= 0 && strings.ContainsAny(part[colon+1:], ".:*({<"),
			!angles && function != "keyMatch2" && isRegexp(function) && strings.Count(part, "{") > 1:
			return []advice{{model.CodeParameterSuffix, fmt.Sprintf("the parameter in %q takes the rest of the segment, whatever it says", part), "give the segment one parameter and nothing behind it"}}
		case angles, colon == 0 && len(part) > 1 && function != "keyMatch2", braces && (function == "keyMatch2" || !isRegexp(function)):
			return []advice{{model.CodeParameter, fmt.Sprintf("%q is literal here and does not match any segment", part), parameterHint(function)}}
		}
	}
	return nil
}

// isRest reports whether a last segment is a router's name for the rest of a path:
// "*filepath" in Gin, "{path...}" in net/http, "+" in Fiber.
func isRest(part string) bool {
	if part == "+" {
		return true
	}
	name, star := strings.CutPrefix(part, "*")
	if !star && isBracketed(part, '{', '}') {
		name, star = strings.CutSuffix(part[1:len(part)-1], "...")
	}
	return star && model.IsWord(name)
}

// isOptional reports whether a segment is a router's name for one that may be missing:
// ":id?" in Fiber.
func isOptional(part string) bool {
	name, ok := strings.CutSuffix(part, "?")
	name, colon := strings.CutPrefix(name, ":")
	if !colon && isBracketed(name, '{', '}') {
		name, colon = name[1:len(name)-1], true
	}
	return ok && colon && model.IsWord(name)
}

func restHint(function string) string {
	switch function {
	case "globMatch":
		return "write ** in its place"
	case "==":
		return parameterHint(function)
	}
	return "write * in its place"
}

// optionalHint proposes the two paths that an optional segment stands for.
func optionalHint(function, object, part string) string {
	with := strings.Trim(part, ":{}?")
	switch {
	case function == "keyMatch2":
		with = ":" + with
	case function == "globMatch":
		with = "*"
	case isRegexp(function):
		with = "{" + with + "}"
	default:
		return parameterHint(function)
	}
	without := cmp.Or(strings.Replace(object, "/"+part, "", 1), "/")
	return "write two lines, for " + strings.Replace(object, part, with, 1) + " and for " + without
}

func parameterHint(function string) string {
	switch function {
	case "keyMatch2":
		return "write :name"
	case "globMatch":
		return "write *"
	case "==", "keyMatch":
		return "use keyMatch2 in the model, or WithRouteAsObject (--object-route, route_as_object) if routes are meant"
	}
	return "write {name}"
}

// adviseRoute finds what the other functions, or routers, know and regexMatch does not.
func adviseRoute(object string) []advice {
	path, whole := strings.CutSuffix(strings.TrimPrefix(object, "^"), "$")
	if !isPath(path) {
		return nil
	}
	for part := range strings.SplitSeq(path, "/") {
		name, colon := strings.CutPrefix(part, ":")
		if isBracketed(part, '{', '}') || isBracketed(part, '<', '>') {
			name, colon = part[1:len(part)-1], true
		}
		switch {
		case colon && model.IsWord(name):
			return []advice{{model.CodeParameter, fmt.Sprintf("%q is literal here and does not match any segment", part), "write [^/]+"}}
		case part == "*":
			return []advice{{model.CodeRegexpCharacter, "the * repeats the slash in front of it", "write /.* for everything below"}}
		}
	}
	if whole && len(path) > 1 && strings.HasSuffix(path, "/") && !strings.Contains(path, "|") {
		return adviseUnmatchable("regexMatch", path)
	}
	return nil
}

// adviseRegexp finds characters with a meaning in regular expressions, in a pattern
// that does not look like one.
func adviseRegexp(object string) []advice {
	if strings.Contains(object, "(") || strings.Contains(object, ".*") {
		return nil
	}
	for i := range len(object) {
		c := object[i]
		if strings.IndexByte(".+?|^$[", c) < 0 || i > 0 && object[i-1] == '\\' {
			continue
		}
		switch c {
		case '.':
			hint := `write \.`
			if hasDotSegment(object) {
				hint = "write the path it leads to: no path that reaches the policy has a dot segment"
			}
			return []advice{{model.CodeRegexpCharacter, "the dot stands for any character", hint}}
		case '[':
			return []advice{{model.CodeRegexpCharacter, "the [ begins a set of characters, one of which is to stand there", `write \[`}}
		}
		return []advice{{model.CodeRegexpCharacter, fmt.Sprintf("%q means something in the regular expression that the pattern is made into", c), `write \` + string(c)}}
	}
	return nil
}
