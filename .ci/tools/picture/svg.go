package main

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// Sizes of the terminal, in characters and pixels. Fixed-width fonts are 0.6 of
// their size wide, or a little less.
const (
	columns    = 106
	allColumns = columns * 725 / 100 // in pixels, at 12 each high
	lineHeight = 17
	margin     = 18
	titleBar   = 30
)

// style has colours for light and dark. The picture has a ground of its own, so
// it can be read on a page of either kind.
const style = `
.ground{fill:#f8fafc;stroke:#cbd5e1}.dot{fill:#cbd5e1}text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#334155;white-space:pre}
.c{fill:#0f172a;font-weight:600}.p{fill:#64748b}.ok{fill:#15803d}.who{fill:#b45309}.no{fill:#b91c1c}
@media(prefers-color-scheme:dark){.ground{fill:#111827;stroke:#374151}.dot{fill:#374151}text{fill:#cbd5e1}.c{fill:#f8fafc}.p{fill:#94a3b8}.ok{fill:#4ade80}.who{fill:#fbbf24}.no{fill:#f87171}}
`

// coloured are the words with a meaning, and their classes.
var coloured = regexp.MustCompile(`^HTTP/1\.1 (?P<who>401.*)|^HTTP/1\.1 (?P<ok>200.*)|^HTTP/1\.1 (?P<no>403.*)|\b(?P<yes>allow)\b|\b(?P<deny>deny)\b|(?P<challenge>Bearer realm="[^"]*"$)`)

var classes = map[string]string{"who": "who", "ok": "ok", "no": "no", "yes": "ok", "deny": "no", "challenge": "who"}

// row is a line of the terminal as SVG, and how far it is from the one above.
type row struct {
	svg string
	gap int
}

// draw is the terminal as SVG.
func draw(steps []step) string {
	var rows []row
	for i, s := range steps {
		gap := lineHeight
		if i > 0 {
			gap += lineHeight / 2
		}
		rows = append(rows, row{`<tspan class="p">$ </tspan><tspan class="c">` + html.EscapeString(s.command) + `</tspan>`, gap})
		for line := range strings.Lines(s.output) {
			for _, part := range wrap(strings.TrimRight(line, "\n")) {
				gap := lineHeight
				if part == "" {
					gap = lineHeight / 3
				}
				rows = append(rows, row{colour(part), gap})
			}
		}
	}
	var body strings.Builder
	y := titleBar
	for _, r := range rows {
		y += r.gap
		if r.svg != "" {
			fmt.Fprintf(&body, "<text x=\"%d\" y=\"%d\" xml:space=\"preserve\">%s</text>\n", margin, y, r.svg)
		}
	}
	width, height := allColumns+2*margin, y+margin
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-labelledby=\"title\">\n", width, height, width, height)
	b.WriteString("<title id=\"title\">A terminal: a service is made and started; a request without a token gets 401 with a challenge, erin’s token 200, and her DELETE 403; then the matrix of who may do what.</title>\n")
	fmt.Fprintf(&b, "<style>%s</style>\n", style)
	fmt.Fprintf(&b, "<rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", width-1, height-1)
	for i := range 3 {
		fmt.Fprintf(&b, "<circle class=\"dot\" cx=\"%d\" cy=\"17\" r=\"5\"/>\n", margin+5+i*17)
	}
	return b.String() + body.String() + "</svg>\n"
}

// wrap breaks a line as a terminal does.
func wrap(line string) []string {
	var parts []string
	for len(line) > columns {
		parts = append(parts, line[:columns])
		line = line[columns:]
	}
	return append(parts, line)
}

// colour marks the words of a line that have a meaning.
func colour(line string) string {
	var b strings.Builder
	end := 0
	for _, m := range coloured.FindAllStringSubmatchIndex(line, -1) {
		for i, name := range coloured.SubexpNames() {
			if name == "" || m[2*i] < 0 {
				continue
			}
			b.WriteString(html.EscapeString(line[end:m[2*i]]))
			end = m[2*i+1]
			fmt.Fprintf(&b, `<tspan class="%s">%s</tspan>`, classes[name], html.EscapeString(line[m[2*i]:end]))
		}
	}
	return b.String() + html.EscapeString(line[end:])
}
