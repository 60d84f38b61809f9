package casbinrules

import (
	"path"
	"strconv"
	"strings"
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

// texts are what the rules of one policy are made of, every text once. They are
// filled while the policy is read, and only read after that.
type texts struct {
	textTable[struct{}]
	files  []string // by source
	fields []int32  // of all rules
	// room is where texts are copied to, so that none keeps a whole file in
	// memory.
	room strings.Builder
}

// The numbers of the kinds of lines that most policies have.
const (
	numberP int32 = 1 + iota
	numberG
)

// Texts are kept in pieces of so many bytes.
const (
	leastRoom = 1 << 10
	mostRoom  = 64 << 10
)

// newTexts has room for about so many different ones.
func newTexts(room int) *texts {
	t := &texts{textTable: newTextTable[struct{}](room)}
	t.add(0, "p")
	t.add(0, "g")
	return t
}

// number is that of a text, which is kept when it is new.
func (t *texts) number(text string) int32 {
	n, isNew := t.add(0, text)
	if isNew {
		t.entries[n].text = t.keep(text)
	}
	return n
}

// keep is a copy of a text.
func (t *texts) keep(text string) string {
	if t.room.Cap()-t.room.Len() < len(text) {
		size := max(len(text), min(mostRoom, max(leastRoom, 2*t.room.Cap())))
		t.room.Reset() // what it held stays where it is
		t.room.Grow(size)
	}
	from := t.room.Len()
	t.room.WriteString(text)
	return t.room.String()[from:]
}

// text is the one with a number.
func (t *texts) text(number int32) string { return t.entries[number].text }

// numbers is how many numbers there are, with the 0, which is of no text.
func (t *texts) numbers() int { return len(t.entries) }

// known is the number of a text, or 0.
func (t *texts) known(text string) int32 { return t.find(0, text) }

// oneRule is a rule of its own, of these values.
func oneRule(file string, line int, values ...string) *rule {
	t := newTexts(len(values))
	t.files = []string{file}
	r := &rule{texts: t, count: int32(len(values)), line: int32(line)}
	for _, v := range values {
		t.fields = append(t.fields, t.number(v))
	}
	return r
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
