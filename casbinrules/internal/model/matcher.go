package model

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// OwnPrefix begins all names in rewritten matchers that are not in the model. Fields and
// functions of a model are ASCII, so that none has such a name; Casbin looks up in the
// request what begins with an r.
const OwnPrefix = "rø_"

// LinksField is the request field that this package adds to a model, to pass the
// role links of a request to g.
const LinksField = OwnPrefix + "links"

// PatternColumn is a policy field that is the pattern of a matcher function.
type PatternColumn struct {
	Column   int
	Function string
}

// readMatcher determines the meaning of policy fields, and refuses what would fail,
// or not be supported, at a request.
func (s *Schema) readMatcher() {
	problem, err := s.ParseMatcher(s.File.Settings.withoutAliases(s.File.definition("m").Value))
	if s.Tree == nil {
		s.CasbinOnly = "a matcher that only Casbin can parse"
	}
	if err != nil {
		// Casbin takes each byte for a character: the file has the one to be shown.
		if _, written := lex(s.File.definitionText("m")); written != nil {
			err = written
		}
		hint := ""
		if slices.ContainsFunc(s.File.lines["m"], func(l sourceLine) bool { return strings.Contains(l.text, "#") }) {
			hint = "Casbin takes # and what follows it for a comment, in a text too"
		}
		s.refuseMatcher(hint, "%s", FirstLine(err))
		if s.File.Settings.AsCasbin && !s.File.Failed() {
			s.compileMatcher(nil)
		}
		return
	}
	s.checkNames()
	s.checkTexts()
	s.readCompared()
	for _, c := range s.patternCalls() {
		s.readCall(c)
	}
	s.checkSubjectPriority()
	s.ReadMatcherRoles()
	switch {
	case !s.File.Failed():
		s.compileMatcher(problem)
	case problem != nil:
		s.refuseMatcher("", "%s", problem.message)
	}
}

// ParseMatcher parses a matcher. The error says that it cannot be split into tokens,
// the problem that they cannot be parsed.
func (s *Schema) ParseMatcher(text string) (problem *matcherError, err error) {
	s.Matcher = text
	if s.tokens, err = lex(text); err == nil {
		s.Tree, problem = parseTree(s.tokens)
	}
	return problem, err
}

func (s *Schema) refuseMatcher(hint, format string, args ...any) {
	s.File.Report(s.File.At["m"], CodeModelMatcher, hint, format, args...)
}

// checkNames refuses names that are neither defined nor functions.
func (s *Schema) checkNames() {
	known := s.File.Settings.MatcherFunctions()
	policy := false
	for i, t := range s.tokens {
		name := t.text
		if t.kind != tokenName || name == "in" || name == "true" || name == "false" || '0' <= name[0] && name[0] <= '9' {
			continue
		}
		isCall := i+1 < len(s.tokens) && s.tokens[i+1].kind == tokenOther && s.tokens[i+1].text == "("
		switch {
		case name == "eval" && isCall:
			s.CasbinOnly = "eval"
			s.refuseMatcher("write the condition into the matcher, and what differs into fields of the policy",
				"eval is not supported: it makes a program of every policy line")
		case isCall && (known[name] != nil || s.Roles[name] != 0):
		case isCall:
			s.refuseMatcher(s.functionHint(name, known), "the matcher calls %q, which is neither a function nor a role definition", name)
		case s.Column(name) >= 0:
			policy = true
		case strings.HasPrefix(name, "r_") && slices.Contains(s.Names("r"), name[2:]):
		case strings.Contains(name, "."):
			s.refuseMatcher("make it a request field of its own, and fill it with WithAttribute, or WithObjectAttribute for a property of the object",
				"the matcher uses %q, but values are texts, which have no properties", strings.Replace(name, "_", ".", 1))
		default:
			name = strings.Replace(name, "_", ".", 1)
			s.refuseMatcher(DidYouMean(name, s.fieldNames(), "use the fields of the request and policy definitions"),
				"the matcher uses %q, which is not defined", name)
		}
	}
	if !policy {
		s.File.Report(s.File.At["m"], CodeModelOpen, "compare the request with fields of the policy", "the matcher does not use the policy")
	}
}

// checkTexts refuses texts in which Casbin has replaced something that looks like a
// field, and those whose bytes it treats as characters. Doubled backslashes are
// intended.
func (s *Schema) checkTexts() {
	texts := func(tokens []token) []token {
		return slices.DeleteFunc(slices.Clone(tokens), func(t token) bool { return t.kind != tokenString })
	}
	bare := strings.NewReplacer(`\`, "")
	written, err := lex(s.File.definitionText("m"))
	if err != nil {
		return // reported for Casbin's form of it
	}
	for i, t := range texts(written) {
		if read := texts(s.tokens); i < len(read) && bare.Replace(t.text) != bare.Replace(read[i].text) {
			s.refuseMatcher("put the text into a field of the policy, which Casbin leaves as it is", "Casbin reads %q where the matcher has the text %q", read[i].text, t.text)
		}
	}
}

// functionHint suggests known functions for an unknown one.
func (s *Schema) functionHint(name string, known map[string]govaluate.ExpressionFunction) string {
	functions := slices.Sorted(maps.Keys(known))
	return DidYouMean(name, append(slices.Sorted(maps.Keys(s.Roles)), functions...),
		"the functions are "+strings.Join(functions, ", ")+"; add others with WithFunction, or other names for these with WithFunctionAlias (--function)")
}

// fieldNames returns the fields as a matcher names them.
func (s *Schema) fieldNames() []string {
	var names []string
	for _, key := range []string{"r", "p"} {
		for _, name := range s.Names(key) {
			names = append(names, key+"."+name)
		}
	}
	return names
}

func (s *Schema) readCompared() {
	for _, name := range s.comparedNames("r_sub") {
		s.Subjects = AddColumn(s.Subjects, s.Column(name))
	}
	for _, name := range s.comparedNames("r_act") {
		s.Actions = AddColumn(s.Actions, s.Column(name))
	}
}

// comparedNames returns the names that name is compared with by ==.
func (s *Schema) comparedNames(name string) []string {
	var names []string
	for n := range s.Tree.All() {
		if n.Kind != NodeCompare || n.Text != "==" {
			continue
		}
		left, right := n.Parts[0].Name(), n.Parts[1].Name()
		if left != name {
			left, right = right, left
		}
		if left == name && right != "" {
			names = append(names, right)
		}
	}
	return names
}

// patternCalls returns the calls of functions, followed by the uses of =~ and !~ as
// the calls of regexMatch that they stand for.
func (s *Schema) patternCalls() []*Node {
	found := s.Tree.calls()
	for n := range s.Tree.All() {
		if n.Kind == NodeCompare && (n.Text == "=~" || n.Text == "!~") {
			found = append(found, &Node{Kind: NodeCall, Text: "regexMatch", Parts: n.Parts})
		}
	}
	return found
}

// readCall records how a function call uses a policy field.
func (s *Schema) readCall(c *Node) {
	column := s.Column(c.Arg(1).Name())
	if c.Text == "g" || slices.Contains(pattern.Functions, c.Text) {
		switch c.Arg(0).Name() {
		case "r_sub":
			s.Subjects = AddColumn(s.Subjects, column)
		case "r_act":
			s.Actions = AddColumn(s.Actions, column)
			s.ActionPattern = s.ActionPattern || column >= 0
		}
	}
	s.readTenantCall(c)
	if c.Text == "ipMatch" {
		field, ok := s.RequestField(c.Arg(0).Name())
		if !ok || field < FieldAttribute {
			s.refuseMatcher("define a request field for the client's address and fill it with the option WithAttribute",
				"ipMatch needs an attribute of the request as its first argument")
			return
		}
	} else if !slices.Contains(pattern.Functions, c.Text) {
		return
	}
	switch text := c.Arg(1); {
	case column >= 0:
		s.Patterns = append(s.Patterns, PatternColumn{column, c.Text})
	case strings.HasPrefix(text.Name(), "r_"):
		s.refuseMatcher("the request comes first, the pattern second", "%s takes its pattern from the request", c.Text)
	case text.Kind == NodeText:
		if err := pattern.Check(c.Text, text.Text); err != nil {
			s.refuseMatcher("", "%s cannot use the pattern %q: %s", c.Text, text.Text, FirstLine(err))
		}
	}
}

// checkSubjectPriority refuses a policy definition in which Casbin would look for
// subjects and their tenants in other fields, and sort nothing.
func (s *Schema) checkSubjectPriority() {
	if s.Effect != SubjectPriorityEffect || s.File.Settings.AsCasbin {
		return
	}
	if len(s.Subjects) > 0 && !slices.Contains(s.Subjects, 0) {
		s.File.Report(s.File.At["p"], CodeModelEffect, "define it first", "subject priority sorts lines by the first field of p, and that is not the subject")
	}
	if s.Roles["g"] == 3 && !slices.Contains(s.Columns, "dom") {
		s.File.Report(s.File.At["p"], CodeModelEffect, "define dom", "subject priority looks for the tenant of a line in the field dom only")
	}
}

// parseExpression calls the expression library, with an error if it panics, as for
// a backslash at the end.
func parseExpression(text string, functions map[string]govaluate.ExpressionFunction) (made *govaluate.EvaluableExpression, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("casbin panics on it, as it does on empty parentheses and on a backslash at the end")
		}
	}()
	return govaluate.NewEvaluableExpressionWithFunctions(text, functions)
}

// compileMatcher checks the syntax with the expression library; problem is the error
// that our own parser found, or nil.
func (s *Schema) compileMatcher(problem *matcherError) {
	known := s.File.Settings.MatcherFunctions()
	for key := range s.Roles {
		known[key] = func(...any) (any, error) { return false, nil }
	}
	if s.File.Settings.AsCasbin {
		known["eval"] = known["keyMatch"]
	}
	made, err := parseExpression(s.Matcher, known)
	if err != nil {
		hint := ""
		if strings.Contains(err.Error(), "'='") {
			hint = "write == to compare"
		}
		s.refuseMatcher(hint, "the matcher is not an expression: %s", FirstLine(err))
		s.File.Findings[len(s.File.Findings)-1].Severity = SeverityError // even with Casbin semantics
		return
	}
	if problem != nil {
		s.reportToken(problem.token, CodeModelMatcher, "", "%s", problem.message)
	}
	if s.Tree != nil {
		s.checkTypes(made.Tokens())
		s.Expr = s.readExpr(s.Tree)
	}
}

// AddColumn adds a column to a list of columns, unless it is already there or -1.
func AddColumn(columns []int, column int) []int {
	if column < 0 || slices.Contains(columns, column) {
		return columns
	}
	return append(columns, column)
}

// Calls reports whether the matcher calls a function.
func (s *Schema) Calls(name string) bool {
	return slices.ContainsFunc(s.Tree.calls(), func(c *Node) bool { return c.Text == name })
}
