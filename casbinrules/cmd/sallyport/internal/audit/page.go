// Package audit writes a report for auditors: a page that shows who may do what, and what
// in a policy needs attention.
package audit

import (
	_ "embed" // for the page
	"html/template"
	"io"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/matrix"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText    string
	pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"words": words}).Parse(pageText))
)

// Page is the content of a report.
type Page struct {
	// Model and Hash identify the policy, and Made is the time of the report.
	Model, Hash, Made string
	Matrix            *matrix.Matrix
	Sections          []Section
	// Files are the files of the policy, shown at the end.
	Files []matrix.Listing
}

// Section is a question with its answers.
type Section struct {
	ID, Title string
	// Intro describes the list.
	Intro string
	Lines []Line
	// None is shown instead of an empty list. Missing explains why there is no list.
	None, Missing string
}

// Line is one answer.
type Line struct {
	// Sign is "+" for gained access, "-" for lost access, or "".
	Sign, Text string
	// Rule is the policy line that the answer is about, or nil.
	Rule *casbinrules.RuleText
}

type shown struct {
	*Page
	Style   template.CSS
	Policy  string
	Heads   []string
	Idle    []string // subjects without any access
	Rows    []row
	Parts   []part
	Listing []matrix.ListedFile
}

type row struct {
	Method, Route string
	Cells         []cell
}

type cell struct{ Word, Place, Target string }

type part struct {
	Section
	Shown []line
}

type line struct{ Sign, Text, Place, Target string }

// WriteHTML writes a self-contained page: no network, no other file, no script.
func (p *Page) WriteHTML(w io.Writer) error {
	s := shown{
		Page: p, Style: template.CSS(styleText),
		Policy:  matrix.SecurityPolicy(styleText, ""),
		Listing: matrix.List(p.Files),
	}
	anchors := matrix.Anchors(s.Listing)
	target := func(r *casbinrules.RuleText) string {
		if r == nil || anchors[matrix.Visible(r.File)] == "" {
			return ""
		}
		return anchors[matrix.Visible(r.File)] + strconv.Itoa(r.Line)
	}
	heads, idle := columns(p.Matrix)
	for _, h := range heads {
		s.Heads = append(s.Heads, matrix.Visible(h.label))
	}
	for _, label := range idle {
		s.Idle = append(s.Idle, matrix.Visible(label))
	}
	for i, r := range p.Matrix.Rows {
		made := row{Method: matrix.Visible(r.Method), Route: matrix.Visible(r.Route)}
		for _, h := range heads {
			c := p.Matrix.Cells[i][h.index]
			shown := cell{Word: c.Word(), Target: target(c.Rule)}
			if c.Rule != nil {
				shown.Place = strconv.Itoa(c.Rule.Line)
			}
			made.Cells = append(made.Cells, shown)
		}
		s.Rows = append(s.Rows, made)
	}
	for _, section := range p.Sections {
		one := part{Section: section}
		for _, l := range section.Lines {
			made := line{Sign: l.Sign, Text: matrix.Visible(l.Text), Target: target(l.Rule)}
			if l.Rule != nil {
				made.Place = matrix.Visible(l.Rule.Place())
			}
			one.Shown = append(one.Shown, made)
		}
		s.Parts = append(s.Parts, one)
	}
	return pageTemplate.Execute(w, s)
}

// word is a word of a text. Words with a hyphen, such as flags, are not broken across
// lines.
type word struct {
	Text  string
	Whole bool
}

func words(text string) []word {
	var all []word
	for w := range strings.FieldsSeq(text) {
		all = append(all, word{w, strings.Contains(w, "-")})
	}
	return all
}
