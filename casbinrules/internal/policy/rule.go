package policy

import (
	"cmp"
	"iter"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// PolicyLines returns the p lines of rules.
func PolicyLines(rules Rules, p *pace.Pace) Rules { return LinesOf(rules, p, Rule.IsPolicy) }

// LinesOf returns the lines of rules of some kind. They are usually next to each other,
// and then share the memory of rules.
func LinesOf(rules Rules, p *pace.Pace, kind func(Rule) bool) Rules {
	count, first, end := 0, 0, 0
	for i, r := range rules.Each(p) {
		if kind(r) {
			if count++; count == 1 {
				first = i
			}
			end = i + 1
		}
	}
	if count == end-first {
		return rules.Slice(first, end)
	}
	lines := Rules{rules.Texts, make([]line, 0, count)}
	for _, r := range rules.Slice(first, end).Each(p) {
		if kind(r) {
			lines.Add(r)
		}
	}
	return lines
}

// InOrder returns p lines in the order in which Casbin evaluates them, or none if a
// priority is not a number.
func InOrder(s *model.Schema, rules Rules) Rules {
	if s.Priority < 0 {
		return rules
	}
	priorities := make(map[line]int, rules.Len())
	for _, r := range rules.All() {
		n, err := strconv.Atoi(r.Field(s.Priority))
		if err != nil {
			return Rules{}
		}
		priorities[r.line] = n
	}
	sorted := Rules{rules.Texts, slices.Clone(rules.lines)}
	slices.SortStableFunc(sorted.lines, func(a, b line) int { return cmp.Compare(priorities[a], priorities[b]) })
	return sorted
}

// EffectOf returns "allow", "deny", or, in a policy with Casbin semantics, any other
// text.
func EffectOf(s *model.Schema, r Rule) string {
	if s.Eft < 0 {
		return "allow"
	}
	return r.Field(s.Eft)
}

// ValueAt returns the value of a rule in a column, or "".
func ValueAt(r Rule, column int) string {
	if column < 0 {
		return ""
	}
	return r.Field(column)
}

// Rule is one line of a policy. Its fields are stored as numbers of texts, so that a
// large policy needs little memory and fields are compared as integers. The zero Rule
// is none.
type Rule struct {
	Texts *Texts
	line
}

// line is a rule without the texts. It has no pointers.
type line struct {
	// first is the index of the numbers of its fields, beginning with the kind of line
	// ("p", "g"). Before these are the number of its source, and how many fields there are.
	first int32
	Line  int32 // counts from 1
}

// IsZero reports whether there is no rule.
func (r Rule) IsZero() bool { return r.Texts == nil }

// Rules are rules of one policy. The garbage collector does not look at each of them.
type Rules struct {
	Texts *Texts // nil if there were never any
	lines []line
}

// Len returns the number of rules.
func (r Rules) Len() int { return len(r.lines) }

// At returns a rule by its place.
func (r Rules) At(i int) Rule { return Rule{r.Texts, r.lines[i]} }

// Slice returns the rules from one place up to another.
func (r Rules) Slice(from, end int) Rules { return Rules{r.Texts, r.lines[from:end:end]} }

// Add appends a rule of the same policy or of its next revision, in which fields have the
// same numbers.
func (r *Rules) Add(more Rule) { r.Texts, r.lines = more.Texts, append(r.lines, more.line) }

func (r *Rules) addAll(more Rules) { r.Texts, r.lines = more.Texts, append(r.lines, more.lines...) }

// All yields the rules with their places.
func (r Rules) All() iter.Seq2[int, Rule] { return r.Each(nil) }

// Each is All, and rests in between.
func (r Rules) Each(p *pace.Pace) iter.Seq2[int, Rule] {
	return func(yield func(int, Rule) bool) {
		for i, one := range pace.Each(p, r.lines) {
			if !yield(i, Rule{r.Texts, one}) {
				return
			}
		}
	}
}

// Some reports whether is is true for one of the rules.
func (r Rules) Some(p *pace.Pace, is func(Rule) bool) bool {
	for _, one := range r.Each(p) {
		if is(one) {
			return true
		}
	}
	return false
}

// Search returns the first place of a rule at or behind a line, given the number of its
// source; the rules are those of a policy in order.
func (r Rules) Search(source, line int) int {
	return sort.Search(len(r.lines), func(i int) bool {
		at := r.At(i)
		return cmp.Or(cmp.Compare(int(at.Source()), source), cmp.Compare(int(at.Line), line)) >= 0
	})
}

// StandaloneRule returns a rule with these values that belongs to no policy.
func StandaloneRule(file string, at int, values ...string) Rule {
	t := newTexts(len(values))
	t.Files = []string{file}
	return t.newRule(0, at, values)
}

// newRule returns a rule with these values at a line of a source.
func (t *Texts) newRule(source, at int, values []string) Rule {
	t.fields = append(t.fields, int32(source), int32(len(values)))
	made := Rule{t, line{first: int32(len(t.fields)), Line: int32(at)}}
	for _, value := range values {
		t.fields = append(t.fields, t.number(value))
	}
	return made
}

// ruleHeader is how many numbers a rule has before those of its fields.
const ruleHeader = 2

func (r Rule) count() int32 { return r.Texts.fields[r.first-1] }

// Source returns the number of its source.
func (r Rule) Source() int32 { return r.Texts.fields[r.first-ruleHeader] }

// Numbers returns the numbers of the fields, beginning with the kind.
func (r Rule) Numbers() []int32 { return r.Texts.fields[r.first : r.first+r.count()] }

// Number returns the number of a field as the model defines it, without the kind.
func (r Rule) Number(column int) int32 { return r.Texts.fields[r.first+1+int32(column)] }

// Field returns the text of a field as the model defines it, without the kind.
func (r Rule) Field(column int) string { return r.Texts.Text(r.Number(column)) }

// Values returns the fields, beginning with the kind.
func (r Rule) Values() []string {
	values := make([]string, 0, r.count())
	for _, n := range r.Numbers() {
		values = append(values, r.Texts.Text(n))
	}
	return values
}

// Fields returns the fields without the kind.
func (r Rule) Fields() []string { return r.Values()[1:] }

// Kind returns the kind of line: "p", "g", "g2" …
func (r Rule) Kind() string { return r.Texts.Text(r.Texts.fields[r.first]) }

// IsPolicy reports whether the line is a p line, and IsLink whether it is one
// of g itself.
func (r Rule) IsPolicy() bool { return r.Texts.fields[r.first] == numberP }

func (r Rule) IsLink() bool { return r.Texts.fields[r.first] == numberG }

// File returns the file as given, or as found in a directory.
func (r Rule) File() string { return r.Texts.Files[r.Source()] }

// Place returns a text such as "policy.csv:12", with as much of the file's path as it
// takes to tell the file from the others of the policy.
func (r Rule) Place() string { return r.shortFile() + ":" + strconv.Itoa(int(r.Line)) }

// AppendPlace appends Place to a text.
func (r Rule) AppendPlace(text []byte) []byte {
	return strconv.AppendInt(append(append(text, r.shortFile()...), ':'), int64(r.Line), 10)
}

func (r Rule) shortFile() string {
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
func (r Rule) equal(other Rule) bool {
	return slices.EqualFunc(r.Numbers(), other.Numbers(), func(a, b int32) bool { return r.Texts.Text(a) == other.Texts.Text(b) })
}

// Anonymous is the subject of requests without credentials.
const Anonymous = "anonymous"
