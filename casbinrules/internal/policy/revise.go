package policy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// RevisedFile is a policy file in which some lines have changed: after the first
// Same lines, which end at byte At, New lines have replaced Old.
type RevisedFile struct {
	Name               string
	Content            []byte
	Same, At, Old, New int
}

// Line returns the present number of a line by its number before, or 0 if it has changed.
func (f *RevisedFile) Line(before int) int {
	switch {
	case before <= f.Same:
		return before
	case before <= f.Same+f.Old:
		return 0
	}
	return before + f.New - f.Old
}

// Replaced says that Count rules, now starting at To, have replaced the rules that
// were at From up to End.
type Replaced struct{ From, End, To, Count int }

// Moves say where rules have moved, in the order of their previous places.
type Moves []Replaced

// Current returns the current place of a rule by its previous place, or -1 if it was
// removed.
func (m Moves) Current(place int) int {
	by := 0
	for _, at := range m {
		if place < at.From {
			break
		}
		if place < at.End {
			return -1
		}
		by = at.To + at.Count - at.End
	}
	return place + by
}

// Compare is [Compare] of all rules before and now. It only compares rules that have
// moved, unless their order relative to the others may have changed.
func (m Moves) Compare(before, now Rules, p *pace.Pace) Difference {
	v := Revision{Rules: now, Replaced: m}
	d := Compare(v.Removed(before), v.Added(), p)
	if len(m) > 1 && d.AddedCount == 0 && d.RemovedCount == 0 && !d.Reordered {
		first, last := m[0], m[len(m)-1]
		return Compare(before.Slice(first.From, last.End), now.Slice(first.To, last.To+last.Count), p)
	}
	return d
}

// Added returns the new rules, Removed those that no longer exist, and Changed both.
func (v *Revision) Added() (rules Rules) {
	for _, at := range v.Replaced {
		rules.addAll(v.Rules.Slice(at.To, at.To+at.Count))
	}
	return rules
}

func (v *Revision) Removed(before Rules) (rules Rules) {
	for _, at := range v.Replaced {
		rules.addAll(before.Slice(at.From, at.End))
	}
	return rules
}

func (v *Revision) Changed(before Rules) Rules {
	rules := v.Removed(before)
	rules.addAll(v.Added())
	return rules
}

// Revision is a policy that differs from the previous one in a few lines. Common
// rules are not parsed again.
type Revision struct {
	Files    []RevisedFile
	Texts    *Texts
	Rules    Rules
	Graphs   map[string]*Graph
	Replaced Moves
	// Links reports that role links were removed or added. If not, the graphs are the
	// previous ones, with their texts: numbers are the same, and additional texts of
	// these rules have no links.
	Links bool
	// LineFindings are the findings about single lines, Errors the number of errors
	// among them.
	LineFindings []model.Finding
	Errors       int
	// Column returns where a field of a rule begins; the kind is field 0.
	Column func(r Rule, field int) int
	// Lines are the p lines among the rules.
	Lines Rules
	pace  *pace.Pace
}

// Revise parses the changed lines of a policy. before are its previous rules, texts
// the latest of them, and findings the findings about their lines, each about a
// single one. It returns nil if the whole policy must be parsed: if there are further
// findings, a rule reads the same as another to Casbin, patterns in role links
// connect it with others, or role links do not always count.
func Revise(s *model.Schema, c *model.Settings, before Rules, texts *Texts, graphs map[string]*Graph, told []model.Finding, files []RevisedFile) *Revision {
	for _, g := range graphs {
		if g.Patterned() || g.Limited() {
			return nil
		}
	}
	lines := 0
	for _, f := range files {
		if model.ByteOrderMark(f.Content) != "" {
			return nil
		}
		lines += f.New
	}
	r := NewReader(s, c)
	r.Texts = texts.revised(8 * lines)
	known := r.Texts.Numbers()
	v := &Revision{Files: files, Texts: r.Texts, Graphs: graphs, Column: r.Column, pace: c.Pace}
	v.read(r, before, files)
	c.Pace.RestIfDue()
	v.Lines = PolicyLines(v.Rules, c.Pace)
	if !Independent(r.Findings) || v.repeats(r, known) {
		return nil
	}
	v.LineFindings, r.Findings = append(v.keptFindings(told), r.Findings...), nil
	for _, f := range v.LineFindings {
		if f.Severity == model.SeverityError {
			v.Errors++
		}
	}
	r.Errors = v.Errors
	r.Texts.Trim()
	added := r.Rules
	c.Pace.RestIfDue()
	v.updateLinks(r, before, added)
	if v.Links {
		r.Rules = LinesOf(v.Rules, c.Pace, notPolicy)
		v.Graphs = newGraphs(s, r.Texts, r.Rules, v.Rules.Len() > 0, c)
		r.CheckConstraints()
		r.CheckRoles(v.Graphs)
	}
	r.Rules = v.Rules
	r.CheckPolicy(files[0].Name, c)
	if len(r.Findings) > 0 {
		return nil
	}
	return v
}

// Independent reports whether findings about lines do not depend on other lines.
func Independent(findings []model.Finding) bool {
	return !slices.ContainsFunc(findings, func(f model.Finding) bool {
		return f.Code == model.CodeDuplicate || f.Code == model.CodeCollision || f.Code == model.CodeBOM
	})
}

// CurrentLine returns the current line of a finding about the previous policy, or 0
// if that line has changed.
func (v *Revision) CurrentLine(f model.Finding) int {
	for i := range v.Files {
		if at := &v.Files[i]; at.Name == f.File {
			return at.Line(f.Line)
		}
	}
	return 0
}

// keptFindings returns the findings about unchanged lines.
func (v *Revision) keptFindings(told []model.Finding) (moved []model.Finding) {
	for _, f := range told {
		if f.Line = v.CurrentLine(f); f.Line > 0 {
			moved = append(moved, f)
		}
	}
	return moved
}

// read parses the changed lines, and shares or copies the other rules.
func (v *Revision) read(r *reader, before Rules, files []RevisedFile) {
	keep := func(rules Rules, moved int) {
		first := v.Rules.Len()
		v.Rules.lines = append(v.Rules.lines, rules.lines...)
		for i := range pace.Each(r.settings.Pace, v.Rules.lines[first:]) {
			v.Rules.lines[first+i].Line += int32(moved)
		}
	}
	v.Rules = Rules{r.Texts, make([]line, 0, before.Len()+8)}
	at := 0 // index among the rules before
	for i, f := range files {
		r.beginSource(f.Name, &source{text: f.Content})
		from, end, next := before.Search(i, f.Same+1), before.Search(i, f.Same+f.Old+1), before.Search(i+1, 0)
		keep(before.Slice(at, from), 0)
		first := r.Rules.Len()
		left := f.Content[f.At:]
		for n := f.Same + 1; n <= f.Same+f.New; n++ {
			var line []byte
			line, left, _ = bytes.Cut(left, []byte{'\n'})
			r.readLine(f.Name, n, string(line))
		}
		if added := r.Rules.Slice(first, r.Rules.Len()); from < end || added.Len() > 0 {
			v.Replaced = append(v.Replaced, Replaced{from, end, v.Rules.Len(), added.Len()})
			v.Rules.lines = append(v.Rules.lines, added.lines...)
		}
		keep(before.Slice(end, next), f.New-f.Old)
		at = next
	}
}

// repeats reports whether Casbin, which joins fields with commas, may confuse a new
// rule with another one. The new rules are known to differ from each other. known is
// the number of texts in the other rules.
func (v *Revision) repeats(r *reader, known int) bool {
	var came [][]int32 // new rules without a new text
	for _, made := range r.Rules.All() {
		if slices.ContainsFunc(made.Values(), func(value string) bool { return strings.Contains(value, ",") }) {
			return true
		}
		if numbers := made.Numbers(); int(slices.Max(numbers)) < known {
			came = append(came, numbers)
		}
	}
	// Each is looked up among the others by one field: the one whose text was added
	// last, which few rules share.
	wanted := map[int][]int32{} // by field
	for _, numbers := range came {
		field := slices.Index(numbers, slices.Max(numbers))
		wanted[field] = append(wanted[field], numbers[field])
	}
	for field, texts := range wanted {
		slices.Sort(texts)
		first, last := texts[0], texts[len(texts)-1]
		all := r.Texts.fields
		if v.AnyKept(func(other Rule) bool {
			if field >= int(other.count()) {
				return false
			}
			n := all[int(other.first)+field]
			if n < first || n > last {
				return false
			}
			_, found := slices.BinarySearch(texts, n)
			return found && slices.ContainsFunc(came, func(made []int32) bool { return slices.Equal(made, other.Numbers()) })
		}) {
			return true
		}
	}
	return false
}

// AnyKept reports whether match is true for one of the rules that have not changed.
func (v *Revision) AnyKept(match func(Rule) bool) bool {
	at := 0
	for _, came := range v.Replaced {
		if v.Rules.Slice(at, came.To).Some(v.pace, match) {
			return true
		}
		at = came.To + came.Count
	}
	return v.Rules.Slice(at, v.Rules.Len()).Some(v.pace, match)
}

// updateLinks determines whether role links have changed, and which names are no
// longer roles.
func (v *Revision) updateLinks(r *reader, before, added Rules) {
	v.Links = added.Some(v.pace, notPolicy)
	roles := map[int32]bool{} // that lost a link
	for _, gone := range v.Removed(before).All() {
		v.Links = v.Links || notPolicy(gone)
		if r.namesRoles && gone.IsLink() {
			roles[gone.Number(1)] = true
		}
	}
	delete(roles, NumberAnonymous)
	if len(roles) == 0 {
		return
	}
	for _, r := range v.Rules.Each(v.pace) {
		if r.IsLink() {
			delete(roles, r.Number(1))
		}
	}
	for role := range roles {
		r.Texts.Change(role).role = false
	}
}

func notPolicy(r Rule) bool { return !r.IsPolicy() }
