package lint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// lineField is a field of one kind of lines.
type lineField struct {
	kind  string
	field int
}

// verbatim is a field whose text is compared literally, so that a pattern in it
// stands for itself.
type verbatim struct {
	lineField
	// what describes the texts, instead says what to do about a pattern.
	what, instead string
	// twins hold texts of the other side of the comparison: a text that is in one of
	// them too is equal to something.
	twins []lineField
	// asked reports that values of the application are compared, which may well
	// contain a star.
	asked bool
}

// suspect is a rule with what looks like a pattern in a literal field.
type suspect struct {
	rule policy.Rule
	verbatim
}

// checkLiterals finds patterns in fields that are compared literally: tenants, the
// ends of role links, and fields that only role links lead to. It returns whether
// there are any or, in a revision, whether there may be.
func (l *Linter) checkLiterals() bool {
	if l.Rules.Len() == 0 {
		return false
	}
	byKind := map[int32][]verbatim{}
	for _, f := range append(l.literalColumns(), l.literalLinks()...) {
		number := l.Texts.Known(f.kind)
		byKind[number] = append(byKind[number], f)
	}
	isSuspect := func(r policy.Rule) bool {
		return slices.ContainsFunc(byKind[r.Numbers()[0]], func(f verbatim) bool { return standIn(r.Field(f.field)) != "" })
	}
	if l.before != nil && !l.before.lines.suspects && !l.revision.Added().Some(l.settings.Pace, isSuspect) {
		return false
	}
	suspects := l.suspects(byKind)
	type textAt struct {
		lineField
		text int32
	}
	stands := map[textAt]bool{}
	for _, s := range suspects {
		stands[textAt{s.lineField, s.rule.Number(s.field)}] = true
	}
	for _, s := range suspects {
		number := s.rule.Number(s.field)
		if !slices.ContainsFunc(s.twins, func(at lineField) bool { return stands[textAt{at, number}] }) {
			l.tellLiteral(s)
		}
	}
	return len(suspects) > 0
}

func (l *Linter) suspects(byKind map[int32][]verbatim) (suspects []suspect) {
	const plain, pattern = 1, 2
	seen := make([]int8, l.Texts.Numbers())
	for _, r := range l.Rules.All() {
		l.settings.Pace.Step()
		for _, f := range byKind[r.Numbers()[0]] {
			is := &seen[r.Number(f.field)]
			if *is == 0 {
				*is = plain
				if standIn(r.Field(f.field)) != "" {
					*is = pattern
				}
			}
			if *is == pattern {
				suspects = append(suspects, suspect{r, f})
			}
		}
	}
	return suspects
}

// tellLiteral reports a pattern in a literal field.
func (l *Linter) tellLiteral(s suspect) {
	text := s.rule.Field(s.field)
	if s.lineField == (lineField{"p", l.shape.subject}) && text == "*" || s.kind != "p" && l.Schema.NamesRole(s.kind, text) {
		return // It is reported as a subject, or the matcher compares with it.
	}
	part := standIn(text)
	code, hint := model.CodeParameter, "name each one; "+s.instead
	message := strconv.Quote(part) + " is not a pattern here: " + s.what + " are compared literally"
	if part == "*" {
		code = model.CodeLiteralStar
		message = s.what + " are compared literally, so " + strconv.Quote(text) + " matches only itself"
	}
	severity := l.settings.Severity(code)
	if s.asked {
		severity = model.SeverityWarning
	}
	l.addFindingAs(severity, s.rule, s.field+1, code, hint, message)
}

// standIn returns the part of a text that would stand for others in a pattern: a
// star, a segment that is a parameter, or all of a regular expression; otherwise "".
func standIn(text string) string {
	if strings.IndexByte(text, '*') >= 0 {
		return "*"
	}
	if strings.HasPrefix(text, "^") {
		return text
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

// literalColumns returns the columns of p lines that are compared only literally.
// Objects and actions are checked elsewhere, unless role links lead to them.
func (l *Linter) literalColumns() []verbatim {
	var found []verbatim
	for column, field := range l.Schema.LiteralFields() {
		if field == "" || l.isRoute(field) || l.Schema.NamePattern("p", column) != "" {
			continue
		}
		f := l.literalOf(field)
		f.instead = "or write p." + l.Schema.Columns[column] + ` == "*" into the matcher for a line that is for all`
		f.lineField = lineField{"p", column}
		for _, c := range l.Schema.RoleCalls() {
			if c.Column == column {
				f.twins = append(f.twins, lineField{c.Text, c.RoleEnd()})
			}
		}
		if len(f.twins) > 0 || field != "r_obj" && field != "r_act" {
			found = append(found, f)
		}
	}
	return found
}

// isRoute reports whether a request field is the route as registered, with its
// parameters.
func (l *Linter) isRoute(field string) bool { return field == "r_obj" && l.settings.ObjectRoute }

// literalOf describes the texts that are compared with a request field.
func (l *Linter) literalOf(field string) verbatim {
	name := strings.TrimPrefix(field, "r_")
	var f verbatim
	switch at := model.RequestFields[name]; {
	case at == model.FieldTenant:
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

// literalLinks returns the fields of role links that are compared literally.
func (l *Linter) literalLinks() []verbatim {
	const (
		instead = "or use WithRolePatterns (--role-patterns) if patterns are meant"
		tenants = "or use WithTenantPatterns (--tenant-patterns), or keyMatch(r.dom, p.dom) in the model, if patterns are meant"
	)
	columns := l.Schema.LiteralFields()
	var found []verbatim
	add := func(f verbatim) {
		if l.Schema.NamePattern(f.kind, f.field) == "" && !slices.ContainsFunc(found, func(have verbatim) bool { return have.lineField == f.lineField }) {
			found = append(found, f)
		}
	}
	for _, c := range l.Schema.RoleCalls() {
		if c.Field == "" {
			continue
		}
		if !l.isRoute(c.Field) {
			add(verbatim{lineField: lineField{c.Text, 1 - c.RoleEnd()}, what: "the names in role links", instead: instead})
			add(verbatim{lineField: lineField{c.Text, c.RoleEnd()}, what: "the names in role links", instead: instead, twins: []lineField{{"p", c.Column}}})
		}
		tenant := c.Arg(2).Name()
		column := l.Schema.Column(tenant)
		if isField := strings.HasPrefix(tenant, "r_") || column >= 0 && columns[column] != ""; l.Schema.Roles[c.Text] == 3 && isField {
			add(verbatim{lineField: lineField{c.Text, 2}, what: "the tenants of role links", instead: tenants})
		}
	}
	return found
}
