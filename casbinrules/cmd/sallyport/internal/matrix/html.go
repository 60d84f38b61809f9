package matrix

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
	//go:embed page.js
	scriptText string
)

// Listing is a file of the policy, shown below the table.
type Listing struct {
	Name string
	Text []byte
}

// page is what the template is given.
type page struct {
	*Matrix
	Title  string
	Hash   string
	Model  string
	Style  template.CSS
	Script template.JS
	// Policy allows the page its own style and script by their hashes, and
	// nothing else.
	Policy string
	Heads  []string
	Lines  []pageRow
	Files  []pageFile
}

type pageRow struct {
	Row
	// Parts are the route, cut where a line may end.
	Parts []string
	Cells []pageCell
}

// pageCell links to the line that decided, or to what is said of no line.
type pageCell struct {
	Word, Place, Target, Why string
}

type pageFile struct {
	ID    int
	Name  string
	Lines []pageLine
}

type pageLine struct {
	ID, Text string
	Number   int
	Comment  bool
}

// WriteHTML writes a page that needs nothing else: no network, no other file.
// files are those of the policy, with the names that its rules have; model and
// hash say what was asked.
func (m *Matrix) WriteHTML(w io.Writer, model, hash string, files []Listing) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("matrix page: %w", err)
	}
	p := page{
		Matrix: m, Title: "Who may do what", Hash: hash, Model: visible(model),
		Style: template.CSS(styleText), Script: template.JS(scriptText), //nolint:gosec // both are part of the program
		Policy: "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src " +
			digest(styleText) + "; script-src " + digest(scriptText),
	}
	for _, c := range m.Columns {
		p.Heads = append(p.Heads, visible(c.Label()))
	}
	anchors := p.list(files)
	for i, row := range m.Rows {
		line := pageRow{Row: Row{visible(row.Method), visible(row.Route), visible(row.Sample)}, Parts: parts(visible(row.Route))}
		for _, c := range m.Cells[i] {
			line.Cells = append(line.Cells, c.page(anchors))
		}
		p.Lines = append(p.Lines, line)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("matrix page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// parts are a route cut in front of each slash but a first one.
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

// list adds the files and returns the anchor of each file's lines.
func (p *page) list(files []Listing) map[string]string {
	anchors := map[string]string{}
	for i, f := range files {
		file := pageFile{ID: i + 1, Name: visible(f.Name)}
		anchors[visible(f.Name)] = "f" + strconv.Itoa(i+1) + "-"
		for n, raw := range strings.Split(strings.TrimRight(string(f.Text), "\r\n"), "\n") {
			text := visible(strings.TrimRight(raw, "\r"))
			file.Lines = append(file.Lines, pageLine{
				ID: anchors[visible(f.Name)] + strconv.Itoa(n+1), Text: text, Number: n + 1,
				Comment: strings.HasPrefix(strings.TrimSpace(text), "#"),
			})
		}
		p.Files = append(p.Files, file)
	}
	return anchors
}

func (c Cell) page(anchors map[string]string) pageCell {
	made := pageCell{Word: c.Word(), Target: "no-line"}
	switch {
	case c.Err != "":
		made.Target, made.Why = "no-decision", "no decision: "+visible(c.Err)
	case c.Rule == nil && c.Allowed:
		made.Why = "the model allows it, by no line"
	case c.Rule == nil:
		made.Why = "no line allows it"
	default:
		made.Place = ":" + strconv.Itoa(c.Rule.Line)
		made.Why = c.Rule.String()
		if anchor := anchors[visible(c.Rule.File)]; anchor != "" {
			made.Target = anchor + strconv.Itoa(c.Rule.Line)
		}
		if len(anchors) > 1 {
			made.Place = filepath.Base(c.Rule.File) + made.Place
		}
	}
	return made
}

// digest is a source expression of Content Security Policy for an inline
// element.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
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
