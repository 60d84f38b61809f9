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

// spot is a finding in a policy line, with what its cures need.
type spot struct {
	doc    *document
	line   int // from 0
	text   string
	fields []field
	field  int   // that the finding is at, 0 for the whole line
	column int   // where it begins, in bytes of the line
	rows   []row // of the policy
	// rest is the message with the hint.
	rest string
}

// cure makes a finding go away without changing other lines: its edits, and
// what to call them; "" for a finding that has no cure which is surely meant.
type cure struct {
	find  func(s *spot) (title string, edits []splice)
	reach reach
}

// reach is what a cure does to the rule of its line.
type reach int

const (
	widens  reach = iota // it may match what it did not
	narrows              // it matches less, so that a deny, or a link to who is denied, lets more through
	keeps                // no decision changes
)

// splice puts text in place of what is between two bytes of the line; deletes says
// that all of the line goes, and after that text is a line behind it.
type splice struct {
	start, end int
	text       string
	whole      bool
	after      bool
}

// adds reports whether there is another rule then.
func (e splice) adds() bool {
	rules := 0
	for line := range strings.Lines(e.text) {
		if splitFields(line) != nil {
			rules++
		}
	}
	return e.after && rules > 0 || rules > 1
}

// grants reports whether somebody may get more by the edits than by the policy in
// force. An error is in no policy in force: what it says once cured is what the line
// was written for.
func (c cure) grants(s *spot, edits []splice, refused bool) bool {
	switch {
	case slices.ContainsFunc(edits, splice.adds):
		return true
	case refused || c.reach == keeps:
		return false
	case c.reach == narrows:
		return !strings.HasPrefix(s.fields[0].text, "p") || slices.ContainsFunc(s.fields, func(f field) bool { return f.text == "deny" })
	}
	return true
}

// cures are those of findings that have one, by their code. Why others have none is
// in the table of TestEveryFindingIsJudged.
var cures = map[string]cure{
	"duplicate_rule":      {deleteLine, keeps},
	"shadowed_rule":       {deleteLine, keeps},
	"unused_ptype":        {deleteLine, keeps},
	"extra_field":         {cureExtraFields, keeps},
	"unanchored_regexp":   {cureAnchors, narrows},
	"regexp_character":    {cureCharacter, narrows},
	"method_case":         {cureMethodCase, widens},
	"unknown_method":      {cureMethodList, widens},
	"put_without_patch":   {addMethod("PUT", "PATCH"), widens},
	"patch_without_put":   {addMethod("PATCH", "PUT"), widens},
	"get_without_head":    {addMethod("GET", "HEAD"), widens},
	"star_misses_parent":  {cureParent, widens},
	"surrounding_space":   {cureSpace, widens},
	"inline_comment":      {cureComment, widens},
	"semicolon_separator": {cureSemicolons, widens},
	"quoting":             {cureQuoting, widens},
	"control_character":   {cureControl, widens},
	"byte_order_mark":     {cureByteOrderMark, widens},
	"bad_effect":          {cureEffect, widens},
	"no_leading_slash":    {cureSlash, widens},
	"query_in_pattern":    {cureQuery, widens},
	"parameter_spelling":  {cureParameter, widens},
	"unmatchable_pattern": {cureUnmatchable, widens},
	"unknown_ptype":       {cureKind, widens},
	"bad_time":            {cureTime, widens},
	"model_effect":        {cureModelEffect, widens},
}

// codeActions are the cures of the findings that the range touches. What the
// client has may be of an older text: a finding that the analysis of everything as
// it is now does not have gets none, and until there is that analysis none does.
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
		if _, known := cures[d.Code]; !known || start > to || q.doc.offset(d.Range.End, q.view.enc) < from {
			continue
		}
		if p == nil {
			p = s.policyOf(q)
		}
		if f := spotOf(q.doc, start, p.rows, d.Message).fix(d.Code, d.Severity == severityError, q.view.enc); f != nil {
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

// Fix is what makes a finding go away and changes no other line. Grants says that
// somebody may get more by it than by the policy in force.
type Fix struct {
	Title  string     `json:"title"`
	Grants bool       `json:"grants"`
	Edits  []textEdit `json:"edits"`
}

// Fixes are the quick fixes of findings in the texts of a model and its policy, by the
// names of their files, in the order of the findings, nil for those without; positions
// are those of the protocol, in UTF-16.
func Fixes(model casbinrules.Model, texts map[string]string, found []casbinrules.Finding) []*Fix {
	made := make([]*Fix, len(found))
	docs := map[string]*document{}
	var rows []row
	for i, f := range found {
		if _, inPolicy := texts[f.File]; !inPolicy && f.File != model.Name() {
			continue
		}
		if len(docs) == 0 {
			docs[model.Name()] = newDocument("", model.Name(), 0, KindModel, model.Text())
			for name, text := range texts {
				docs[name] = newDocument("", name, 0, KindPolicy, text)
				rows = append(rows, rowsOf(docs[name])...)
			}
		}
		d := docs[f.File]
		made[i] = spotOf(d, d.findingOffset(f.Line, f.Column), rows, messageOf(f)).fix(f.Code, f.Severity == casbinrules.SeverityError, utf16Units)
	}
	return made
}

// fix is the cure of a finding with its edits, or nil. refused says that the finding
// is an error.
func (s *spot) fix(code string, refused bool, enc encoding) *Fix {
	c, known := cures[code]
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

// edit is a splice for the client.
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

// lineEnd is how lines of the document end.
func (s *spot) lineEnd() string {
	if strings.Contains(s.doc.text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// value is the text of the field of the finding.
func (s *spot) value() string {
	if s.field < len(s.fields) {
		return s.fields[s.field].text
	}
	return ""
}

// with puts a value in place of that of the field.
func (s *spot) with(value string) []splice {
	if s.field == 0 || s.field >= len(s.fields) {
		return nil
	}
	f := s.fields[s.field]
	return []splice{{start: f.start, end: f.end, text: quotedValue(value)}}
}

// lineWith is the line with another value in the field.
func (s *spot) lineWith(field int, value string) string {
	f := s.fields[field]
	return strings.TrimRightFunc(s.text[:f.start]+quotedValue(value)+s.text[f.end:], unicode.IsSpace)
}
