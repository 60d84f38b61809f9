package probing

import (
	_ "embed"
	"html/template"
	"io"
	"strconv"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/matrix"
	"github.com/sallyport-go/sallyport/core/probe"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript   string
	pageTemplate = template.Must(template.New("page").Parse(pageText))
)

type htmlPage struct {
	Result
	Style  template.CSS
	Script template.JS
	Policy string // of security
	People []string
	Lines  []htmlLine
	Groups []htmlGroup
	// Whose are the identities that findings are about.
	Whose []string
	// Fresh is the number of findings that are not in the baseline.
	Fresh int
}

type htmlLine struct {
	Method, Path string
	Cells        []htmlCell
}

// htmlCell is a status. Anchor links to the first finding about it; "" if there is none.
type htmlCell struct{ Text, Class, Anchor string }

type htmlGroup struct {
	probe.Fault
	Findings []htmlFinding
}

type htmlFinding struct {
	Finding
	ID string
}

// WriteHTML writes the result as one page that needs no network. A script filters the
// findings; without it all of them are shown.
func (r Result) WriteHTML(w io.Writer) error {
	p := htmlPage{Result: r, Style: template.CSS(pageStyle), Script: template.JS(pageScript), People: r.table.People, Fresh: r.New()}
	p.Policy = matrix.SecurityPolicy(pageStyle, pageScript)
	for _, f := range r.Findings {
		p.Whose = distinct.Add(p.Whose, f.As)
	}
	anchors := map[string]string{}
	for _, fault := range probe.Faults() {
		g := htmlGroup{Fault: fault}
		for i, f := range r.Findings {
			if f.Code != fault.Name {
				continue
			}
			id := "f" + strconv.Itoa(i+1)
			g.Findings = append(g.Findings, htmlFinding{f, id})
			if key := f.Method + " " + f.Path + " " + f.As; anchors[key] == "" {
				anchors[key] = id
			}
		}
		if g.Findings != nil {
			p.Groups = append(p.Groups, g)
		}
	}
	for _, row := range r.Table {
		line := htmlLine{Method: row.Method, Path: row.Path}
		for _, name := range p.People {
			text := row.Status[name]
			line.Cells = append(line.Cells, htmlCell{text, class(text), anchors[row.Method+" "+row.Path+" "+name]})
		}
		p.Lines = append(p.Lines, line)
	}
	return pageTemplate.Execute(w, p)
}

// class returns the CSS class of a status: let through, asked to sign in, or told to stop.
func class(status string) string {
	switch code := status[max(0, len(status)-3):]; {
	case code == "401":
		return "asked"
	case code == "403":
		return "stopped"
	case len(code) == 3 && code[0] == '2':
		return "through"
	}
	return "none"
}
