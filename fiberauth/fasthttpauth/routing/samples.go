package routing

import (
	"iter"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

const (
	maxTried  = 1 << 8 // combinations of values
	maxSample = 1 << 8 // the bytes of a value that is made up: paths are tried for each of them
)

// combinations returns values for parameters with constraints, such that each value of one
// is tried with each of the others, as far as maxTried allows.
func combinations(constraints []string) iter.Seq[[]string] {
	var lists [][]string
	total := 1
	for _, c := range constraints {
		lists = append(lists, samples(c))
		total = min(total*len(lists[len(lists)-1]), maxTried)
	}
	return func(yield func([]string) bool) {
		for k := range total {
			values := make([]string, len(lists))
			for i, list := range lists {
				values[i], k = list[k%len(list)], k/len(list)
			}
			if !yield(values) {
				return
			}
		}
	}
}

// samples returns values of a parameter, of which one satisfies its constraints if they are
// Fiber's own: their bounds and layouts, and texts of the lengths that they name.
func samples(constraints string) []string {
	found := []string{"1"}
	if constraints == "" {
		return found
	}
	found = append(found, "a", "00000000-0000-0000-0000-000000000000")
	for c := range strings.SplitSeq(constraints, ";") {
		name, data, _ := strings.Cut(c, "(")
		data = data[:max(strings.LastIndexByte(data, ')'), 0)]
		if name == "regex" {
			if re, err := syntax.Parse(data, syntax.Perl); err == nil {
				if text := matching(re); len(text) <= maxSample {
					found = append(found, text)
				}
			}
			continue
		}
		for datum := range strings.SplitSeq(unescaped(data), ",") {
			found = append(found, datum)
			if n, err := strconv.Atoi(datum); err == nil && 1 < n && n <= maxSample {
				found = append(found, strings.Repeat("1", n), strings.Repeat("a", n))
			}
		}
	}
	return found
}

// matching returns a text that re matches, if it asks for nothing about its surroundings.
func matching(re *syntax.Regexp) string {
	var subs []string
	for _, sub := range re.Sub {
		subs = append(subs, matching(sub))
	}
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		for _, want := range "a1" {
			for bounds := range slices.Chunk(re.Rune, 2) {
				if bounds[0] <= want && want <= bounds[1] {
					return string(want)
				}
			}
		}
		return string(re.Rune[:min(len(re.Rune), 1)])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpAlternate, syntax.OpPlus:
		return subs[0]
	case syntax.OpRepeat:
		return strings.Repeat(subs[0], re.Min)
	case syntax.OpConcat, syntax.OpCapture:
		return strings.Join(subs, "")
	}
	return ""
}
