//go:build linux

package fleet_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// panel is one of the curves of a picture, below each other.
type panel struct {
	what   string
	values []int
	each   time.Duration // of a value
	color  string
}

// picture draws what a simulation has seen.
func picture[T any](title string, length time.Duration, events []event[T], panels ...panel) string {
	const width, height, left, top = 860, 130, 60, 48
	const between = height + 62
	bottom := top + (len(panels)-1)*between + height
	x := func(at time.Duration) float64 { return left + float64(at)/float64(length)*(width-left-20) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, bottom+44)
	fmt.Fprintf(&b, "<title>%s</title>\n", title)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	for i, p := range panels {
		y, most := top+i*between, max(slices.Max(p.values), 1)
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#333">%s</text>`+"\n", left, y-18, p.what)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="#333">%d</text><text x="%d" y="%d" text-anchor="end" fill="#333">0</text>`+"\n", left-6, y+4, most, left-6, y+height)
		fmt.Fprintf(&b, `<path fill="%s" d="M%.1f %d`, p.color, x(0), y+height)
		for i, n := range p.values {
			at := float64(y+height) - float64(height*n)/float64(most)
			fmt.Fprintf(&b, "L%.1f %.1fL%.1f %.1f", x(time.Duration(i)*p.each), at, x(time.Duration(i+1)*p.each), at)
		}
		fmt.Fprintf(&b, `L%.1f %dZ"/>`+"\n", x(length), y+height)
		fmt.Fprintf(&b, `<path stroke="#333" d="M%d %dH%d"/>`+"\n", left, y+height, width-20)
	}
	for _, e := range events {
		fmt.Fprintf(&b, `<path stroke="#999" stroke-dasharray="3 3" d="M%.1f %dV%d"/>`+"\n", x(e.at), top, bottom)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#333">%s</text>`+"\n", x(e.at)+3, bottom+16, e.name)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#777">%.0f s</text>`+"\n", x(e.at)+3, bottom+31, e.at.Seconds())
	}
	b.WriteString("</svg>\n")
	return b.String()
}
