package policy

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// Texts holds the texts in the rules of one policy, each of them once. It is filled
// while the policy is read, and only read after that.
type Texts struct {
	texttable.Table[textUse]
	Files  []string // by source
	fields []int32  // of all rules
	// lent reports that a revision uses the memory behind the fields.
	lent bool
	// Capitals are the numbers of texts that are not in lower case.
	Capitals []int32
	// room is where texts are copied to, so that none keeps a whole file in memory.
	room textRoom
}

// textUse says what a text is used for.
type textUse struct {
	role bool // of g: a principal with that name gets nothing by the name
}

// The numbers of texts that every policy has: the usual kinds of lines, and the
// name of requests without credentials.
const (
	numberP int32 = 1 + iota
	numberG
	NumberAnonymous
)

// newTexts returns Texts with room for about so many different ones.
func newTexts(room int) *Texts {
	t := &Texts{Table: texttable.New[textUse](room + 3)}
	for _, text := range []string{"p", "g", Anonymous} {
		t.Add(0, text)
	}
	t.Change(NumberAnonymous).role = true
	return t
}

// revised returns the texts of t for rules of which some differ, with room for
// about so many further fields, and no files yet.
func (t *Texts) revised(room int) *Texts {
	fields := t.fields
	if t.lent || cap(fields)-len(fields) < room {
		fields = append(make([]int32, 0, len(fields)+max(room, len(fields)/16)), fields...)
	} else {
		t.lent = true
	}
	return &Texts{Table: t.Clone(), Capitals: slices.Clip(t.Capitals), fields: fields}
}

// Trim frees unused memory once everything was read.
func (t *Texts) Trim() {
	t.Table.Trim()
	if n := len(t.fields); cap(t.fields)-n > n/8 {
		t.fields = append(make([]int32, 0, n), t.fields...)
	}
}

// TextsOf returns the texts of the rules of one policy.
func TextsOf(rules []*Rule) *Texts {
	if len(rules) == 0 {
		return newTexts(0)
	}
	return rules[0].Texts
}

// number returns the number of a text, which is added if it is new.
func (t *Texts) number(text string) int32 {
	n, isNew := t.Add(0, text)
	if isNew {
		t.SetText(n, t.keep(text))
		if strings.ToLower(text) != text {
			t.Capitals = append(t.Capitals, n)
		}
	}
	return n
}

// keep returns a copy of a text.
func (t *Texts) keep(text string) string {
	from := t.room.reserve(len(text))
	t.room.WriteString(text)
	return t.room.String()[from:]
}

// Known returns the number of a text, or 0.
func (t *Texts) Known(text string) int32 { return t.Find(0, text) }

// IsRole reports whether the text with a number is the name of a role, or "anonymous".
func (t *Texts) IsRole(number int32) bool { return t.Of(number).role }

// Role returns the number of a role from credentials, which has a prefix in the
// policy. It does not allocate for names of up to 32 bytes.
func (t *Texts) Role(prefix, name string) int32 {
	if prefix == "" {
		return t.Known(name)
	}
	return t.Known(prefix + name)
}
