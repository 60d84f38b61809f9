package casbinrules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casbin/govaluate"
)

// linksField is the request field that this package adds to a model, to hand
// the role links of the one request to g. No model can name it itself.
const linksField = "r__links"

// patternColumn is a policy field that a matcher function takes as pattern.
type patternColumn struct {
	column   int
	function string
}

// patternFunctions are the matcher functions whose second argument is a
// pattern that can be malformed, or mean something odd.
var patternFunctions = []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "keyGet2", "keyGet3", "regexMatch", "globMatch"}

// aliasableFunctions are those that compare a text with a pattern, sorted.
var aliasableFunctions = []string{"globMatch", "ipMatch", "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "regexMatch"}

// readMatcher finds out which policy field means what, and refuses what would
// fail, or not be honoured, at a request.
func (s *schema) readMatcher() {
	s.matcher = s.file.config.withoutAliases(s.file.casbin["m"]["m"].Value)
	s.file.casbin["m"]["m"].Value = s.matcher
	tokens, err := lex(s.matcher)
	if err != nil {
		s.casbinOnly = "a matcher of which the words cannot be told apart"
		s.refuseMatcher("", "%s", firstLine(err))
		if s.file.config.asCasbin && !s.file.failed() {
			s.compileMatcher()
		}
		return
	}
	s.matcherTokens = tokens
	found := calls(tokens)
	s.checkNames(tokens, found)
	s.readCompared(tokens)
	for _, c := range append(found, regexpOperators(tokens)...) {
		s.readCall(c)
	}
	s.readMatcherRoles()
	if !s.file.failed() {
		s.compileMatcher()
	}
}

func (s *schema) refuseMatcher(hint, format string, args ...any) {
	s.file.report(s.file.at["m"], codeModelMatcher, hint, format, args...)
}

// checkNames refuses names that no definition and no function has.
func (s *schema) checkNames(tokens []token, found []call) {
	known := s.file.config.matcherFunctions()
	policy := false
	for i, t := range tokens {
		name := t.text
		if t.kind != tokenName || name == "in" || name == "true" || name == "false" || '0' <= name[0] && name[0] <= '9' {
			continue
		}
		isCall := i+1 < len(tokens) && tokens[i+1].kind == tokenOther && tokens[i+1].text == "("
		switch {
		case name == "eval" && isCall:
			s.casbinOnly = "eval"
			s.refuseMatcher("write the condition into the matcher, and what differs into fields of the policy",
				"eval is not supported: it makes a program of every policy line")
		case isCall && (known[name] != nil || s.roles[name] != 0):
		case isCall:
			s.refuseMatcher(s.functionHint(name, known), "there is no function or role definition %q", name)
		case s.column(name) >= 0:
			policy = true
		case strings.HasPrefix(name, "r_") && slices.Contains(s.names("r"), name[2:]):
		case strings.Contains(name, "."):
			s.refuseMatcher("make it a request field of its own, and fill that with the option WithAttribute",
				"the matcher names %q, and values are texts, which have no properties", strings.Replace(name, "_", ".", 1))
		default:
			name = strings.Replace(name, "_", ".", 1)
			s.refuseMatcher(didYouMean(name, s.fieldNames(), "use the fields of the request and policy definitions"),
				"the matcher names %q, which no definition has", name)
		}
	}
	if !policy {
		s.file.report(s.file.at["m"], codeModelOpen, "compare the request with fields of the policy", "the matcher does not look at the policy")
	}
}

// functionHint says what a function that there is not may be meant for.
func (s *schema) functionHint(name string, known map[string]govaluate.ExpressionFunction) string {
	functions := slices.Sorted(maps.Keys(known))
	return didYouMean(name, append(slices.Sorted(maps.Keys(s.roles)), functions...),
		"there are "+strings.Join(functions, ", ")+"; give others with the option WithFunction, or with WithFunctionAlias (--function) one of these by another name")
}

// fieldNames are the fields as a matcher names them.
func (s *schema) fieldNames() []string {
	var names []string
	for _, key := range []string{"r", "p"} {
		for _, name := range s.names(key) {
			names = append(names, key+"."+name)
		}
	}
	return names
}

func (s *schema) readCompared(tokens []token) {
	for _, name := range compared(tokens, "r_sub") {
		s.subjects = addColumn(s.subjects, s.column(name))
	}
	for _, name := range compared(tokens, "r_act") {
		s.actions = addColumn(s.actions, s.column(name))
	}
}

// regexpOperators are the uses of =~ and !~ as the calls of regexMatch that
// they stand for.
func regexpOperators(tokens []token) []call {
	var found []call
	for i := 1; i+1 < len(tokens); i++ {
		if tokens[i].kind == tokenOther && (tokens[i].text == "=~" || tokens[i].text == "!~") {
			found = append(found, call{name: "regexMatch", args: [][]token{tokens[i-1 : i], tokens[i+1 : i+2]}})
		}
	}
	return found
}

// readCall notes what a function call says of a policy field.
func (s *schema) readCall(c call) {
	column := s.column(c.arg(1).text)
	if c.name == "g" || slices.Contains(patternFunctions, c.name) {
		switch c.arg(0).text {
		case "r_sub":
			s.subjects = addColumn(s.subjects, column)
		case "r_act":
			s.actions = addColumn(s.actions, column)
			s.actionPattern = s.actionPattern || column >= 0
		}
	}
	if c.name == "keyMatch" && c.arg(0).text == "r_dom" && c.arg(1).text == "p_dom" {
		s.casbinOnly = "tenant patterns in role links"
		s.refuseMatcher("compare tenants with ==", "tenant patterns in role links are not supported")
	}
	if c.name == "ipMatch" {
		field, ok := s.requestField(c.arg(0).text)
		if !ok || field < fieldAttribute {
			s.refuseMatcher("define a request field for the client's address and fill it with the option WithAttribute",
				"ipMatch needs an attribute of the request as its first argument")
			return
		}
	} else if !slices.Contains(patternFunctions, c.name) {
		return
	}
	switch pattern := c.arg(1); {
	case column >= 0:
		s.patterns = append(s.patterns, patternColumn{column, c.name})
	case pattern.kind == tokenName && strings.HasPrefix(pattern.text, "r_"):
		s.refuseMatcher("the request comes first, the pattern second", "%s takes its pattern from the request", c.name)
	case pattern.kind == tokenString:
		if err := checkPattern(c.name, pattern.text); err != nil {
			s.refuseMatcher("", "%s cannot use the pattern %q: %s", c.name, pattern.text, firstLine(err))
		}
	}
}

// parseExpression is the expression library's, with an error where it panics, as
// it does on a backslash at the end.
func parseExpression(text string, functions map[string]govaluate.ExpressionFunction) (made *govaluate.EvaluableExpression, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	return govaluate.NewEvaluableExpressionWithFunctions(text, functions)
}

// compileMatcher has the expression library judge the syntax.
func (s *schema) compileMatcher() {
	known := s.file.config.matcherFunctions()
	for key := range s.roles {
		known[key] = func(...any) (any, error) { return false, nil }
	}
	if s.file.config.asCasbin {
		known["eval"] = known["keyMatch"]
	}
	made, err := parseExpression(s.matcher, known)
	if err != nil {
		s.refuseMatcher("", "the matcher is no expression: %s", firstLine(err))
		s.file.findings[len(s.file.findings)-1].Severity = SeverityError // for Casbin too
		return
	}
	s.checkTypes(made.Tokens())
	s.expr, _ = parseMatcher(s)
}

func addColumn(columns []int, column int) []int {
	if column < 0 || slices.Contains(columns, column) {
		return columns
	}
	return append(columns, column)
}
