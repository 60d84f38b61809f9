package observability

import (
	"cmp"
	"flag"
	"fmt"
	"html"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var picture = flag.String("picture", "", "`file` for a picture of a burst of each kind, which takes a minute to make")

// pictured are the panels of the dashboard that the picture has, row by row.
var pictured = []string{"401 by reason", "403 by reason", "401 by route", "403 by rule and route"}

// phases are what happens to the service of the picture, for how many seconds.
var phases = []struct {
	name    string // "" for requests as usual
	seconds int
	more    []call
}{
	{"", 14, nil}, {"tokens break", 10, []call{malformed}}, {"", 12, nil}, {"a rule denies", 10, []call{denied}}, {"", 10, nil},
}

// TestPicture draws panels of the dashboard, by their own queries, from what
// Prometheus has of a service in which first tokens break, and then a policy. It runs
// with -picture alone, from this folder:
//
//	go test -run TestPicture -args -picture ../../../docs/observability/burst.svg
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("not run: it makes a picture for the documentation, if -picture names a file")
	}
	s := newService(t)
	address := prometheus(t, s)
	s.ask(t, allowed)
	s.ask(t, malformed) // so that there is a series which a burst can begin from
	s.ask(t, denied)
	var bursts []burst
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var from time.Time
	for n, p := range phases {
		b := burst{name: p.name, from: time.Now()}
		for i := range p.seconds * 20 {
			<-tick.C
			s.ask(t, allowed)
			switch {
			case i%40 == 10:
				s.ask(t, anonymous)
			case i%40 == 30:
				s.ask(t, forbidden)
			}
			for _, c := range p.more {
				s.ask(t, c)
			}
		}
		if b.to = time.Now(); b.name != "" {
			bursts = append(bursts, b)
		}
		if n == 0 { // what there is before has no rates yet
			from = b.from.Add(5 * time.Second)
		}
	}
	to := time.Now()
	queries := panelsOf(t)
	var plots []plot
	for _, title := range pictured {
		p := plot{title: title, from: from, to: to, bursts: bursts}
		for _, q := range queries[title] {
			got, err := query(address, "/api/v1/query_range", url.Values{"query": {q}, "start": {seconds(from)}, "end": {seconds(to)}, "step": {"0.5"}})
			if err != nil {
				t.Fatalf("%s: %v", title, err)
			}
			p.lines = append(p.lines, got...)
		}
		if len(p.lines) == 0 {
			t.Fatalf("%s: nothing is shown", title)
		}
		plots = append(plots, p)
	}
	if err := os.WriteFile(*picture, []byte(draw(plots)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

// burst is when one happened.
type burst struct {
	name     string
	from, to time.Time
}

// plot is one panel.
type plot struct {
	title    string
	lines    []result
	from, to time.Time
	bursts   []burst
}

// The measures of a picture and of a panel in it.
const (
	columns       = 2
	width, height = 470, 250
	left, right   = 46, 14
	top, bottom   = 40, 72
	most          = 25.0 // a second, in all panels
)

// style has colours that are told apart by people who see fewer, on light and on dark
// pages.
const style = `svg{--page:#fff;--text:#1b1f24;--faint:#57606a;--line:#d8dee4;--burst:#fff4d6;--a:#c2410c;--b:#0969da;--c:#1a7f5a;--d:#8250df}
@media(prefers-color-scheme:dark){svg{--page:#0d1117;--text:#e6edf3;--faint:#9198a1;--line:#30363d;--burst:#2e2a1a;--a:#ff9d6c;--b:#79b8ff;--c:#56d4a4;--d:#d2a8ff}}
.page{fill:var(--page)}text{fill:var(--text)}.faint{fill:var(--faint)}.grid{stroke:var(--line)}.burst{fill:var(--burst)}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.a{stroke:var(--a)}.b{stroke:var(--b)}.c{stroke:var(--c)}.d{stroke:var(--d)}`

const classes = "abcd"

// draw is a picture of all plots in one scale.
func draw(plots []plot) string {
	var b strings.Builder
	rows := (len(plots) + columns - 1) / columns
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui,sans-serif" font-size="12" role="img">`+"\n", width*columns, height*rows)
	fmt.Fprintf(&b, "<title>Refusals a second while tokens break, and then while a rule of the policy denies a route</title>\n<style>%s</style>\n", style)
	b.WriteString(`<rect class="page" width="100%" height="100%"/>` + "\n")
	for i, p := range plots {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", i%columns*width, i/columns*height)
		p.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p plot) draw(b *strings.Builder) {
	span := p.to.Sub(p.from).Seconds()
	x := func(at float64) float64 { return left + min(max(at, 0), span)/span*(width-left-right) }
	y := func(v float64) float64 { return height - bottom - v/most*(height-top-bottom) }
	fmt.Fprintf(b, `<text x="%d" y="20" font-weight="600" font-size="14">%s</text>`+"\n", left, html.EscapeString(p.title))
	for _, u := range p.bursts {
		from, to := x(u.from.Sub(p.from).Seconds()), x(u.to.Sub(p.from).Seconds())
		fmt.Fprintf(b, `<rect class="burst" x="%.1f" y="%d" width="%.1f" height="%d"/><text class="faint" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			from, top, to-from, height-top-bottom, (from+to)/2, top-4, html.EscapeString(u.name))
	}
	for v := 0.0; v <= most; v += 5 {
		fmt.Fprintf(b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text class="faint" x="%d" y="%.1f" text-anchor="end">%.0f/s</text>`+"\n",
			left, width-right, y(v), y(v), left-6, y(v)+4, v)
	}
	for s := 0.0; s <= span; s += 10 {
		fmt.Fprintf(b, `<text class="faint" x="%.1f" y="%d" text-anchor="middle">%.0f s</text>`+"\n", x(s), height-bottom+16, s)
	}
	slices.SortFunc(p.lines, func(a, c result) int { return cmp.Or(-cmp.Compare(peak(a), peak(c)), cmp.Compare(label(a), label(c))) })
	for i, l := range p.lines[:min(len(p.lines), len(classes))] {
		points := make([]string, len(l.Values))
		for j, v := range l.Values {
			points[j] = fmt.Sprintf("%.1f,%.1f", x(number(v[0])-float64(p.from.UnixMilli())/1000), y(number(v[1])))
		}
		at, beside := height-bottom+34+i/2*18, left+i%2*(width-left-right)/2
		fmt.Fprintf(b, `<polyline class="line %c" points="%s"/><line class="line %c" x1="%d" x2="%d" y1="%d" y2="%d"/><text x="%d" y="%d">%s</text>`+"\n",
			classes[i], strings.Join(points, " "), classes[i], beside, beside+16, at, at, beside+22, at+4, html.EscapeString(label(l)))
	}
}

// label names a line by the values of its labels.
func label(r result) string {
	var parts []string
	for _, name := range []string{"sallyport_reason", "sallyport_rule", "http_route"} {
		if value := r.Metric[name]; value != "" {
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, " ")
}

// peak is the highest value of a line.
func peak(r result) float64 {
	highest := 0.0
	for _, v := range r.Values {
		highest = max(highest, number(v[1]))
	}
	return highest
}

// number is a number of an answer, which has times as numbers and values as texts.
func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		n, err := strconv.ParseFloat(v, 64)
		if err == nil {
			return n
		}
	}
	return 0
}
