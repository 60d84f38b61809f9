package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// add checks the fields of one line and adds the rule if they are valid.
func (r *reader) add(file string, n int, fields []field) {
	before := r.Errors
	report := r.reporter(file, n)
	checkText(fields, report)
	if len(fields) == 1 && strings.ContainsRune(fields[0].Text, ';') {
		report(fields[0].columnOf(strings.IndexByte(fields[0].Text, ';')), model.CodeSemicolon, "separate fields by commas", "the fields are separated by semicolons")
		return
	}
	if r.Errors > before || !r.checkShape(fields, report) {
		return
	}
	checkFields(fields, report)
	r.values = r.values[:0]
	for _, f := range fields {
		r.values = append(r.values, f.Text)
	}
	if r.Errors == before && fields[0].Text == "p" {
		r.checkValues(fields[1:], r.values[1:], report)
	}
	if width := r.schema.Roles[fields[0].Text]; r.Errors == before && r.schema.Timed(fields[0].Text) {
		checkTimes(fields[width+1:], report)
	}
	for i, f := range fields[1:] {
		if function, err := r.checkName(fields[0].Text, i, f.Text); err != nil && r.Errors == before {
			report(f.column, model.CodePattern, patternHint(function), "%s cannot use the name %q as a pattern: %s", function, f.Text, model.FirstLine(err))
		}
	}
	if r.Errors == before {
		made := r.Texts.newRule(len(r.sources)-1, n, r.values)
		r.addRule(made, r.splitAtCommas(made))
	}
}

// reporter reports a finding at a column of the current line.
type reporter = model.Reporter

// reporter returns what reports findings of one line.
func (r *reader) reporter(file string, line int) reporter {
	return func(column int, code, hint, format string, args ...any) {
		r.report(file, line, column, code, hint, format, args...)
	}
}

// checkText finds what a line contains only by mistake.
func checkText(fields []field, report reporter) {
	for _, f := range fields {
		if at := strings.IndexFunc(f.Text, isInvisible); at >= 0 {
			c, _ := utf8.DecodeRuneInString(f.Text[at:])
			report(f.columnOf(at), model.CodeControl, "remove it", "the line contains the control character %U", c)
			break
		}
		if at := model.Decomposed(f.Text); at >= 0 {
			report(f.columnOf(at), model.CodeDecomposed, "type the letter again, or convert the file to normalization form C",
				"a letter of %s is written as several characters, so it does not equal the same letter in one character", f.Text)
			break
		}
	}
	for _, f := range fields {
		if at := strings.IndexByte(f.Text, '#'); at >= 0 && !f.quoted {
			report(f.columnOf(at), model.CodeComment, "move the comment to a line of its own, or quote the field if the # is meant",
				"Casbin has no comments after a rule and reads it as part of the rule")
			break
		}
	}
}

// checkShape checks that the line is of a kind that the model has, with the right
// number of fields, and reports whether it can be a rule.
func (r *reader) checkShape(fields []field, report reporter) bool {
	kind := fields[0].Text
	want, ok := r.width(kind)
	switch {
	case kind == "":
		report(fields[0].column, model.CodePtype, "begin the line with p or g", "the first field is empty, on which Casbin panics")
		return false
	case !ok && r.casbinLoads(kind, len(fields)-1):
		report(fields[0].column, model.CodeUnusedPtype, "remove the line", "Casbin reads %q lines, but no decision uses them", kind)
		return false
	case !ok:
		hint := "the model has " + strings.Join(r.schema.Kinds(), ", ") + ", in this letter case"
		if word, _, blank := strings.Cut(kind, " "); blank && slices.Contains(r.schema.Kinds(), word) {
			hint = "write a comma after the " + word
		}
		report(fields[0].column, model.CodePtype, hint, "the model defines no %q lines", kind)
		return false
	case len(fields)-1 > want && kind != "p":
		report(fields[want+1].column, model.CodeExtraField, "remove it", "a %s line has %d fields after the %s, and Casbin %s",
			kind, want, kind, r.whatIsExtra(kind, fields[want+1]))
		return r.settings.AsCasbin
	case len(fields)-1 != want:
		report(miscounted(fields, want), model.CodeFieldCount, r.layout(kind, want), "a %s line has %d fields after the %s, this one %d",
			kind, want, kind, len(fields)-1)
		return false
	}
	return true
}

// whatIsExtra says what Casbin does with the first field too many of a line.
func (r *reader) whatIsExtra(kind string, first field) string {
	if kind == "g" && r.schema.Effect == model.SubjectPriorityEffect {
		return fmt.Sprintf("takes %q for a tenant, in which alone this one counts for the order of rules", first.Text)
	}
	return "ignores the rest of this one"
}

// layout describes the fields of a line of this kind.
func (r *reader) layout(kind string, want int) string {
	if kind == "p" {
		return "a line reads p, " + strings.Join(r.schema.Columns, ", ")
	}
	fields := []string{"", "user", "role", "tenant"}[:r.schema.Roles[kind]+1]
	if r.schema.Timed(kind) {
		fields = append(fields, "start", "end")
	}
	for n := 1; len(fields) <= want; n++ {
		fields = append(fields, "condition "+strconv.Itoa(n))
	}
	return "a line reads " + kind + strings.Join(fields, ", ")
}

// casbinLoads reports whether Casbin loads lines of a kind that no decision uses: it
// accepts rules for every definition, including those of requests and effects.
func (r *reader) casbinLoads(kind string, n int) bool {
	def, ok := r.schema.File.Casbin.Definition(kind)
	switch {
	case !ok:
		return false
	case kind[0] == 'p':
		return n == len(def.Tokens)
	case kind[0] == 'g':
		return n >= len(def.Tokens)
	}
	return true
}

// checkTimes checks the start and the end of a role link.
func checkTimes(fields []field, report reporter) {
	for _, f := range fields[:2] {
		if _, ok := parseInstant(f.Text); !ok && f.Text != unlimited {
			report(f.column, model.CodeTime, `write it as in "2026-12-31 18:00:00", in UTC, or _ for no limit`,
				"%q is not a time, and which links Casbin then follows is undefined", f.Text)
		}
	}
}

// checkFields checks what every field must satisfy.
func checkFields(fields []field, report reporter) {
	for _, f := range fields {
		switch {
		case f.Text == "":
			report(f.column, model.CodeEmptyField, "write a value", "the field is empty, and would match an empty value")
		case strings.TrimSpace(f.Text) != f.Text:
			report(f.column, model.CodeSpace, "remove the spaces", "Casbin keeps the spaces in %q, so it does not equal the text without them", f.Text)
		case inOtherQuotes(f.Text):
			report(f.column, model.CodeOtherQuotes, `remove them, or write "`, "the quotes around %s are part of the value, so it does not equal the text between them", f.Text)
		}
	}
}

// inOtherQuotes reports whether a field is in quotes that mean nothing in a policy. A
// condition with several texts, such as 'GET' == r.act || r.sub == 'ann', is not.
func inOtherQuotes(field string) bool {
	if c := field[0]; c != '\'' && c != '`' && c < utf8.RuneSelf {
		return false
	}
	const quotes = "'`‘’‚‛“”„‟«»‹›"
	first, n := utf8.DecodeRuneInString(field)
	last, _ := utf8.DecodeLastRuneInString(field)
	if len(field) == n || !strings.ContainsRune(quotes, first) || !strings.ContainsRune(quotes, last) {
		return false
	}
	many := strings.Count(field, string(first))
	return first != last || many == 2 || many%2 == 1
}

// reserve allocates memory for at most so many further rules and fields.
func (r *reader) reserve(rules, fields int) {
	if r.Texts == nil {
		// Most fields repeat a text of earlier ones.
		r.Texts = newTexts(fields / 3)
	}
	rest := r.settings.Pace.RestIfDue // large memory takes the kernel a while
	rest()
	r.Texts.fields = slices.Grow(r.Texts.fields, fields+ruleHeader*rules)
	rest()
	r.Rules = Rules{r.Texts, slices.Grow(r.Rules.lines, rules)}
	r.joined.reserve(r.Rules.Len() + rules)
	rest()
}

// reportRule reports a finding at a field of a rule, the kind being field 0.
func (r *reader) reportRule(at Rule, field int, code, hint, format string, args ...any) {
	r.report(at.File(), int(at.Line), r.Column(at, field), code, hint, format, args...)
}

// addRule adds a valid rule, unless Casbin would take it for a duplicate of a
// different rule. numbers are those of the texts between its commas.
func (r *reader) addRule(made Rule, numbers []int32) {
	first := r.joined.put(r.Rules, made, numbers)
	switch {
	case first.IsZero():
		if made.IsLink() && r.namesRoles {
			r.Texts.Change(made.Number(1)).role = true
		}
		r.Rules.Add(made)
		return
	case first.equal(made):
		r.reportRule(made, 0, model.CodeDuplicate, "remove one of them", "the line repeats %s", first.Place())
	default:
		r.reportRule(made, 0, model.CodeCollision, "avoid commas inside fields",
			"Casbin takes the rule for the one at %s, since both are the same text once fields are joined with commas", first.Place())
	}
	r.Texts.fields = r.Texts.fields[:made.first-ruleHeader]
}

// splitAtCommas returns the numbers of the texts between the commas of a rule with
// r.values: those of its fields, if no field contains a comma.
func (r *reader) splitAtCommas(made Rule) []int32 {
	if !slices.ContainsFunc(r.values, func(value string) bool { return strings.IndexByte(value, ',') >= 0 }) {
		return made.Numbers()
	}
	var numbers []int32
	for _, value := range r.values {
		for piece := range strings.SplitSeq(value, ",") {
			numbers = append(numbers, r.Texts.number(piece))
		}
	}
	return numbers
}

// checkValues checks the values of a p line, which are the texts of its fields.
func (r *reader) checkValues(fields []field, values []string, report reporter) {
	s := r.schema
	if s.Eft >= 0 {
		if f := fields[s.Eft]; !IsEffect(f.Text) {
			report(f.column, model.CodeEffect, model.DidYouMean(f.Text, []string{"allow", "deny"}, "write allow or deny, in lower case"),
				"Casbin treats the effect %q as no effect", f.Text)
		}
	}
	if s.Priority >= 0 {
		if f := fields[s.Priority]; !IsInteger(f.Text) {
			report(f.column, model.CodePriority, "write a whole number; the lowest goes first", "Casbin does not sort by the priority %q", f.Text)
		}
	}
	for _, p := range s.Patterns {
		f := fields[p.Column]
		if err := r.checkPattern(p.Function, f.Text); err != nil && s.Reaches(values, func(x *model.Expr) bool { return x.TakesPattern(p) }) {
			report(f.column, model.CodePattern, patternHint(p.Function), "%s cannot use the pattern %q: %s", p.Function, f.Text, model.FirstLine(err))
		}
	}
	for _, c := range s.TypedColumns {
		f := fields[c.Column]
		if _, ok := model.ParseValue(c.Kind, f.Text); !ok && s.Reaches(values, func(x *model.Expr) bool { return x.TakesValue(c) }) {
			report(f.column, model.CodeValue, "the matcher compares it with an attribute of that type", "%s is %q, which is not %s",
				s.Columns[c.Column], f.Text, model.DescribeType(c.Kind))
		}
	}
}

// checkName checks a name that role links use as a pattern, and returns the function
// that interprets it.
func (r *reader) checkName(kind string, field int, name string) (function string, err error) {
	if len(r.settings.RolePatterns) == 0 {
		return "", nil
	}
	function = r.schema.NamePattern(kind, field)
	if function == "" || !pattern.IsPattern(function, name) {
		return "", nil
	}
	return function, r.checkPattern(function, name)
}

// checkPattern is pattern.Check with a cache.
func (r *reader) checkPattern(function, text string) error {
	if pattern.IsSurelyValid(function, text) {
		return nil
	}
	key := pattern.Key{Function: function, Pattern: text}
	err, tried := r.patterns[key]
	if !tried {
		err = pattern.Check(function, text)
		r.patterns[key] = err
	}
	return err
}

// IsEffect reports whether a text is an effect, and IsInteger whether it is a priority.
func IsEffect(s string) bool { return s == "allow" || s == "deny" }

func IsInteger(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

func patternHint(function string) string {
	if strings.HasPrefix(function, "keyMatch") {
		return "the pattern becomes a regular expression; put a backslash before characters that are special there"
	}
	return "correct the pattern"
}

// width returns the number of fields of a line of this kind, without the kind.
func (r *reader) width(kind string) (n int, ok bool) {
	if kind == "p" {
		return len(r.schema.Columns), true
	}
	n = r.schema.LinkWidth(kind)
	return n, n > 0
}

// miscounted returns the column of the first superfluous field, or of the last one
// if some are missing.
func miscounted(fields []field, want int) int {
	if len(fields)-1 > want {
		return fields[want+1].column
	}
	return fields[len(fields)-1].column
}

// isInvisible reports whether a character is a control character or only affects how text
// is displayed: a name with a zero-width space equals no other.
func isInvisible(c rune) bool {
	return (c < ' ' || c > '~') && (unicode.IsControl(c) ||
		unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point))
}
