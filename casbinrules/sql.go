package casbinrules

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/core/option"
)

// Dollar returns a placeholder of PostgreSQL's own protocol: $1 for the first.
func Dollar(n int) string { return "$" + strconv.Itoa(n) }

// QuestionMark returns the placeholder of GORM, and of drivers that number
// placeholders themselves.
func QuestionMark(int) string { return "?" }

// SQL returns the set as a condition for PostgreSQL 11 or newer: it is true for rows
// whose object, the text in column, is in the set. placeholder is [Dollar],
// [QuestionMark], or a function that returns the placeholder for the number of an
// argument, counted from 1; the condition itself contains no text of the policy.
// column is inserted unchanged, so it must not come from a request.
//
// Fields of [WithObjectAttribute] need a column each, given by [WithColumn].
//
// A row whose object is null or empty, or contains a line feed, is never selected,
// nor one with "?" if keyMatch5 is used. Texts are compared byte by byte, whatever
// the collation of the column.
//
// The patterns of keyMatch, and those of keyMatch2 to keyMatch5 that consist of
// whole segments, can be expressed in SQL. Any other is an error that names its
// rule: select without it, and use [Authorizer.Filter].
func (o *ObjectSet) SQL(column string, placeholder func(n int) string, opts ...SQLOption) (condition string, args []any, err error) {
	if column == "" || placeholder == nil {
		return "", nil, errors.New("casbinrules: SQL: a column and a placeholder are needed")
	}
	w := sqlWriter{column: texts(column), placeholder: placeholder, columns: map[string]string{}}
	if err := option.Apply(&w, opts); err != nil {
		return "", nil, fmt.Errorf("casbinrules: SQL: %w", err)
	}
	var known strings.Builder
	for _, field := range o.fields {
		column := w.columns[field.name]
		switch {
		case column == "":
			return "", nil, fmt.Errorf("casbinrules: SQL: %s is a field of WithObjectAttribute: name its column with WithColumn", field.name)
		case field.required:
			known.WriteString("(" + column + ") IS NOT NULL AND ")
		default:
			w.otherwise = append(w.otherwise, field)
		}
	}
	text := w.condition(o.condition)
	if w.err != nil {
		return "", nil, fmt.Errorf("casbinrules: SQL: %w", w.err)
	}
	if o.condition.Kind == ConditionNone {
		return text, nil, nil
	}
	text = known.String() + w.column + " <> '' AND position(chr(10) in " + w.column + ") = 0 AND " + text
	if o.cuts {
		text += " AND position(chr(63) in " + w.column + ") = 0" // spelled as chr(63), since "?" may be a placeholder
	}
	return "(" + text + ")", w.args, nil
}

// SQLOption configures [ObjectSet.SQL].
type SQLOption func(*sqlWriter) error

// WithColumn names the column with the value of a field of [WithObjectAttribute],
// such as the owner of the object. It is inserted into the condition unchanged, so
// it must not come from a request. A row in which it is null is an object without a
// value: it is never selected or, with [WithObjectAttributeOr], has that option's
// value.
func WithColumn(field, column string) SQLOption {
	return func(w *sqlWriter) error {
		if field == "" || column == "" || w.columns[field] != "" {
			return fmt.Errorf("column of %q: a field needs one column", field)
		}
		w.columns[field] = column
		return nil
	}
}

// texts returns a column whose values are compared byte by byte.
func texts(column string) string { return "((" + column + `)::text COLLATE "C")` }

// sqlWriter builds the text of a condition, and its arguments in order.
type sqlWriter struct {
	column      string
	placeholder func(n int) string
	// columns are those of object attributes; otherwise are the fields with a
	// default value for null.
	columns   map[string]string
	otherwise []objectField
	args      []any
	err       error
}

func (w *sqlWriter) condition(c *Condition) string {
	switch c.Kind {
	case ConditionAll:
		return "TRUE"
	case ConditionAnd:
		return w.joined(c.Parts, " AND ")
	case ConditionOr:
		return w.alternatives(c.Parts)
	case ConditionNot:
		return "NOT " + w.condition(c.Parts[0])
	case ConditionMatch:
		return w.match(c)
	default:
		return "FALSE"
	}
}

func (w *sqlWriter) joined(parts []*Condition, by string) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = w.condition(part)
	}
	return "(" + strings.Join(texts, by) + ")"
}

// alternatives combines all comparisons for equality into one list.
func (w *sqlWriter) alternatives(parts []*Condition) string {
	var names []string
	var others []*Condition
	for _, part := range parts {
		if part.Kind == ConditionMatch && part.Function == "==" && part.Attribute == "" {
			names = append(names, part.Pattern)
		} else {
			others = append(others, part)
		}
	}
	if len(names) == 0 {
		return w.joined(others, " OR ")
	}
	list := w.in(w.column, names)
	if len(others) == 0 {
		return list
	}
	return "(" + list + " OR " + w.joined(others, " OR ") + ")"
}

// nul cannot occur in a text of PostgreSQL.
const nul = "\x00"

func (w *sqlWriter) in(column string, names []string) string {
	var marks []string
	for _, name := range names {
		if !strings.Contains(name, nul) {
			marks = append(marks, w.arg(name))
		}
	}
	switch len(marks) {
	case 0:
		return "FALSE"
	case 1:
		return column + " = " + marks[0]
	}
	return column + " IN (" + strings.Join(marks, ", ") + ")"
}

// attribute returns the column of a field of the object.
func (w *sqlWriter) attribute(field string) string {
	column := w.columns[field]
	if i := slices.IndexFunc(w.otherwise, func(f objectField) bool { return f.name == field }); i >= 0 {
		return texts("COALESCE((" + column + ")::text, " + w.arg(w.otherwise[i].otherwise) + ")")
	}
	return texts(column)
}

func (w *sqlWriter) arg(text string) string {
	w.args = append(w.args, text)
	return w.placeholder(len(w.args))
}

func (w *sqlWriter) match(c *Condition) string {
	switch {
	case c.Attribute != "" && strings.Contains(c.Pattern, nul):
		return "FALSE" // before the column adds an argument
	case c.Attribute != "":
		return w.in(w.attribute(c.Attribute), []string{c.Pattern})
	case c.Function == "==":
		return w.in(w.column, []string{c.Pattern})
	case c.Function == "in":
		return w.in(w.column, c.Names)
	}
	text, begins, ok := sqlPattern(c.Function, c.Pattern)
	switch {
	case !ok:
		w.err = errors.Join(w.err, fmt.Errorf("%s: %s with %q does not compare whole segments: use Filter for this policy", cmp.Or(c.Place, "a name in role links"), c.Function, c.Pattern))
		return "FALSE"
	case begins:
		return "starts_with(" + w.column + ", " + w.arg(text) + ")"
	default:
		return w.column + " ~ " + w.arg(text)
	}
}

// sqlPattern returns what PostgreSQL compares an object with instead of a pattern
// that matches more than one object: a prefix, or a regular expression.
func sqlPattern(function, text string) (compared string, begins, ok bool) {
	if function == "keyMatch" {
		prefix, _, star := strings.Cut(text, "*")
		return prefix, true, star
	}
	if !pattern.HasSegments(function) {
		return "", false, false
	}
	segments := pattern.Split(function, text)
	if segments == nil {
		return "", false, false
	}
	var plain, expr strings.Builder
	expr.WriteString("^")
	isPlain := true
	for i, s := range segments {
		if i > 0 {
			plain.WriteByte('/')
			expr.WriteByte('/')
		}
		switch s.Kind {
		case pattern.Literal:
			plain.WriteString(s.Text)
			writeLiteral(&expr, s.Text)
		case pattern.One:
			isPlain = false
			expr.WriteString("[^/]+")
		case pattern.Rest:
			if isPlain {
				return plain.String(), true, true
			}
			return expr.String(), false, true
		default:
			return "", false, false
		}
	}
	return expr.String() + "$", false, true
}

// writeLiteral writes a text as an advanced regular expression of PostgreSQL that
// matches only that text: a backslash makes every byte literal that is neither a
// letter nor a digit.
func writeLiteral(to *strings.Builder, text string) {
	for _, r := range text {
		if r < 0x80 && !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z') {
			to.WriteByte('\\')
		}
		to.WriteRune(r)
	}
}
