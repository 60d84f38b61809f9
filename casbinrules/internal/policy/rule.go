package policy

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// PolicyLines returns the p lines of rules.
func PolicyLines(rules []*Rule, p *pace.Pace) []*Rule { return LinesOf(rules, p, (*Rule).IsPolicy) }

// LinesOf returns the lines of rules of some kind. They are usually next to each other,
// and then share the memory of rules.
func LinesOf(rules []*Rule, p *pace.Pace, kind func(*Rule) bool) []*Rule {
	count, first, end := 0, 0, 0
	for i, r := range pace.Each(p, rules) {
		if !kind(r) {
			continue
		}
		if count == 0 {
			first = i
		}
		count, end = count+1, i+1
	}
	if count == end-first {
		return rules[first:end:end]
	}
	lines := make([]*Rule, 0, count)
	for _, r := range pace.Each(p, rules[first:end]) {
		if kind(r) {
			lines = append(lines, r)
		}
	}
	return lines
}

// InOrder returns p lines in the order in which Casbin evaluates them, or nil if a
// priority is not a number.
func InOrder(s *model.Schema, rules []*Rule) []*Rule {
	if s.Priority < 0 {
		return rules
	}
	priorities := make(map[*Rule]int, len(rules))
	for _, r := range rules {
		n, err := strconv.Atoi(r.Field(s.Priority))
		if err != nil {
			return nil
		}
		priorities[r] = n
	}
	return slices.SortedStableFunc(slices.Values(rules), func(a, b *Rule) int { return cmp.Compare(priorities[a], priorities[b]) })
}

// EffectOf returns "allow", "deny", or, in a policy with Casbin semantics, any other
// text.
func EffectOf(s *model.Schema, r *Rule) string {
	if s.Eft < 0 {
		return "allow"
	}
	return r.Field(s.Eft)
}

// ValueAt returns the value of a rule in a column, or "".
func ValueAt(r *Rule, column int) string {
	if column < 0 {
		return ""
	}
	return r.Field(column)
}

// Rule is one line of a policy. Its fields are stored as numbers of texts, so that a
// large policy needs little memory and fields are compared as integers.
type Rule struct {
	// Texts are those of the policy, or of an earlier revision in which the rule was the
	// same: the numbers in them are the same.
	Texts *Texts
	// first is the index of the numbers of its fields, beginning with the kind of line
	// ("p", "g"); count is how many there are.
	first, count int32
	Source, Line int32 // line counts from 1
}

// StandaloneRule returns a rule with these values that belongs to no policy.
func StandaloneRule(file string, line int, values ...string) *Rule {
	t := newTexts(len(values))
	t.Files = []string{file}
	for _, v := range values {
		t.fields = append(t.fields, t.number(v))
	}
	return &Rule{Texts: t, count: int32(len(values)), Line: int32(line)}
}

// Numbers returns the numbers of the fields, beginning with the kind.
func (r *Rule) Numbers() []int32 { return r.Texts.fields[r.first : r.first+r.count] }

// Number returns the number of a field as the model defines it, without the kind.
func (r *Rule) Number(column int) int32 { return r.Texts.fields[r.first+1+int32(column)] }

// Field returns the text of a field as the model defines it, without the kind.
func (r *Rule) Field(column int) string { return r.Texts.Text(r.Number(column)) }

// Width returns the number of fields without the kind.
func (r *Rule) Width() int { return int(r.count) - 1 }

// Values returns the fields, beginning with the kind.
func (r *Rule) Values() []string { return r.appendValues(make([]string, 0, r.count)) }

func (r *Rule) appendValues(values []string) []string {
	for _, n := range r.Numbers() {
		values = append(values, r.Texts.Text(n))
	}
	return values
}

// Fields returns the fields without the kind.
func (r *Rule) Fields() []string { return r.Values()[1:] }

// Kind returns the kind of line: "p", "g", "g2" …
func (r *Rule) Kind() string { return r.Texts.Text(r.Texts.fields[r.first]) }

// ComparePlaces compares the places of two rules of one policy.
func ComparePlaces(a, b *Rule) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
}

// IsPolicy reports whether the line is a p line, and IsLink whether it is one
// of g itself.
func (r *Rule) IsPolicy() bool { return r.Texts.fields[r.first] == numberP }

func (r *Rule) IsLink() bool { return r.Texts.fields[r.first] == numberG }

// File returns the file as given, or as found in a directory.
func (r *Rule) File() string { return r.Texts.Files[r.Source] }

// Place returns a text such as "policy.csv:12", with as much of the file's path as it
// takes to tell the file from the others of the policy.
func (r *Rule) Place() string { return r.shortFile() + ":" + strconv.Itoa(int(r.Line)) }

// AppendPlace appends Place to a text.
func (r *Rule) AppendPlace(text []byte) []byte {
	return strconv.AppendInt(append(append(text, r.shortFile()...), ':'), int64(r.Line), 10)
}

func (r *Rule) shortFile() string {
	name := r.File()
	short := path.Base(name)
	for end := "/" + short; strings.HasSuffix(name, end); end = "/" + short {
		if !slices.ContainsFunc(r.Texts.Files, func(other string) bool {
			return other != name && (other == end[1:] || strings.HasSuffix(other, end))
		}) {
			return short
		}
		short = name[strings.LastIndexByte(strings.TrimSuffix(name, end), '/')+1:]
	}
	return short
}

// equal reports whether two rules, which may be of different policies, have the same
// fields.
func (r *Rule) equal(other *Rule) bool {
	a, b := r.Numbers(), other.Numbers()
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if r.Texts.Text(a[i]) != other.Texts.Text(b[i]) {
			return false
		}
	}
	return true
}

// Anonymous is the subject of requests without credentials.
const Anonymous = "anonymous"
