package casbinrules

import "strings"

// texts are what the rules of one policy are made of, every text once. They are
// filled while the policy is read, and only read after that.
type texts struct {
	textTable[textUse]
	files  []string // by source
	fields []int32  // of all rules
	// room is where texts are copied to, so that none keeps a whole file in
	// memory.
	room strings.Builder
}

// textUse says what a text is used for.
type textUse struct {
	role bool // of g: nobody gets anything by the name
}

// The numbers of texts that every policy has: the kinds of lines that most
// consist of, and the name of nobody in particular.
const (
	numberP int32 = 1 + iota
	numberG
	numberAnonymous
)

// Texts are kept in pieces of so many bytes.
const (
	leastRoom = 1 << 10
	mostRoom  = 64 << 10
)

// newTexts has room for about so many different ones.
func newTexts(room int) *texts {
	t := &texts{textTable: newTextTable[textUse](room + 3)}
	for _, text := range []string{"p", "g", anonymous} {
		t.add(0, text)
	}
	t.of(numberAnonymous).role = true
	return t
}

// trim gives back the room that is left when all is read.
func (t *texts) trim() {
	t.textTable.trim()
	if n := len(t.fields); cap(t.fields)-n > n/8 {
		t.fields = append(make([]int32, 0, n), t.fields...)
	}
}

// textsOf are those of the rules of one policy.
func textsOf(rules []*rule) *texts {
	if len(rules) == 0 {
		return newTexts(0)
	}
	return rules[0].texts
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

// isRole reports whether the name with a number is that of a role, or
// "anonymous".
func (t *texts) isRole(number int32) bool { return t.of(number).role }

// role is the number of a role of credentials, which has a prefix in the policy.
// It does not allocate for names of up to 32 bytes.
func (t *texts) role(prefix, name string) int32 {
	if prefix == "" {
		return t.known(name)
	}
	return t.known(prefix + name)
}
