package observability

import (
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

// TestPicture draws two panels of the dashboard from what Prometheus has of a
// service in which first tokens break, and then a policy. It runs with -picture
// alone, from this folder:
//
//	go test -run TestPicture -args -picture ../../../docs/observability/burst.svg
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("not run: it makes a picture for the documentation, if -picture names a file")
	}
	s := newService(t)
	address := prometheus(t, s)
	began := time.Now()
	// phase sends 20 requests a second as usual, and more of one kind.
	phase := func(seconds int, more ...call) {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for i := range seconds * 20 {
			<-tick.C
			s.ask(t, allowed)
			switch {
			case i%40 == 10:
				s.ask(t, anonymous)
			case i%40 == 30:
				s.ask(t, forbidden)
			}
			for _, c := range more {
				s.ask(t, c)
			}
		}
	}
	phase(14)
	phase(10, malformed)
	phase(12)
	phase(10, denied)
	phase(10)
	plots := []plot{
		{title: "401 by reason: identity plumbing", outcome: "unauthenticated"},
		{title: "403 by reason: policy plumbing", outcome: "forbidden"},
	}
	for i := range plots {
		got, err := query(address, "/api/v1/query_range", url.Values{
			"query": {fmt.Sprintf(`sum by (sallyport_reason) (rate(sallyport_refusals_total{sallyport_outcome=%q}[3s]))`, plots[i].outcome)},
			"start": {seconds(began.Add(3 * time.Second))}, "end": {seconds(time.Now())}, "step": {"0.5"},
		})
		if err != nil || len(got) == 0 {
			t.Fatalf("%s: %v, %v", plots[i].title, got, err)
		}
		plots[i].lines, plots[i].from, plots[i].to = got, float64(began.Add(3*time.Second).Unix()), float64(time.Now().Unix())
	}
	if err := os.WriteFile(*picture, []byte(draw(plots)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

// plot is one panel.
type plot struct {
	title, outcome string
	lines          []result
	from, to       float64
}

// The measures of a picture.
const (
	width, height = 720, 210
	left, bottom  = 48, 30
	top, right    = 34, 170
)

// colours are told apart on white and on black, and by people who see fewer.
var colours = []string{"#d55e00", "#0072b2", "#009e73", "#cc79a7", "#8a6d00"}

// draw is a picture of all plots, one below the other, in one scale.
func draw(plots []plot) string {
	most := 0.0
	for _, p := range plots {
		for _, l := range p.lines {
			for _, v := range l.Values {
				most = max(most, number(v[1]))
			}
		}
	}
	most = max(5, float64(5*(int(most/5)+1)))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui,sans-serif" font-size="12">`+"\n", width, height*len(plots))
	fmt.Fprintf(&b, `<title>Refusals a second while tokens break, and then a policy</title><rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	for i, p := range plots {
		fmt.Fprintf(&b, `<g transform="translate(0 %d)">`+"\n", i*height)
		p.draw(&b, most)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p plot) draw(b *strings.Builder, most float64) {
	x := func(v float64) float64 { return left + (v-p.from)/(p.to-p.from)*(width-left-right) }
	y := func(v float64) float64 { return height - bottom - v/most*(height-top-bottom) }
	fmt.Fprintf(b, `<text x="%d" y="20" font-weight="600" font-size="14" fill="#222222">%s</text>`+"\n", left, html.EscapeString(p.title))
	for v := 0.0; v <= most; v += most / 5 {
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#dddddd"/><text x="%d" y="%.1f" text-anchor="end" fill="#555555">%.0f/s</text>`+"\n",
			left, width-right, y(v), y(v), left-6, y(v)+4, v)
	}
	for s := 0.0; s <= p.to-p.from; s += 10 {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555555">%.0f s</text>`+"\n", x(p.from+s), height-bottom+16, s)
	}
	slices.SortFunc(p.lines, func(a, c result) int {
		return strings.Compare(a.Metric["sallyport_reason"], c.Metric["sallyport_reason"])
	})
	for i, l := range p.lines {
		points := make([]string, len(l.Values))
		for j, v := range l.Values {
			points[j] = fmt.Sprintf("%.1f,%.1f", x(number(v[0])), y(number(v[1])))
		}
		colour := colours[i%len(colours)]
		fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>`+"\n", colour, strings.Join(points, " "))
		at := top + 8 + 18*i
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%d" y2="%d" stroke="%s" stroke-width="3"/><text x="%d" y="%d" fill="#222222">%s</text>`+"\n",
			width-right+10, width-right+26, at, at, colour, width-right+32, at+4, html.EscapeString(l.Metric["sallyport_reason"]))
	}
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
