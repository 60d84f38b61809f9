package pattern

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Naming are the functions by which names of role links can be patterns. Those
// left out fail in Casbin at names that are none (ipMatch), or cut the names that
// they compare (keyMatch5).
var Naming = []string{"globMatch", "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "regexMatch"}

// IsPattern reports whether a function may match a text with others than itself. By
// regexMatch every text matches whatever it is a part of.
func IsPattern(function, text string) bool {
	return function == "regexMatch" || special(function, text) != ""
}

// special is what of a text a function takes for something other than itself.
func special(function, text string) string {
	bytes := `\.+*?()|[]{}^$` // in a regular expression
	switch function {
	case "keyMatch":
		bytes = "*"
	case "globMatch":
		bytes = GlobBytes
	}
	at := strings.IndexAny(text, bytes)
	if function == "keyMatch2" {
		if name := colonName.FindStringIndex(text); name != nil && (at < 0 || name[0] < at) {
			return text[name[0]:name[1]]
		}
	}
	if at < 0 {
		return ""
	}
	return text[at : at+1]
}

// Set are patterns of one function, found by the texts that they match.
type Set struct {
	function string
	known    map[int32]bool
	byStart  map[string][]numbered
	lengths  []int // of the starts, the longest first
}

// numbered is a pattern and the number it was added with.
type numbered struct {
	number  int32
	matches Matcher
}

// NewSet has no patterns yet.
func NewSet(function string) *Set {
	return &Set{function: function, known: map[int32]bool{}, byStart: map[string][]numbered{}}
}

// Add adds a text with its number, unless it is there or matches itself alone. A
// pattern that cannot be read matches nothing.
func (s *Set) Add(number int32, text string) {
	if s.known[number] || !IsPattern(s.function, text) {
		return
	}
	matches, err := Compile(s.function, text)
	if err != nil {
		return
	}
	s.known[number] = true
	start := startOf(s.function, text)
	s.byStart[start] = append(s.byStart[start], numbered{number, matches})
	if !slices.Contains(s.lengths, len(start)) {
		s.lengths = append(s.lengths, len(start))
		slices.SortFunc(s.lengths, func(a, b int) int { return b - a })
	}
}

// Has reports whether a text that was added with a number is a pattern.
func (s *Set) Has(number int32) bool { return s != nil && s.known[number] }

// Matching are the patterns that match a text, those with the longest start
// first.
func (s *Set) Matching(text string) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		if s == nil {
			return
		}
		for _, n := range s.lengths {
			if n > len(text) {
				continue
			}
			for _, p := range s.byStart[text[:n]] {
				if p.matches(text) && !yield(p.number) {
					return
				}
			}
		}
	}
}

// startOf is what every text that a pattern matches begins with.
func startOf(function, text string) string {
	if function == "regexMatch" {
		return ""
	}
	first := special(function, text)
	at := strings.Index(text, first)
	switch {
	case function == "keyMatch", function == "globMatch":
		return text[:at]
	case strings.Contains(text, "|"):
		return ""
	}
	if strings.IndexByte("*?{", first[0]) >= 0 { // of what stands in front
		_, n := utf8.DecodeLastRuneInString(text[:at])
		at -= n
	}
	return text[:at]
}
