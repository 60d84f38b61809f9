package casbinrules

import (
	"path"
	"strconv"
)

// rule is one line of a policy. Its fields are numbers of texts, so that a
// large policy takes little room and equal fields are found without looking at
// them.
type rule struct {
	texts *texts
	// first is where the numbers of its fields begin, the kind of line ("p",
	// "g") first; count is how many there are.
	first, count int32
	source, line int32 // line counts from 1
}

// oneRule is a rule of its own, of these values.
func oneRule(file string, line int, values ...string) *rule {
	t := newTexts(len(values))
	t.files = []string{file}
	for _, v := range values {
		t.fields = append(t.fields, t.number(v))
	}
	return &rule{texts: t, count: int32(len(values)), line: int32(line)}
}

// numbers are those of the fields, that of the kind first.
func (r *rule) numbers() []int32 { return r.texts.fields[r.first : r.first+r.count] }

// number is that of a field as the model defines it, without the kind.
func (r *rule) number(column int) int32 { return r.texts.fields[r.first+1+int32(column)] }

// field is the text of a field as the model defines it, without the kind.
func (r *rule) field(column int) string { return r.texts.text(r.number(column)) }

// width is how many fields there are without the kind.
func (r *rule) width() int { return int(r.count) - 1 }

// values are the fields, the kind first.
func (r *rule) values() []string { return r.appendValues(make([]string, 0, r.count)) }

func (r *rule) appendValues(values []string) []string {
	for _, n := range r.numbers() {
		values = append(values, r.texts.text(n))
	}
	return values
}

// fields are the fields without the kind.
func (r *rule) fields() []string { return r.values()[1:] }

// kind is what the line is: "p", "g", "g2" …
func (r *rule) kind() string { return r.texts.text(r.texts.fields[r.first]) }

// isPolicy reports whether the line is a p line, and isLink whether it is one
// of g itself.
func (r *rule) isPolicy() bool { return r.texts.fields[r.first] == numberP }
func (r *rule) isLink() bool   { return r.texts.fields[r.first] == numberG }

// file is the file as it was given, or found in a directory.
func (r *rule) file() string { return r.texts.files[r.source] }

// place is "policy.csv:12".
func (r *rule) place() string { return path.Base(r.file()) + ":" + strconv.Itoa(int(r.line)) }

// equal reports whether two rules, of whatever policies, say the same.
func (r *rule) equal(other *rule) bool {
	a, b := r.numbers(), other.numbers()
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if r.texts.text(a[i]) != other.texts.text(b[i]) {
			return false
		}
	}
	return true
}
