package matrix

import (
	_ "embed" // for the page
	"html/template"
	"io"
	"strconv"
	"strings"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
	//go:embed page.js
	scriptText   string
	pageTemplate = template.Must(template.New("page").Parse(pageText))
)

type page struct {
	*Matrix
	Title  string
	Hash   string
	Model  string
	Style  template.CSS
	Script template.JS
	Policy string // of security
	Heads  []string
	Lines  []pageRow
	Files  []ListedFile
}

type pageRow struct {
	Row
	// Parts is the route, split where a line may break.
	Parts []string
	Cells []pageCell
}

// pageCell links to the line that decided, or to the explanation of decisions without one.
type pageCell struct {
	Word, Place, Target, Why string
}

// WriteHTML writes a self-contained page: no network, no other file. files are the files of
// the policy, named as in its rules; model and hash identify the policy.
func (m *Matrix) WriteHTML(w io.Writer, model, hash string, files []Listing) error {
	p := page{
		Matrix: m, Files: List(files), Title: "Who may do what", Hash: hash, Model: Visible(model),
		Style: template.CSS(styleText), Script: template.JS(scriptText),
		Policy: SecurityPolicy(styleText, scriptText),
	}
	for _, c := range m.Columns {
		p.Heads = append(p.Heads, Visible(c.Label()))
	}
	anchors := Anchors(p.Files)
	for i, row := range m.Rows {
		line := pageRow{Row: Row{Visible(row.Method), Visible(row.Route), Visible(row.Sample)}, Parts: parts(Visible(row.Route))}
		for _, c := range m.Cells[i] {
			line.Cells = append(line.Cells, c.page(anchors))
		}
		p.Lines = append(p.Lines, line)
	}
	return pageTemplate.Execute(w, p)
}

// parts splits a route before each slash except a leading one.
func parts(route string) []string {
	segments := strings.Split(route, "/")
	for i := range segments[1:] {
		segments[i+1] = "/" + segments[i+1]
	}
	if segments[0] == "" && len(segments) > 1 {
		return segments[1:]
	}
	return segments
}

func (c Cell) page(anchors map[string]string) pageCell {
	made := pageCell{Word: c.Word(), Target: "no-line"}
	switch {
	case c.Err != "":
		made.Target, made.Why = "no-decision", "no decision: "+Visible(c.Err)
	case c.Rule == nil && c.Allowed:
		made.Why = "the model allows it, by no line"
	case c.Rule == nil:
		made.Why = "no line allows it"
	default:
		made.Place = ":" + strconv.Itoa(c.Rule.Line)
		made.Why = c.Rule.String()
		if anchor := anchors[Visible(c.Rule.File)]; anchor != "" {
			made.Target = anchor + strconv.Itoa(c.Rule.Line)
		}
		if len(anchors) > 1 {
			made.Place = Visible(c.Rule.Place())
		}
	}
	return made
}
