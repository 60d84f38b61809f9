package sample

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
)

// Values returns values of an attribute of the given type, one of each kind that the
// patterns distinguish; word is a text that none of the patterns mentions. missed are the
// patterns for which not every kind could be generated.
func Values(patterns []casbinrules.Pattern, kind casbinrules.AttributeType, word string) (values []string, missed []casbinrules.Pattern) {
	byAddress := func(p casbinrules.Pattern) bool { return p.Function == "ipMatch" }
	switch {
	case kind == casbinrules.IPAddress || slices.ContainsFunc(patterns, byAddress):
		return addresses(patterns, kind)
	case kind != casbinrules.Text:
		return ordered(patterns, kind)
	}
	for _, p := range patterns {
		if p.Function == "==" {
			values = append(values, p.Text)
			continue
		}
		for _, c := range candidates(p, word) {
			if p.Matches(c) {
				values = append(values, c)
			}
		}
	}
	values = append(values, word)
	return Space{Patterns: patterns}.Complete(once(values))
}

func once(values []string) []string { return distinct.Add(nil, values...) }

// addresses returns the first and last address of each network, and the addresses next to
// them. Two networks are either nested or disjoint, so this covers every kind.
func addresses(patterns []casbinrules.Pattern, kind casbinrules.AttributeType) (values []string, missed []casbinrules.Pattern) {
	add := func(a netip.Addr) {
		if a.IsValid() {
			values = append(values, a.String())
		}
	}
	for _, p := range patterns {
		network, err := netip.ParsePrefix(p.Text)
		if err != nil {
			var address netip.Addr
			if address, err = netip.ParseAddr(p.Text); err == nil {
				network = netip.PrefixFrom(address, address.BitLen())
			}
		}
		if err != nil && kind == casbinrules.IPAddress && (p.Function == "ipMatch" || p.Function == "==") {
			continue // A policy that compares this value would not load.
		}
		if err != nil || p.Function != "ipMatch" && p.Function != "==" {
			missed = append(missed, p)
			continue
		}
		first, last := bounds(network)
		add(first)
		add(last)
		add(first.Prev())
		add(last.Next())
	}
	return once(append(values, "192.0.2.1", "2001:db8::1")), missed
}

// bounds returns the first and the last address of a network.
func bounds(network netip.Prefix) (first, last netip.Addr) {
	first = network.Masked().Addr()
	b := first.AsSlice()
	for bit := network.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ = netip.AddrFromSlice(b)
	return first, last
}

// ordered returns the values compared with, one value between each two neighbours, and one
// beyond either end.
func ordered(patterns []casbinrules.Pattern, kind casbinrules.AttributeType) (values []string, missed []casbinrules.Pattern) {
	read, write := numericScale(kind)
	var known []float64
	for _, p := range patterns {
		if p.Function != "<" && p.Function != "==" {
			missed = append(missed, p)
			continue
		}
		n, ok := read(p.Text)
		if !ok {
			continue // A policy that compares this value would not load.
		}
		known = append(known, n)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	if len(known) == 0 {
		return []string{write(0)}, missed
	}
	points := []float64{math.Ceil(known[0]) - 1}
	for i, n := range known {
		points = append(points, n)
		switch {
		case i+1 == len(known):
			points = append(points, math.Floor(n)+1)
		case kind == casbinrules.Number:
			points = append(points, between(n, known[i+1]))
		case known[i+1]-n > 1:
			points = append(points, n+1)
		}
	}
	for _, n := range points {
		if text := write(n); text != "" {
			values = append(values, text)
		}
	}
	return once(values), missed
}

// between returns a number between a and b with few digits, or b if a request cannot have
// such a number.
func between(a, b float64) float64 {
	for scale := 1.0; scale <= 1e12; scale *= 10 {
		if n := math.Floor(a*scale+1) / scale; a < n && n < b {
			return n
		}
	}
	// The midpoint, with as many digits as a number may have.
	for digits := 1; digits <= 15; digits++ {
		n, err := strconv.ParseFloat(strconv.FormatFloat((a+b)/2, 'g', digits, 64), 64)
		if err == nil && a < n && n < b {
			return n
		}
	}
	return b
}

// numericScale converts the values of a type to numbers and back, such that consecutive values
// differ by one. A number without a corresponding value is converted to "".
func numericScale(kind casbinrules.AttributeType) (read func(string) (float64, bool), write func(float64) string) {
	const day = 24 * 60 * 60
	switch kind {
	case casbinrules.TimeOfDay:
		return func(text string) (float64, bool) {
				var n float64
				parts := strings.Split(text+":00", ":")
				for i, unit := range []float64{3600, 60, 1} {
					part, err := strconv.Atoi(parts[min(i, len(parts)-1)])
					if err != nil {
						return 0, false
					}
					n += float64(part) * unit
				}
				return n, true
			}, func(n float64) string {
				if n < 0 || n > day {
					return ""
				}
				if n == day {
					return "24:00:00"
				}
				return time.Unix(int64(n), 0).UTC().Format(time.TimeOnly)
			}
	case casbinrules.Date:
		return func(text string) (float64, bool) {
				t, err := time.Parse(time.DateOnly, text)
				return float64(t.Unix() / day), err == nil
			}, func(n float64) string {
				return time.Unix(int64(n)*day, 0).UTC().Format(time.DateOnly)
			}
	}
	return func(text string) (float64, bool) {
			n, err := strconv.ParseFloat(text, 64)
			return n, err == nil
		}, func(n float64) string {
			return strconv.FormatFloat(n, 'f', -1, 64)
		}
}
