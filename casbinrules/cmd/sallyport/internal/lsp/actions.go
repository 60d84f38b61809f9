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
type cure func(s *spot) (title string, edits []splice)

// splice puts text in place of what is between two bytes of the line; deletes says
// that all of the line goes, and after that text is a line behind it.
type splice struct {
	start, end int
	text       string
	whole      bool
	after      bool
}

// adds reports whether there is another rule then, which grants or denies more.
func (e splice) adds() bool {
	rules := 0
	for line := range strings.Lines(e.text) {
		if splitFields(line) != nil {
			rules++
		}
	}
	return e.after && rules > 0 || rules > 1
}

// cures are those of findings that have one, by their code.
var cures = map[string]cure{
	"duplicate_rule":      deleteLine,
	"shadowed_rule":       deleteLine,
	"unused_ptype":        deleteLine,
	"method_case":         cureMethodCase,
	"unknown_method":      cureMethodList,
	"put_without_patch":   addMethod("PUT", "PATCH"),
	"patch_without_put":   addMethod("PATCH", "PUT"),
	"get_without_head":    addMethod("GET", "HEAD"),
	"star_misses_parent":  cureParent,
	"surrounding_space":   cureSpace,
	"inline_comment":      cureComment,
	"semicolon_separator": cureSemicolons,
	"quoting":             cureQuoting,
	"control_character":   cureControl,
	"byte_order_mark":     cureByteOrderMark,
	"unanchored_regexp":   cureAnchors,
	"bad_effect":          cureEffect,
	"no_leading_slash":    cureSlash,
	"query_in_pattern":    cureQuery,
	"parameter_spelling":  cureParameter,
	"regexp_character":    cureCharacter,
	"extra_field":         cureExtraFields,
	"unmatchable_pattern": cureUnmatchable,
}

// codeActions are the cures of the findings that the range touches. What the
// client has may be of an older text: a finding that the analysis of everything as
// it is now does not have gets none, and until there is that analysis none does.
func (s *server) codeActions(q *query) (any, error) {
	made := []codeAction{}
	if q.doc.kind != KindPolicy {
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
		find := cures[d.Code]
		if find == nil || start > to || q.doc.offset(d.Range.End, q.view.enc) < from {
			continue
		}
		if p == nil {
			p = s.policyOf(q)
		}
		at := spotOf(q.doc, start, p.rows, d.Message)
		title, edits := find(at)
		if title == "" || len(edits) == 0 {
			continue
		}
		action := codeAction{Title: title, Kind: "quickfix", Diagnostics: []diagnostic{d}, IsPreferred: !slices.ContainsFunc(edits, splice.adds)}
		var changes []textEdit
		for _, e := range edits {
			changes = append(changes, at.edit(e, q.view.enc))
		}
		action.Edit = q.view.edit(map[string][]textEdit{q.doc.uri: changes})
		made = append(made, action)
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

// Fix is what makes a finding go away and changes no other line. Adds says that there
// is another rule then, which grants or denies more.
type Fix struct {
	Title string     `json:"title"`
	Adds  bool       `json:"adds"`
	Edits []textEdit `json:"edits"`
}

// Fixes are the quick fixes of findings in the texts of a policy, by the names of its
// files, in the order of the findings, nil for those without; positions are those of the
// protocol, in UTF-16.
func Fixes(texts map[string]string, found []casbinrules.Finding) []*Fix {
	made := make([]*Fix, len(found))
	docs := map[string]*document{}
	var rows []row
	for i, f := range found {
		find := cures[f.Code]
		if _, inPolicy := texts[f.File]; find == nil || !inPolicy {
			continue
		}
		if rows == nil {
			for name, text := range texts {
				docs[name] = newDocument("", name, 0, KindPolicy, text)
				rows = append(rows, rowsOf(docs[name])...)
			}
		}
		d := docs[f.File]
		at := spotOf(d, d.findingOffset(f.Line, f.Column), rows, messageOf(f))
		title, edits := find(at)
		if title == "" || len(edits) == 0 {
			continue
		}
		made[i] = &Fix{Title: title, Adds: slices.ContainsFunc(edits, splice.adds)}
		for _, e := range edits {
			made[i].Edits = append(made[i].Edits, at.edit(e, utf16Units))
		}
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
