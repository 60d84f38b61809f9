package lsp

import (
	"slices"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/casbinrules"
)

type codeAction struct {
	Title       string        `json:"title"`
	Kind        string        `json:"kind"`
	Diagnostics []diagnostic  `json:"diagnostics"`
	IsPreferred bool          `json:"isPreferred"`
	Edit        workspaceEdit `json:"edit"`
}

// spot is the location of a finding in a policy line, with the context its fixes need.
type spot struct {
	doc    *document
	line   int // from 0
	text   string
	fields []field
	field  int   // of the finding, 0 for the whole line
	column int   // start of the finding, a byte offset in the line
	rows   []row // of the whole policy
	// rest is the finding's message, including the hint.
	rest string
	// negates reports whether a rule may apply because a condition is false.
	negates bool
}

// quickFix computes the quick fix for a kind of finding: a title and edits that change only the
// finding's own line. The title is "" if there is no fix that is certainly what the author
// meant.
type quickFix struct {
	find   func(s *spot) (title string, edits []splice)
	impact impact
}

// impact is the effect of a quick fix on the rule of its line.
type impact int

const (
	widens  impact = iota // the rule may match more
	narrows               // the rule matches less, so a deny rule, a role link to a denied role, or a negation lets more through
	neutral               // no decision changes
)

// splice replaces the bytes from start to end of a line with text. whole replaces the
// entire line, and after inserts text as a new line below it.
type splice struct {
	start, end int
	text       string
	whole      bool
	after      bool
}

func (e splice) adds() bool {
	rules := 0
	for line := range strings.Lines(e.text) {
		if splitFields(line) != nil {
			rules++
		}
	}
	return e.after && rules > 0 || rules > 1
}

// grants reports whether the edits may give anyone access that the policy in force does not
// give. If the finding is an error, the policy with it was never in force, so fixing it
// only restores what the line was written for.
func (c quickFix) grants(s *spot, edits []splice, refused bool) bool {
	switch {
	case slices.ContainsFunc(edits, splice.adds):
		return true
	case refused || c.impact == neutral:
		return false
	case c.impact == narrows:
		return s.negates || !strings.HasPrefix(s.fields[0].text, "p") || slices.ContainsFunc(s.fields, func(f field) bool { return f.text == "deny" })
	}
	return true
}

// quickFixes holds the quick fixes by finding code. The table of TestEveryFindingIsJudged says
// why the other codes have none.
var quickFixes = map[string]quickFix{
	"duplicate_rule":      {deleteLine, neutral},
	"shadowed_rule":       {deleteLine, neutral},
	"unused_ptype":        {deleteLine, neutral},
	"extra_field":         {fixExtraFields, neutral},
	"unanchored_regexp":   {fixAnchors, narrows},
	"regexp_character":    {write(escapedDots), narrows},
	"method_case":         {write(upperMethods), widens},
	"unknown_method":      {fixMethodList, widens},
	"put_without_patch":   {addMethod("PUT", "PATCH"), widens},
	"patch_without_put":   {addMethod("PATCH", "PUT"), widens},
	"get_without_head":    {addMethod("GET", "HEAD"), widens},
	"star_misses_parent":  {fixParent, widens},
	"surrounding_space":   {fixSpace, widens},
	"single_quotes":       {fixOtherQuotes, widens},
	"inline_comment":      {fixComment, widens},
	"semicolon_separator": {fixSemicolons, widens},
	"quoting":             {fixQuoting, widens},
	"control_character":   {fixControl, widens},
	"byte_order_mark":     {fixByteOrderMark, widens},
	"bad_effect":          {write(lowerEffect), widens},
	"no_leading_slash":    {write(withSlash), widens},
	"query_in_pattern":    {write(withoutQuery), widens},
	"parameter_spelling":  {write(otherParameters), widens},
	"unmatchable_pattern": {write(withoutLastSlash), widens},
	"unknown_ptype":       {fixKind, widens},
	"bad_time":            {write(timeInUTC), widens},
	"model_effect":        {fixModelEffect, widens},
}

// codeActions returns the quick fixes for findings that overlap the range. The client's
// diagnostics may belong to an older text: findings that the analysis of the current text
// does not contain get no fix, and until that analysis is done nothing does.
func (s *server) codeActions(q *query) (any, error) {
	made := []codeAction{}
	if q.doc.kind != KindPolicy && q.doc.kind != KindModel {
		return made, nil
	}
	found := s.analyses.current(q.doc)
	if asked := q.Context.Diagnostics; len(asked) > 0 {
		found = slices.DeleteFunc(slices.Clone(found), func(d diagnostic) bool {
			return !slices.ContainsFunc(asked, func(a diagnostic) bool { return a.Code == d.Code && a.Range == d.Range && a.Message == d.Message })
		})
	}
	var p *policy
	from, to := q.doc.offset(q.Range.Start, q.view.enc), q.doc.offset(q.Range.End, q.view.enc)
	for _, d := range found {
		start := q.doc.offset(d.Range.Start, q.view.enc)
		if _, known := quickFixes[d.Code]; !known || start > to || q.doc.offset(d.Range.End, q.view.enc) < from {
			continue
		}
		if p == nil {
			p = s.policyOf(q)
		}
		at := spotOf(q.doc, start, p.rows, d.Message)
		at.negates = p.schema == nil || p.schema.model.negates()
		if f := at.fix(d.Code, d.Severity == severityError, q.view.enc); f != nil {
			made = append(made, codeAction{
				Title: f.Title, Kind: "quickfix", Diagnostics: []diagnostic{d}, IsPreferred: !f.Grants,
				Edit: q.view.edit(map[string][]textEdit{q.doc.uri: f.Edits}),
			})
		}
	}
	return made, nil
}

func spotOf(d *document, offset int, rows []row, message string) *spot {
	line := lineOf(d.feeds, offset)
	at := &spot{doc: d, line: line, text: d.line(line), column: offset - d.feeds[line], rows: rows, rest: message}
	at.fields = splitFields(at.text)
	for i, f := range at.fields {
		if f.start <= at.column && at.column < max(f.end, f.start+1) {
			at.field = i
		}
	}
	return at
}

// Fix is a quick fix for one finding. Grants reports whether it may give anyone access that
// the policy in force does not give.
type Fix struct {
	Title  string     `json:"title"`
	Grants bool       `json:"grants"`
	Edits  []textEdit `json:"edits"`
}

// Fixes returns the quick fixes of findings in a model and its policy files, whose texts
// are keyed by file name. The result is parallel to found, with nil where there is no fix.
// Positions are those of the protocol, in UTF-16 code units.
func Fixes(model casbinrules.Model, texts map[string]string, found []casbinrules.Finding) []*Fix {
	made := make([]*Fix, len(found))
	docs := map[string]*document{}
	var rows []row
	negates := false
	for i, f := range found {
		if _, inPolicy := texts[f.File]; !inPolicy && f.File != model.Name() {
			continue
		}
		if len(docs) == 0 {
			docs[model.Name()] = newDocument("", model.Name(), 0, KindModel, model.Text())
			negates = readModelText(docs[model.Name()]).negates()
			for name, text := range texts {
				docs[name] = newDocument("", name, 0, KindPolicy, text)
				rows = append(rows, rowsOf(docs[name])...)
			}
		}
		d := docs[f.File]
		at := spotOf(d, d.findingOffset(f.Line, f.Column), rows, messageOf(f))
		at.negates = negates
		made[i] = at.fix(f.Code, f.Severity == casbinrules.SeverityError, utf16Units)
	}
	return made
}

// fix returns the quick fix for a finding, or nil. refused reports whether the finding is
// an error.
func (s *spot) fix(code string, refused bool, enc encoding) *Fix {
	c, known := quickFixes[code]
	if !known {
		return nil
	}
	title, edits := c.find(s)
	if title == "" || len(edits) == 0 {
		return nil
	}
	made := &Fix{Title: title, Grants: c.grants(s, edits, refused)}
	for _, e := range edits {
		made.Edits = append(made.Edits, s.edit(e, enc))
	}
	return made
}

// edit converts a splice to an edit of the protocol.
func (s *spot) edit(e splice, enc encoding) textEdit {
	start := s.doc.feeds[s.line]
	switch end := start + len(s.text); {
	case e.whole && s.line+1 < s.doc.lines():
		return textEdit{s.doc.rangeOf(start, s.doc.feeds[s.line+1], enc), e.text}
	case e.whole && s.line > 0 && e.text == "":
		before := s.doc.feeds[s.line-1] + len(s.doc.line(s.line-1))
		return textEdit{s.doc.rangeOf(before, end, enc), ""}
	case e.whole:
		return textEdit{s.doc.rangeOf(start, end, enc), e.text}
	case e.after:
		return textEdit{s.doc.rangeOf(end, end, enc), s.lineEnd() + e.text}
	}
	return textEdit{s.doc.rangeOf(start+e.start, start+e.end, enc), e.text}
}

func (s *spot) lineEnd() string {
	if strings.Contains(s.doc.text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// value returns the text of the field with the finding.
func (s *spot) value() string {
	if s.field < len(s.fields) {
		return s.fields[s.field].text
	}
	return ""
}

// with returns the edit that replaces the field with value.
func (s *spot) with(value string) []splice {
	if s.field == 0 || s.field >= len(s.fields) {
		return nil
	}
	f := s.fields[s.field]
	return []splice{{start: f.start, end: f.end, text: quotedValue(value)}}
}

// lineWith returns the line with the given field replaced by value.
func (s *spot) lineWith(field int, value string) string {
	f := s.fields[field]
	return strings.TrimRightFunc(s.text[:f.start]+quotedValue(value)+s.text[f.end:], unicode.IsSpace)
}
