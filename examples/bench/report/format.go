package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const notMeasured = "–"

// duration writes seconds with two or three digits that count.
func duration(s float64) string {
	abs := math.Abs(s)
	switch {
	case abs < 999.5e-9:
		return digits(s*1e9) + " ns"
	case abs < 999.5e-6:
		return digits(s*1e6) + " µs"
	case abs < 0.9995:
		return digits(s*1e3) + " ms"
	default:
		return digits(s) + " s"
	}
}

// size writes bytes in decimal units.
func size(b float64) string {
	switch {
	case b < 999.5:
		return digits(b) + " B"
	case b < 999.5e3:
		return digits(b/1e3) + " kB"
	case b < 999.5e6:
		return digits(b/1e6) + " MB"
	default:
		return digits(b/1e9) + " GB"
	}
}

// digits writes three digits at most, and whole numbers from 100 on.
func digits(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 99.95:
		return grouped(math.Round(v))
	case abs >= 9.995:
		return trimmed(v, 1)
	default:
		return trimmed(v, 2)
	}
}

// trimmed writes v with n decimals, without zeros at their end.
func trimmed(v float64, n int) string {
	text := strconv.FormatFloat(v, 'f', n, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// grouped writes a whole number with commas.
func grouped(v float64) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if v < 0 {
		return "-" + text
	}
	return text
}

// ratio writes how many times as large a is as b.
func ratio(a, b float64) string {
	if a <= 0 || b <= 0 {
		return notMeasured
	}
	return digits(a/b) + " ×"
}

// table is rows of cells for a page.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	b.WriteString("|" + strings.Repeat("---|", len(t.head)) + "\n")
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}
