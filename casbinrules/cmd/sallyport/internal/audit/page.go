// Package audit makes the report that an auditor reads: a page of who may do what,
// and of what in a policy wants looking at.
package audit

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/matrix"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
)

// Page is what a report says.
type Page struct {
	// Model and Hash name what was asked, Made is when.
	Model, Hash, Made string
	Matrix            *matrix.Matrix
	Sections          []Section
	// Files are those of the policy, shown at the end.
	Files []matrix.Listing
}

// Section is one question with its answer.
type Section struct {
	ID, Title string
	// Intro says what is listed.
	Intro string
	Lines []Line
	// None is said where nothing is listed. Missing says why nothing is known.
	None, Missing string
}

// Line is one answer.
type Line struct {
	// Sign is "+" for what is gained and "-" for what is lost, or "".
	Sign, Text string
	// Rule is the line of the policy that it is about, or nil.
	Rule *casbinrules.RuleText
}

// shown is what the template is given.
type shown struct {
	*Page
	Style   template.CSS
	Policy  string
	Heads   []string
	Rows    []row
	Parts   []part
	Listing []listing
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

type listing struct {
	ID    int
	Name  string
	Lines []listed
}

type listed struct {
	ID, Text string
	Number   int
}

// WriteHTML writes a page that needs nothing else: no network, no other file, no
// script.
func (p *Page) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{"words": words}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	sum := sha256.Sum256([]byte(styleText))
	s := shown{
		Page: p, Style: template.CSS(styleText), //nolint:gosec // it is part of the program
		Policy: "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}
	anchors := s.list(p.Files)
	target := func(r *casbinrules.RuleText) string {
		if r == nil || anchors[visible(r.File)] == "" {
			return ""
		}
		return anchors[visible(r.File)] + strconv.Itoa(r.Line)
	}
	for _, c := range p.Matrix.Columns {
		s.Heads = append(s.Heads, visible(c.Label()))
	}
	for i, r := range p.Matrix.Rows {
		made := row{Method: visible(r.Method), Route: visible(r.Route)}
		for _, c := range p.Matrix.Cells[i] {
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
			made := line{Sign: l.Sign, Text: visible(l.Text), Target: target(l.Rule)}
			if l.Rule != nil {
				made.Place = visible(l.Rule.Place())
			}
			one.Shown = append(one.Shown, made)
		}
		s.Parts = append(s.Parts, one)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, s); err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// list adds the files and returns the anchor of each file's lines.
func (s *shown) list(files []matrix.Listing) map[string]string {
	anchors := map[string]string{}
	for i, f := range files {
		anchors[visible(f.Name)] = "f" + strconv.Itoa(i+1) + "-"
		made := listing{ID: i + 1, Name: visible(f.Name)}
		for n, text := range strings.Split(strings.TrimRight(string(f.Text), "\r\n"), "\n") {
			made.Lines = append(made.Lines, listed{anchors[visible(f.Name)] + strconv.Itoa(n+1), visible(strings.TrimRight(text, "\r")), n + 1})
		}
		s.Listing = append(s.Listing, made)
	}
	return anchors
}

// visible replaces the characters that could forge or hide output.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\t' {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// word is one of a text; one with a hyphen, such as a flag, stays on one line.
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
