package main

import (
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	width  = 8 * vg.Inch
	height = 4.5 * vg.Inch
)

// figures draw the plots of the page into a folder.
var figures = []func(r *results, dir string) error{
	func(r *results, dir string) error {
		return drawDecisions(r, dir, "rbac", "Roles and keyMatch2, allowed")
	},
	func(r *results, dir string) error { return drawDecisions(r, dir, "exact", "Exact match, allowed") },
	drawShapes,
	drawRequests,
}

// newPlot has a logarithmic axis of seconds.
func newPlot(title, across string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = across
	p.Y.Label.Text = "time"
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = decades(duration)
	p.Legend.Top = true
	p.Legend.Left = true
	p.Legend.TextStyle.Font.Size = font.Length(9)
	p.Add(plotter.NewGrid())
	return p
}

// decades marks powers of ten.
func decades(text func(float64) string) plot.Ticker {
	return plot.TickerFunc(func(low, high float64) []plot.Tick {
		ticks := plot.LogTicks{Prec: -1}.Ticks(low, high)
		for i, t := range ticks {
			if t.Label != "" {
				ticks[i].Label = text(t.Value)
			}
		}
		return ticks
	})
}

// line adds a line through points, the i-th of a plot. Ours is thick.
func line(p *plot.Plot, i int, name string, points plotter.XYs) error {
	if len(points) == 0 {
		return nil
	}
	l, s, err := plotter.NewLinePoints(points)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l.Color, s.Color = plotutil.Color(i), plotutil.Color(i)
	s.Shape = plotutil.Shape(i)
	if name == ours {
		l.Color, s.Color = color.Black, color.Black
		l.Width, s.Radius = vg.Points(2.5), vg.Points(3.5)
	}
	p.Add(l, s)
	p.Legend.Add(name, l, s)
	return nil
}

func drawDecisions(r *results, dir, model, title string) error {
	p := newPlot(title, "rules")
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = decades(grouped)
	drawn := false
	prefix := "Decision/model=" + model + "/"
	for i, engine := range r.distinct(prefix, "engine") {
		points := r.points(r.distinct(prefix, "rules"), func(n string) string { return decision(model, engine, n, "allow") })
		drawn = drawn || len(points) > 0
		if err := line(p, i, engine, points); err != nil {
			return err
		}
	}
	return save(p, drawn, filepath.Join(dir, "decisions-"+model+".svg"))
}

func drawShapes(r *results, dir string) error {
	p := newPlot("Policies unlike most: Sallyport, the slower of allowed and denied", "rules")
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = decades(grouped)
	drawn := false
	for i, shape := range r.distinct("Shape/", "shape") {
		var slowest plotter.XYs
		for _, c := range r.distinct("Shape/shape="+shape+"/engine="+ours+"/", "case") {
			points := r.points(r.distinct("Shape/shape="+shape+"/", "rules"), func(n string) string { return shapeName(shape, ours, n, c) })
			if len(points) == len(slowest) {
				for j := range points {
					slowest[j].Y = max(slowest[j].Y, points[j].Y)
				}
			} else if slowest == nil {
				slowest = points
			}
		}
		drawn = drawn || len(slowest) > 0
		if err := line(p, i, shape, slowest); err != nil {
			return err
		}
	}
	return save(p, drawn, filepath.Join(dir, "shapes.svg"))
}

// drawRequests has the cases side by side and a line for each guard.
func drawRequests(r *results, dir string) error {
	cases := []string{"missing", "cached", "first", "forbidden"}
	p := newPlot("What a guard adds to a request", "")
	p.NominalX("401", "token seen before", "first sight of a token", "403")
	p.Legend.Left = false
	p.Legend.Top = false
	drawn := false
	i := 0
	for _, framework := range r.distinct("Request/", "framework") {
		for _, guard := range r.distinct("Request/framework="+framework+"/", "guard") {
			var points plotter.XYs
			for x, c := range cases {
				if took, _, ok := r.overBare(framework, guard, c); ok && took > 0 {
					points = append(points, plotter.XY{X: float64(x), Y: took})
				}
			}
			if len(points) == 0 {
				continue
			}
			drawn = true
			if err := line(p, i, framework+", "+guard, points); err != nil {
				return err
			}
			i++
		}
	}
	return save(p, drawn, filepath.Join(dir, "requests.svg"))
}

// points are medians over sizes.
func (r *results) points(sizes []string, name func(n string) string) plotter.XYs {
	var points plotter.XYs
	for _, n := range sizes {
		x, err := strconv.ParseFloat(n, 64)
		y, ok := r.median(name(n), seconds)
		if err == nil && ok && y > 0 {
			points = append(points, plotter.XY{X: x, Y: y})
		}
	}
	slices.SortFunc(points, func(a, b plotter.XY) int { return int(a.X - b.X) })
	return points
}

// save writes a plot, without curves when nothing was measured.
func save(p *plot.Plot, drawn bool, name string) (err error) {
	if !drawn {
		p.Title.Text += " (not measured)"
		p.X.Scale, p.Y.Scale = plot.LinearScale{}, plot.LinearScale{}
		p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks{}, plot.ConstantTicks{}
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	_, err = canvas.WriteTo(file)
	return err
}
