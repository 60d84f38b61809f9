package casbinrules

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// add checks the fields of one line and keeps the rule if they are good.
func (r *policyReader) add(file string, n int, fields []field) {
	before := r.errors
	report := func(column int, code, hint, format string, args ...any) {
		r.report(file, n, column, code, hint, format, args...)
	}
	if at, c := controlCharacter(fields); at > 0 {
		report(at, codeControl, "remove it", "the line holds the control character %U", c)
	}
	if at, ok := inlineComment(fields); ok {
		report(at, codeComment, "move the comment to a line of its own, or quote the field if the # is meant",
			"Casbin has no comments behind a rule and takes it for part of the rule")
	}
	if len(fields) == 1 && strings.ContainsRune(fields[0].text, ';') {
		report(fields[0].column+strings.IndexByte(fields[0].text, ';'), codeSemicolon, "separate fields by commas", "the fields are separated by semicolons")
		return
	}
	if r.errors > before || !r.checkShape(fields, report) {
		return
	}
	checkFields(fields, report)
	r.plain = r.plain[:0]
	for _, f := range fields {
		r.plain = append(r.plain, f.text)
	}
	if r.errors == before && fields[0].text == "p" {
		r.checkValues(fields[1:], r.plain[1:], report)
	}
	if r.errors == before {
		made := r.newRule(n, r.plain)
		r.keep(made, r.apart(made))
	}
}

// reporter reports a finding at a column of the line at hand.
type reporter func(column int, code, hint, format string, args ...any)

// checkShape checks that the line is of a kind the model has, with as many
// fields as it has there, and reports whether it can be a rule.
func (r *policyReader) checkShape(fields []field, report reporter) bool {
	kind := fields[0].text
	want, ok := r.width(kind)
	switch {
	case kind == "":
		report(fields[0].column, codePtype, "begin the line with p or g", "the first field is empty, on which Casbin panics")
		return false
	case !ok && r.casbinTakes(kind, len(fields)-1):
		report(fields[0].column, codeUnusedPtype, "remove the line", "Casbin reads %q lines, but no decision looks at them", kind)
		return false
	case !ok:
		report(fields[0].column, codePtype, "the model has "+strings.Join(r.schema.kinds(), ", ")+", in this letter case",
			"the model defines no %q lines", kind)
		return false
	case len(fields)-1 > want && kind != "p":
		report(fields[want+1].column, codeExtraField, "remove it", "a %s line has %d fields behind the %s, and Casbin ignores the rest of this one",
			kind, want, kind)
		return r.config.asCasbin
	case len(fields)-1 != want:
		report(miscounted(fields, want), codeFieldCount, r.layout(kind, want), "a %s line has %d fields behind the %s, this one %d",
			kind, want, kind, len(fields)-1)
		return false
	}
	return true
}

// layout says how a line of a kind reads.
func (r *policyReader) layout(kind string, want int) string {
	if kind == "p" {
		return "a line reads p, " + strings.Join(r.schema.columns, ", ")
	}
	return "a line reads " + kind + strings.Join([]string{"", "user", "role", "tenant"}[:want+1], ", ")
}

// casbinTakes reports whether Casbin loads lines of a kind that no decision
// uses: it has room for rules in every definition, of requests and effects too.
func (r *policyReader) casbinTakes(kind string, n int) bool {
	def := r.schema.file.casbin[kind[:1]][kind]
	switch {
	case def == nil:
		return false
	case kind[0] == 'p':
		return n == len(def.Tokens)
	case kind[0] == 'g':
		return n >= len(def.Tokens)
	}
	return true
}

// checkFields checks what holds for every field.
func checkFields(fields []field, report reporter) {
	for _, f := range fields {
		switch {
		case f.text == "":
			report(f.column, codeEmptyField, "write a value", "the field is empty, and would match an empty value")
		case strings.TrimFunc(f.text, unicode.IsSpace) != f.text:
			report(f.column, codeSpace, "remove the blanks", "Casbin keeps the blanks of %q, so that it equals nothing without them", f.text)
		}
	}
}

// piece is how many things are cut from one piece of memory.
const piece = 512

// expect makes room for at most so many rules more, and fields of them.
func (r *policyReader) expect(rules, fields int) {
	if r.texts == nil {
		// Some fields are new, most say what others have said.
		r.texts = newTexts(fields / 3)
	}
	r.texts.fields = slices.Grow(r.texts.fields, fields)
	r.rules = slices.Grow(r.rules, rules)
	r.joined.expect(rules)
	r.someRules = make([]rule, rules)
}

// newRule is a rule of the source at hand. It is lost if it is not kept.
func (r *policyReader) newRule(line int, values []string) *rule {
	if len(r.someRules) == 0 {
		r.someRules = make([]rule, piece)
	}
	t := r.texts
	made := &r.someRules[0]
	*made = rule{texts: t, first: int32(len(t.fields)), count: int32(len(values)), source: int32(len(r.sources)) - 1, line: int32(line)}
	for i, value := range values {
		t.fields = append(t.fields, r.numberOf(i, value))
	}
	return made
}

// numberOf is the number of a field, which often says what that of the rule
// before said.
func (r *policyReader) numberOf(field int, value string) int32 {
	if last := len(r.rules) - 1; last >= 0 {
		if before := r.rules[last].numbers(); field < len(before) && r.texts.text(before[field]) == value {
			return before[field]
		}
	}
	return r.texts.number(value)
}

// reportRule reports a finding at a field of a rule, the kind being field 0.
func (r *policyReader) reportRule(at *rule, field int, code, hint, format string, args ...any) {
	r.report(at.file(), int(at.line), r.column(at, field), code, hint, format, args...)
}

// keep adds a good rule, unless Casbin would drop it as a duplicate of another
// one that it is not. The numbers are those of the texts between its commas.
func (r *policyReader) keep(made *rule, numbers []int32) {
	first := r.joined.put(r.rules, made, numbers)
	switch {
	case first == nil:
		if made.isLink() && r.namesRoles {
			r.texts.of(made.number(1)).role = true
		}
		r.rules = append(r.rules, made)
		r.someRules = r.someRules[1:]
		return
	case first.equal(made):
		r.reportRule(made, 0, codeDuplicate, "remove one of them", "the line says what %s says already", first.place())
	default:
		r.reportRule(made, 0, codeCollision, "do without commas inside the fields",
			"Casbin takes the rule for the one at %s, since both read the same with commas between the fields", first.place())
	}
	r.texts.fields = r.texts.fields[:made.first]
}

// apart are the numbers of the texts between the commas of a rule.
func (r *policyReader) apart(made *rule) []int32 {
	var numbers []int32
	for _, value := range made.values() {
		for piece := range strings.SplitSeq(value, ",") {
			numbers = append(numbers, r.texts.number(piece))
		}
	}
	return numbers
}

// checkValues checks the values of a p line, which are the texts of its fields.
func (r *policyReader) checkValues(fields []field, values []string, report reporter) {
	s := r.schema
	if s.eft >= 0 {
		if f := fields[s.eft]; !isEffect(f.text) {
			report(f.column, codeEffect, didYouMean(f.text, []string{"allow", "deny"}, "write allow or deny, in lower case"),
				"Casbin takes the effect %q for none at all", f.text)
		}
	}
	if s.priority >= 0 {
		if f := fields[s.priority]; !isInteger(f.text) {
			report(f.column, codePriority, "write a whole number; the lowest goes first", "Casbin does not sort by the priority %q", f.text)
		}
	}
	for _, p := range s.patterns {
		f := fields[p.column]
		if err := r.tryPattern(p.function, f.text); err != nil && s.reaches(values, func(x *expr) bool { return x.takesPattern(p) }) {
			report(f.column, codePattern, patternHint(p.function), "%s cannot use the pattern %q: %s", p.function, f.text, firstLine(err))
		}
	}
	for _, c := range s.typedColumns {
		f := fields[c.column]
		if _, ok := c.kind.read(f.text); !ok && s.reaches(values, func(x *expr) bool { return x.takesValue(c) }) {
			report(f.column, codeValue, "the matcher compares it with an attribute of that type", "%s is %q, which does not read as %s",
				s.columns[c.column], f.text, c.kind.described())
		}
	}
}

// tryPattern is checkPattern, which tries each pattern once.
func (r *policyReader) tryPattern(function, pattern string) error {
	if goodBeyondDoubt(function, pattern) {
		return nil
	}
	key := patternKey{function, pattern}
	err, tried := r.patterns[key]
	if !tried {
		err = checkPattern(function, pattern)
		r.patterns[key] = err
	}
	return err
}

func isEffect(s string) bool { return s == "allow" || s == "deny" }

func isInteger(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

func patternHint(function string) string {
	if strings.HasPrefix(function, "keyMatch") {
		return "it is made into a regular expression; put a backslash before a character that means something there"
	}
	return "correct the pattern"
}

// width is how many fields a line of this kind has behind the kind.
func (r *policyReader) width(kind string) (n int, ok bool) {
	if kind == "p" {
		return len(r.schema.columns), true
	}
	n, ok = r.schema.roles[kind]
	return n, ok
}

// miscounted is the column of the first field too many, or of the last one
// when some are missing.
func miscounted(fields []field, want int) int {
	if len(fields)-1 > want {
		return fields[want+1].column
	}
	return fields[len(fields)-1].column
}

// controlCharacter finds the first one inside a field. What only steers how
// text is shown counts too: with a zero-width space a name equals nothing.
func controlCharacter(fields []field) (column int, c rune) {
	for _, f := range fields {
		if isPrintable(f.text) {
			continue
		}
		if at := strings.IndexFunc(f.text, isInvisible); at >= 0 {
			c, _ = utf8.DecodeRuneInString(f.text[at:])
			return f.column + at, c
		}
	}
	return 0, 0
}

// isPrintable reports whether s is printable ASCII, as most text is.
func isPrintable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func isInvisible(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Variation_Selector)
}

// inlineComment finds a "#" outside quotes.
func inlineComment(fields []field) (column int, ok bool) {
	for _, f := range fields {
		if at := strings.IndexByte(f.text, '#'); at >= 0 && !f.quoted {
			return f.column + at, true
		}
	}
	return 0, false
}
