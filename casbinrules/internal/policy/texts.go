package policy

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// Texts holds the texts in the rules of one policy, each of them once. It is filled
// while the policy is read, and not modified after that.
type Texts struct {
	texttable.Table[textUse]
	Files  []string // by source
	fields []int32  // of all rules
	// sharesFields reports that a revision uses the memory behind fields.
	sharesFields bool
	// Capitals are the numbers of texts that are not in lower case.
	Capitals []int32
}

// textUse says how a text is used.
type textUse struct {
	role bool // of g: the name alone grants a principal nothing
}

// The numbers of texts that every policy has: the usual kinds of lines, and the
// name of requests without credentials.
const (
	numberP int32 = 1 + iota
	numberG
	NumberAnonymous
)

// newTexts returns Texts with capacity for about so many different ones.
func newTexts(room int) *Texts {
	t := &Texts{Table: texttable.New[textUse](room + 3)}
	for _, text := range []string{"p", "g", Anonymous} {
		t.Add(0, text)
	}
	t.Change(NumberAnonymous).role = true
	return t
}

// revised returns the texts of t for a revision of its rules, with capacity for
// about so many further fields, and without files.
func (t *Texts) revised(room int) *Texts {
	fields := t.fields
	if t.sharesFields || cap(fields)-len(fields) < room {
		fields = append(make([]int32, 0, len(fields)+max(room, len(fields)/16)), fields...)
	} else {
		t.sharesFields = true
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

// TextsOf returns texts with the numbers of all of some rules of one policy.
func TextsOf(rules Rules) *Texts {
	if rules.Texts == nil {
		return newTexts(0)
	}
	return rules.Texts
}

// number returns the number of a text, and assigns one to a new text.
func (t *Texts) number(text string) int32 {
	n, isNew := t.Add(0, text)
	if isNew {
		if strings.ToLower(text) != text {
			t.Capitals = append(t.Capitals, n)
		}
	}
	return n
}

// Known returns the number of a text, or 0.
func (t *Texts) Known(text string) int32 { return t.Find(0, text) }

// IsRole reports whether the text with a number is the name of a role, or "anonymous".
func (t *Texts) IsRole(number int32) bool { return t.Of(number).role }

// Role returns the number of a role from credentials, which has a prefix in the
// policy. It does not allocate for names of up to 32 bytes.
func (t *Texts) Role(prefix, name string) int32 { return t.Known(prefix + name) }
