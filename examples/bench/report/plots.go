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
	width  = 9.5 * vg.Inch
	height = 4.5 * vg.Inch
	// side is the room for the legend, margin that around it, where the last
	// number of the axis has its end.
	side   = 2.7 * vg.Inch
	margin = 0.3 * vg.Inch
)

// drawing draws a plot into a folder.
type drawing func(r *results, dir string) error

// pageFigures are the plots of the page for users, otherFigures those that stand
// in the details besides.
var (
	pageFigures = []drawing{
		func(r *results, dir string) error {
			return drawDecisions(r, dir, "rbac", "Roles and keyMatch2, allowed")
		},
		drawRequests,
	}
	otherFigures = []drawing{
		func(r *results, dir string) error { return drawDecisions(r, dir, "exact", "Exact match, allowed") },
		drawShapes,
	}
)

// figure is a plot with its legend at the side, where no curve is.
type figure struct {
	*plot.Plot
	legend plot.Legend
	drawn  bool
}

// newFigure has a logarithmic axis of seconds.
func newFigure(title, across string) *figure {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = across
	p.Y.Label.Text = "time"
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = decades(duration)
	p.Add(plotter.NewGrid())
	f := &figure{Plot: p, legend: plot.NewLegend()}
	f.legend.Top = true
	f.legend.Left = true
	f.legend.TextStyle.Font.Size = font.Length(9)
	f.legend.Padding = vg.Points(3)
	return f
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

// line adds a line through points, with the i-th colour. Ours are thick, those
// of others dashed.
func (f *figure) line(i int, name string, own bool, points plotter.XYs) error {
	if len(points) == 0 {
		return nil
	}
	l, s, err := plotter.NewLinePoints(points)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l.Color, s.Color = plotutil.Color(i), plotutil.Color(i)
	s.Shape = plotutil.Shape(i)
	if own {
		l.Width = vg.Points(2)
	} else {
		l.Dashes = plotutil.Dashes(1)
	}
	f.Add(l, s)
	f.legend.Add(name, l, s)
	f.drawn = true
	return nil
}

func drawDecisions(r *results, dir, model, title string) error {
	f := newFigure(title, "rules")
	f.X.Scale = plot.LogScale{}
	f.X.Tick.Marker = decades(grouped)
	prefix := "Decision/model=" + model + "/"
	for i, engine := range r.distinct(prefix, "engine") {
		points := r.points(r.distinct(prefix, "rules"), func(n string) string { return decision(model, engine, n, "allow") })
		if err := f.line(i, engine, engine == ours, points); err != nil {
			return err
		}
	}
	return f.save(filepath.Join(dir, "decisions-"+model+".svg"))
}

func drawShapes(r *results, dir string) error {
	f := newFigure("Policies unlike most: Sallyport, the slower of allowed and denied", "rules")
	f.X.Scale = plot.LogScale{}
	f.X.Tick.Marker = decades(grouped)
	for i, shape := range r.distinct("Shape/", "shape") {
		var slowest plotter.XYs
		for _, c := range r.distinct("Shape/shape="+shape+"/engine="+ours+"/", "case") {
			points := r.points(r.distinct("Shape/shape="+shape+"/", "rules"), func(n string) string { return shapeName(shape, ours, n, c) })
			if slowest == nil {
				slowest = points
			}
			for j := range min(len(points), len(slowest)) {
				slowest[j].Y = max(slowest[j].Y, points[j].Y)
			}
		}
		if err := f.line(i, shape, true, slowest); err != nil {
			return err
		}
	}
	return f.save(filepath.Join(dir, "shapes.svg"))
}

// drawRequests has the cases side by side, a line for each guard and a colour
// for each framework.
func drawRequests(r *results, dir string) error {
	cases := []string{"missing", "cached", "first", "forbidden"}
	f := newFigure("What a guard adds to a request", "")
	f.NominalX("401", "token seen before", "first sight", "403")
	for i, framework := range r.distinct("Request/", "framework") {
		for _, guard := range r.distinct("Request/framework="+framework+"/", "guard") {
			var points plotter.XYs
			for x, c := range cases {
				if took, _, ok := r.overBare(framework, guard, c); ok && took > 0 {
					points = append(points, plotter.XY{X: float64(x), Y: took})
				}
			}
			if err := f.line(i, framework+", "+guard, guard == ours, points); err != nil {
				return err
			}
		}
	}
	return f.save(filepath.Join(dir, "requests.svg"))
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
func (f *figure) save(name string) (err error) {
	if f.drawn {
		f.Y.Min /= 1.5
		f.Y.Max *= 1.5
	} else {
		f.Title.Text += " (not measured)"
		f.X.Scale, f.Y.Scale = plot.LinearScale{}, plot.LinearScale{}
		f.X.Tick.Marker, f.Y.Tick.Marker = plot.ConstantTicks{}, plot.ConstantTicks{}
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	canvas := vgsvg.New(width, height)
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	f.Draw(draw.Crop(whole, 0, -side, 0, 0))
	f.legend.Draw(draw.Crop(whole, width-side+margin, 0, 0, -margin))
	_, err = canvas.WriteTo(file)
	return err
}
