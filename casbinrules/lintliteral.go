package casbinrules

import (
	"slices"
	"strconv"
	"strings"
)

// lineField is a field of one kind of lines.
type lineField struct {
	kind  string
	field int
}

// verbatim is a field whose text is compared as it is, so that a pattern in it
// stands for itself.
type verbatim struct {
	lineField
	// what says what the texts are, instead what to do about a pattern.
	what, instead string
	// twins hold the same texts on the other side of a comparison: what stands
	// there too is equal to something.
	twins []lineField
	// asked says that values of the application's own are compared, which may
	// well hold a star.
	asked bool
}

// suspect is a rule with what looks like a pattern in a literal field.
type suspect struct {
	rule *rule
	verbatim
}

// checkLiterals looks for patterns in fields that are compared as they are:
// tenants, the ends of role links, and what only these lead to.
func (l *linter) checkLiterals() {
	if len(l.rules) == 0 {
		return
	}
	texts := l.rules[0].texts
	byKind := map[int32][]verbatim{}
	for _, f := range append(l.literalColumns(), l.literalLinks()...) {
		number := texts.known(f.kind)
		byKind[number] = append(byKind[number], f)
	}
	type textAt struct {
		lineField
		text int32
	}
	var suspects []suspect
	stands := map[textAt]bool{}
	seen := make([]int8, texts.numbers()) // 1 for a plain text, 2 for a pattern
	for _, r := range l.rules {
		l.config.pace.step()
		for _, f := range byKind[r.numbers()[0]] {
			number := r.number(f.field)
			if seen[number] == 0 {
				seen[number] = 1
				if standIn(texts.text(number)) != "" {
					seen[number] = 2
				}
			}
			if seen[number] == 2 {
				suspects = append(suspects, suspect{r, f})
				stands[textAt{f.lineField, number}] = true
			}
		}
	}
	for _, s := range suspects {
		number := s.rule.number(s.field)
		if !slices.ContainsFunc(s.twins, func(at lineField) bool { return stands[textAt{at, number}] }) {
			l.tellLiteral(s)
		}
	}
}

// tellLiteral reports a pattern that stands for itself.
func (l *linter) tellLiteral(s suspect) {
	text := s.rule.field(s.field)
	if s.lineField == (lineField{"p", l.shape.subject}) && text == "*" || s.kind != "p" && l.schema.namesRole(s.kind, text) {
		return // It is reported as a subject, or the matcher asks for it.
	}
	part := standIn(text)
	code, hint := codeParameter, "name each one; "+s.instead
	message := strconv.Quote(part) + " stands for itself here: " + s.what + " are compared as they are"
	if part == "*" {
		code = codeLiteralStar
		message = s.what + " are compared as they are, so that " + strconv.Quote(text) + " stands only for itself"
	}
	severity := l.config.severity(code)
	if s.asked {
		severity = SeverityWarning
	}
	l.tellAs(severity, s.rule, s.field+1, code, hint, message)
}

// standIn is the part of a text that would stand for others in a pattern, or
// "": a star, or a segment that is a parameter.
func standIn(text string) string {
	if strings.IndexByte(text, '*') >= 0 {
		return "*"
	}
	if !strings.ContainsAny(text, ":{<") {
		return ""
	}
	for part := range strings.SplitSeq(text, "/") {
		if len(part) > 1 && part[0] == ':' || isBracketed(part, '{', '}') || isBracketed(part, '<', '>') {
			return part
		}
	}
	return ""
}

// isBracketed reports whether a segment is a name in brackets.
func isBracketed(part string, open, shut byte) bool {
	return len(part) > 2 && part[0] == open && part[len(part)-1] == shut
}

// literalColumns are the columns of p lines that are compared as they are and
// in no other way. Objects and actions are looked at elsewhere, unless role
// links lead to them.
func (l *linter) literalColumns() []verbatim {
	var found []verbatim
	for column, field := range l.schema.literalFields() {
		if field == "" || l.isRoute(field) {
			continue
		}
		f := l.literalOf(field)
		f.instead = "or write p." + l.schema.columns[column] + ` == "*" into the matcher for a line that is for all`
		f.lineField = lineField{"p", column}
		for _, c := range l.schema.roleCalls() {
			if c.column == column {
				f.twins = append(f.twins, lineField{c.name, c.roleEnd()})
			}
		}
		if len(f.twins) > 0 || field != "r_obj" && field != "r_act" {
			found = append(found, f)
		}
	}
	return found
}

// isRoute reports whether a request field is the route as it is registered,
// with its parameters.
func (l *linter) isRoute(field string) bool { return field == "r_obj" && l.config.objectRoute }

// literalOf says what the texts compared with a request field are.
func (l *linter) literalOf(field string) verbatim {
	name := strings.TrimPrefix(field, "r_")
	var f verbatim
	switch at := requestFields[name]; {
	case at == fieldTenant:
		f.what = "tenants"
	case name == "sub":
		f.what = "subjects"
	case name == "obj":
		f.what = "objects"
	case name == "act":
		f.what = "actions"
	default:
		f.what, f.asked = "values of "+name, true
	}
	return f
}

// literalLinks are the fields of role links that are compared as they are.
func (l *linter) literalLinks() []verbatim {
	const instead = "role links know no patterns"
	columns := l.schema.literalFields()
	var found []verbatim
	add := func(f verbatim) {
		if !slices.ContainsFunc(found, func(have verbatim) bool { return have.lineField == f.lineField }) {
			found = append(found, f)
		}
	}
	for _, c := range l.schema.roleCalls() {
		if c.field == "" {
			continue
		}
		if !l.isRoute(c.field) {
			add(verbatim{lineField: lineField{c.name, 1 - c.roleEnd()}, what: "the names in role links", instead: instead})
			add(verbatim{lineField: lineField{c.name, c.roleEnd()}, what: "the names in role links", instead: instead, twins: []lineField{{"p", c.column}}})
		}
		tenant := c.arg(2)
		column := l.schema.column(tenant.text)
		if isField := strings.HasPrefix(tenant.text, "r_") || column >= 0 && columns[column] != ""; l.schema.roles[c.name] == 3 && isField {
			add(verbatim{lineField: lineField{c.name, 2}, what: "the tenants of role links", instead: instead})
		}
	}
	return found
}

// namesRole reports whether the matcher asks for a name in links of a kind.
func (s *schema) namesRole(kind, name string) bool {
	return slices.ContainsFunc(s.roleCalls(), func(c roleCall) bool {
		return c.name == kind && slices.ContainsFunc([]token{c.arg(0), c.arg(1), c.arg(2)}, func(t token) bool { return t.kind == tokenString && t.text == name })
	})
}

// roleEnd is the field of a link that holds the role that the policy names.
func (c roleCall) roleEnd() int {
	if c.reversed {
		return 0
	}
	return 1
}

// literalFields are the request fields that columns are compared with as they
// are, by ==, or by way of role links; "" for columns that anything else of the
// matcher looks at.
func (s *schema) literalFields() []string {
	fields, uses := make([]string, len(s.columns)), make([]int, len(s.columns))
	use := func(column int, field string) {
		if column < 0 {
			return
		}
		uses[column]++
		if field != "" {
			fields[column] = field
		}
	}
	for i := 1; i+1 < len(s.matcherTokens); i++ {
		left, right := s.matcherTokens[i-1].text, s.matcherTokens[i+1].text
		if s.matcherTokens[i].kind != tokenOther || s.matcherTokens[i].text != "==" {
			continue
		}
		if strings.HasPrefix(left, "r_") {
			use(s.column(right), left)
		} else if strings.HasPrefix(right, "r_") {
			use(s.column(left), right)
		}
	}
	for _, c := range s.roleCalls() {
		use(c.column, c.field)
		use(s.column(c.arg(2).text), "")
	}
	for _, t := range s.matcherTokens {
		if column := s.column(t.text); t.kind == tokenName && column >= 0 {
			uses[column]--
		}
	}
	for column, n := range uses {
		if n != 0 {
			fields[column] = ""
		}
	}
	return fields
}
