package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// rulesText writes the size of a policy.
func rulesText(n string) string {
	v, err := strconv.ParseFloat(n, 64)
	if err != nil {
		return n
	}
	return grouped(v)
}

// summaryTable is what was measured for the targets, without them.
func summaryTable(r *results) string {
	t := table{head: []string{"work", "Sallyport", "others"}}
	for _, target := range targets {
		o := target.measure(r)
		t.add(target.work, orNone(cmp.Or(o.short, o.ours)), orNone(o.peers))
	}
	return t.String()
}

func targetTable(r *results) string {
	t := table{head: []string{"work", "target", "Sallyport", "Sallyport, best runs", "others", "others beforehand", ""}}
	best := r.fastest()
	for _, target := range targets {
		o := target.measure(r)
		t.add(target.work, target.goal, orNone(o.ours), orNone(target.measure(best).ours), orNone(o.peers), target.before, o.verdict())
	}
	return t.String()
}

// missedTable is what was aimed at and not reached, for the page for users.
func missedTable(r *results) string {
	t := table{head: []string{"work", "aim", "Sallyport"}}
	for _, target := range missed(r) {
		t.add(target.work, target.goal, target.measure(r).ours)
	}
	if len(t.rows) == 0 {
		return "Every aim that was measured is reached.\n"
	}
	return t.String()
}

func orNone(text string) string {
	if text == "" {
		return notMeasured
	}
	return text
}

// missed are the targets that were measured and not reached, in the order of the
// page.
func missed(r *results) (found []target) {
	for _, target := range targets {
		if o := target.measure(r); o.ours != "" && !o.reached {
			found = append(found, target)
		}
	}
	return found
}

func decisionTable(r *results, model, c string) string {
	prefix := "Decision/model=" + model + "/"
	return sizesTable(r, "engine", r.distinct(prefix, "engine"), r.distinct(prefix, "rules"), func(engine, n string) string {
		return decision(model, engine, n, c)
	})
}

// sizesTable has a row for each engine and a column for each size; the last
// column compares with ours at the largest size the engine was measured at.
func sizesTable(r *results, what string, engines, sizes []string, name func(engine, n string) string) string {
	t := table{head: []string{what}}
	for _, n := range sizes {
		t.head = append(t.head, rulesText(n))
	}
	t.head = append(t.head, "beside Sallyport")
	for _, engine := range engines {
		row := []string{engine}
		compared := notMeasured
		for _, n := range sizes {
			v, ok := r.median(name(engine, n), seconds)
			if !ok {
				row = append(row, notMeasured)
				continue
			}
			row = append(row, duration(v))
			if own, ok := r.median(name(ours, n), seconds); ok {
				compared = ratio(v, own) + " at " + rulesText(n)
			}
		}
		if engine == ours {
			compared = ""
		}
		t.add(append(row, compared)...)
	}
	return t.String()
}

func requestTable(r *results) string {
	cases := []string{"missing", "first", "cached", "forbidden"}
	t := table{head: []string{"framework", "guard", "401, no credentials", "first sight of a token", "token seen before", "403", "beside Sallyport, token seen before"}}
	for _, framework := range r.distinct("Request/", "framework") {
		own, _, known := r.overBare(framework, ours, "cached")
		for _, guard := range r.distinct("Request/framework="+framework+"/", "guard") {
			row := []string{framework, guard}
			if guard == "bare" {
				v, _ := r.median("Request/framework="+framework+"/guard=bare/case=bare", seconds)
				t.add(append(row, duration(v)+" without a guard", "", "", "", "")...)
				continue
			}
			for _, c := range cases {
				cell := notMeasured
				if took, allocs, ok := r.overBare(framework, guard, c); ok {
					cell = fmt.Sprintf("%s, %s allocs", duration(took), digits(allocs))
				}
				row = append(row, cell)
			}
			compared := ""
			if took, _, ok := r.overBare(framework, guard, "cached"); ok && known && guard != ours {
				compared = ratio(took, own)
			}
			t.add(append(row, compared)...)
		}
	}
	return t.String()
}

// shapeTable says for each shape how our time grows.
func shapeTable(r *results) string {
	sizes := r.distinct("Shape/", "rules")
	t := table{head: []string{"policy", "case", "engine"}}
	for _, n := range sizes {
		t.head = append(t.head, rulesText(n))
	}
	t.head = append(t.head, "growth")
	for _, shape := range r.distinct("Shape/", "shape") {
		for _, c := range r.distinct("Shape/shape="+shape+"/", "case") {
			for _, engine := range r.distinct("Shape/shape="+shape+"/", "engine") {
				row := []string{shape, c, engine}
				for _, n := range sizes {
					cell := notMeasured
					if v, ok := r.median(shapeName(shape, engine, n, c), seconds); ok {
						cell = duration(v)
					}
					row = append(row, cell)
				}
				growth, _ := r.growth(shape, engine, c)
				t.add(append(row, growthText(growth))...)
			}
		}
	}
	return t.String()
}

func shapeName(shape, engine, n, c string) string {
	return "Shape/shape=" + shape + "/engine=" + engine + "/rules=" + n + "/case=" + c
}

// growth is the time at the largest size measured, in those at the smallest,
// and the largest size.
func (r *results) growth(shape, engine, c string) (times float64, largest string) {
	sizes := r.distinct("Shape/shape="+shape+"/engine="+engine+"/", "rules")
	if len(sizes) < 2 {
		return 0, ""
	}
	largest = sizes[len(sizes)-1]
	a, _ := r.median(shapeName(shape, engine, sizes[0], c), seconds)
	z, _ := r.median(shapeName(shape, engine, largest, c), seconds)
	if a == 0 {
		return 0, largest
	}
	return z / a, largest
}

// flat is the growth up to which times count as the same at any size.
const flat = 1.5

func growthText(times float64) string {
	switch {
	case times == 0:
		return notMeasured
	case times <= flat:
		return "flat"
	default:
		return ratio(times, 1)
	}
}

// flatness says in words where our time depends on the size.
func flatness(r *results) string {
	var flats, grow []string
	for _, shape := range r.distinct("Shape/", "shape") {
		var worst float64
		var largest string
		for _, c := range r.distinct("Shape/shape="+shape+"/engine="+ours+"/", "case") {
			times, n := r.growth(shape, ours, c)
			worst, largest = max(worst, times), n
		}
		switch {
		case worst == 0:
		case worst <= flat:
			flats = append(flats, shape)
		default:
			grow = append(grow, fmt.Sprintf("%s (%s at %s rules)", shape, ratio(worst, 1), rulesText(largest)))
		}
	}
	var text []string
	if len(flats) > 0 {
		text = append(text, "Flat up to the largest size: "+strings.Join(flats, ", ")+".")
	}
	if len(grow) > 0 {
		text = append(text, "Not flat, with the time at the largest size divided by the time at the smallest: "+strings.Join(grow, ", ")+".")
	}
	return strings.Join(text, " ")
}

// valuesTable has a row for each engine and size of one benchmark.
func valuesTable(r *results, benchmark string, columns []column) string {
	t := table{head: []string{"engine", "rules"}}
	for _, c := range columns {
		t.head = append(t.head, c.head)
	}
	for _, engine := range r.distinct(benchmark+"/", "engine") {
		for _, n := range r.distinct(benchmark+"/engine="+engine+"/", "rules") {
			row := []string{engine, rulesText(n)}
			for _, c := range columns {
				cell := notMeasured
				if v, ok := r.median(benchmark+"/engine="+engine+"/rules="+n, c.unit); ok {
					cell = c.text(v)
				}
				row = append(row, cell)
			}
			t.add(row...)
		}
	}
	return t.String()
}

type column struct {
	head, unit string
	text       func(float64) string
}

// moduleTable lists the benchmarks of all other modules.
func moduleTable(r *results) string {
	const prefix = "github.com/sallyport-go/sallyport/"
	t := table{head: []string{"package", "benchmark", "time", "memory", "allocations"}}
	for _, name := range slices.Sorted(slices.Values(r.names)) {
		pkg := strings.TrimPrefix(r.packages[name], prefix)
		if strings.HasPrefix(pkg, "examples/bench") {
			continue
		}
		row := []string{pkg, strings.ReplaceAll(name, "_", " ")}
		for _, c := range []column{{"", seconds, duration}, {"", bytesOp, size}, {"", allocsOp, digits}} {
			cell := notMeasured
			if v, ok := r.median(name, c.unit); ok {
				cell = c.text(v)
			}
			row = append(row, cell)
		}
		t.add(row...)
	}
	slices.SortStableFunc(t.rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return t.String()
}

// versionTable lists the modules that were measured.
func versionTable(r *results) string {
	t := table{head: []string{"module", "version"}}
	var paths []string
	for path := range r.facts {
		if strings.Contains(path, "/") {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		t.add(path, r.facts[path])
	}
	return t.String()
}
